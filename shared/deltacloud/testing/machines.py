"""Instances and their declared state machine: getting one into a state, and seeing where it goes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from deltacloud.drivers import StateMachine
from deltacloud.errors import NotFound
from deltacloud.models import Instance, Transition
from deltacloud.testing.cloud import POLL_S, Cloud

GONE = "finish"


def ways_of(states: StateMachine, state: str) -> tuple[Transition, ...]:
    """Return the ways out of a state."""
    return next((each.transitions for each in states.states if each.name == state), ())


def lasts(states: StateMachine, state: str) -> bool:
    """Say whether an instance stays in a state until somebody does something."""
    return all(way.action for way in ways_of(states, state))


def later(states: StateMachine, state: str) -> set[str]:
    """Return a state and those it turns into by itself."""
    found, waiting = {state}, [state]
    while waiting:
        for way in ways_of(states, waiting.pop()):
            if way.action is None and way.to not in found:
                found.add(way.to)
                waiting.append(way.to)
    return found


def next_way(states: StateMachine, state: str, goal: str) -> Transition | None:
    """Return the first step of the shortest way from a state to another, ``None`` where there is none."""
    queue: deque[tuple[str, Transition | None]] = deque([(state, None)])
    seen = {state}
    while queue:
        here, first = queue.popleft()
        if here == goal:
            return first
        for way in ways_of(states, here):
            if way.to not in seen:
                seen.add(way.to)
                queue.append((way.to, first or way))
    return None


def state_of(cloud: Cloud, id: str) -> str:
    """Return an instance's state in the machine's spelling; one that is no longer there is finished."""
    try:
        instance: Instance = cloud.call("get_instance", id=id)
    except NotFound:
        return GONE
    return instance.state.lower()


def act(cloud: Cloud, action: str, id: str) -> None:
    """Do an action; what it answers is the instance."""
    answer = cloud.call(f"{action}_instance", id=id)
    assert answer is None or answer.id == id


def instance_in(cloud: Cloud, states: StateMachine, goal: str) -> Instance:
    """Return an instance in a state, made and brought there by the ways the machine declares."""
    made: Instance = cloud.make("instance")
    end = time.monotonic() + cloud.subject.settle_s
    taken: set[tuple[str, str]] = set()
    while time.monotonic() < end:
        state = state_of(cloud, made.id)
        if state == goal:
            return made
        way = next_way(states, state, goal)
        if way is None or (state, way.action) in taken:
            cloud.not_proved(f"instances are {state} before anybody sees them {goal}")
        elif way.action:
            taken.add((state, way.action))
            act(cloud, way.action, made.id)
            wait_for(cloud, made.id, later(states, way.to).__contains__, f"past {way.action}")
        else:
            time.sleep(POLL_S)
    raise AssertionError(f"{made.id} did not get {goal} within {cloud.subject.settle_s:g} s")


def wait_for(cloud: Cloud, id: str, condition: Callable[[str], bool], what: str) -> str:
    """Return an instance's state when the condition holds of it."""
    end = time.monotonic() + cloud.subject.settle_s
    state = state_of(cloud, id)
    while not condition(state):
        assert time.monotonic() < end, f"{id} is {state}, not {what}, after {cloud.subject.settle_s:g} s"
        time.sleep(POLL_S)
        state = state_of(cloud, id)
    return state
