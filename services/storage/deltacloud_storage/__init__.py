"""Storage workers and their drivers."""
