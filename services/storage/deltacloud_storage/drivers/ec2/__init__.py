"""The S3 storage driver."""
