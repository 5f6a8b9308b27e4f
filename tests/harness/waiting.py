"""Wait for a condition, never for a number of seconds."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(check: Callable[[], T | None], what: str, *, timeout_s: float = 10.0, every_s: float = 0.02) -> T:
    """Call `check` until it returns something true, and return that.

    What `check` raises goes through. Raises TimeoutError naming `what` after `timeout_s` seconds.
    """
    end = time.monotonic() + timeout_s
    while not (result := check()):
        if time.monotonic() > end:
            raise TimeoutError(f"waited {timeout_s:g} s for {what}")
        time.sleep(every_s)
    return result
