"""The life of an EC2 instance. Sources: the original's state machine, and EC2's instance life cycle."""

from __future__ import annotations

from deltacloud.drivers import AUTO, StateMachine

STATES = StateMachine(
    {
        "start": [(AUTO, "pending")],
        "pending": [(AUTO, "running"), ("destroy", "finish")],
        "running": [("reboot", "running"), ("stop", "stopping"), ("destroy", "finish")],
        "stopping": [(AUTO, "stopped"), ("destroy", "finish")],
        "stopped": [("start", "running"), ("destroy", "finish")],
        "finish": [],
    }
)
"""The original's machine; beyond it an instance may be destroyed from any state, as EC2 allows."""

TERMINATED = "terminated"
GONE = ("shutting-down", TERMINATED)
"""EC2's states that nothing leads out of."""

_STATES = {
    "pending": "PENDING",
    "running": "RUNNING",
    "stopping": "STOPPING",
    "stopped": "STOPPED",
    "shutting-down": "STOPPED",
    TERMINATED: "FINISH",
}


def state(native: str) -> str:
    """Return the API's state for EC2's; one that is not known is shown in upper case."""
    return _STATES.get(native, native.upper())


def natives(state: str) -> tuple[str, ...]:
    """Return EC2's states that the API shows as this one; none for a state EC2 does not have."""
    return tuple(native for native, shown in _STATES.items() if shown == state.upper())


def actions(native: str, *, is_transient: bool) -> tuple[str, ...]:
    """Return what EC2's state allows; an instance whose root device is transient cannot stop, nor start again."""
    if native in GONE:
        return ()
    impossible = {"stop", "start"} if is_transient else set()
    return tuple(action for action in STATES.actions(state(native)) if action not in impossible)
