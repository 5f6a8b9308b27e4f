"""The mock storage driver."""
