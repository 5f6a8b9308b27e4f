"""The gateway: HTTP in, RPC out."""
