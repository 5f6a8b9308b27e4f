"""Compute workers and their drivers."""
