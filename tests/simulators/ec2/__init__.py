"""A strict EC2: query API 2016-11-15 over HTTP, signature version 4, in memory.

It refuses what the real service refuses, pages every list, and lets machines take their time. What it
knows of the service it has from the public API reference and SDK model, and from error texts quoted in
public issue threads.
"""

DEFAULT_ACCESS_KEY = "AKIASIMULATED0000001"
DEFAULT_SECRET_KEY = "simulated/secret+key"
