"""One state machine a driver: the actions offered in each state, and ``/api/instance_states``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from deltacloud.errors import WrongState
from deltacloud.models import InstanceState, Transition

AUTO = None
"""In a declaration: the state is left without anybody's doing."""

Ways = Iterable[tuple[str | None, str]]


class StateMachine:
    """The states of a driver's instances, in the order in which they are shown.

    Args:
        states: for each state the ways out of it, ``(action, state)`` or ``(AUTO, state)``; ``start`` is before
            creation, ``finish`` is gone.
    """

    def __init__(self, states: Mapping[str, Ways]) -> None:
        self.states: tuple[InstanceState, ...] = tuple(
            InstanceState(name=name, transitions=tuple(Transition(action=action, to=to) for action, to in transitions))
            for name, transitions in states.items()
        )
        self._actions = {
            state.name: tuple(way.action for way in state.transitions if way.action and state.name != "start")
            for state in self.states
        }

    def actions(self, state: str) -> tuple[str, ...]:
        """Return the actions allowed in a state, written in any case; none for a state the machine does not know."""
        return self._actions.get(state.lower(), ())

    def require(self, action: str, state: str, instance_id: str, allowed: tuple[str, ...] | None = None) -> None:
        """Do nothing if the action is allowed in the state.

        Raises:
            WrongState: it is not; the text and ``details['allowed']`` name what is.
        """
        possible = self.actions(state) if allowed is None else allowed
        if action in possible:
            return
        listed = ", ".join(possible) or "nothing"
        raise WrongState(
            f"Instance '{instance_id}' is {state}: {action} is not allowed now; allowed: {listed}.",
            details={"allowed": ",".join(possible)},
        )
