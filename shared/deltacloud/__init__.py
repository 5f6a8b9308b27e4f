"""Deltacloud: one REST API over every cloud. This package is the contract that all its services share."""

__version__ = "2.0.0.dev0"
