"""The EC2 compute driver."""
