"""What a worker's program does before anything else."""

from __future__ import annotations

import warnings


def patch() -> None:
    """Make sockets, threads and locks green. Call it before anything imports ssl, requests or an SDK.

    An ssl that was imported earlier recurses to death in eventlet's patched one.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that eventlet is deprecated: we know, and it stays in this package
        import eventlet  # noqa: PLC0415 - whoever only imports this module gets none of it
    eventlet.monkey_patch()
