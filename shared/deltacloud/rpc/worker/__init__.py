"""The worker side of the contract: the only place that knows nameko, kombu and eventlet."""
