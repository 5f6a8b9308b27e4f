"""Instances live by the machine their driver declares: every action offered works, every other is refused."""

from __future__ import annotations

from deltacloud.drivers import Driver
from deltacloud.models import Instance
from deltacloud.testing.checks.declarations import ACTIONS
from deltacloud.testing.checks.lists import assert_valid, ids
from deltacloud.testing.cloud import Cloud
from deltacloud.testing.machines import GONE, act, instance_in, lasts, later, state_of, wait_for, ways_of
from deltacloud.testing.selection import Suite, applies_to, each, requires

LIFE = ("create_instance", "get_instance", "destroy_instance")


def offered(driver: type[Driver]) -> list[tuple[str, str]]:
    """Return the states with the actions offered in them."""
    if driver.states is None or not set(LIFE) <= driver.operations():
        return []
    return [
        (state.name, way.action)
        for state in driver.states.states
        for way in state.transitions
        if way.action and state.name != "start"
    ]


def refused(driver: type[Driver]) -> list[tuple[str, str]]:
    """Return the lasting states with the actions that exist and are not offered in them."""
    if driver.states is None or not set(LIFE) <= driver.operations():
        return []
    return [
        (state.name, action)
        for state in driver.states.states
        if state.name != "start" and lasts(driver.states, state.name)
        for action in ACTIONS
        if f"{action}_instance" in driver.operations()
        and action not in driver.states.actions(state.name)
        and (state.name, action) != (GONE, "destroy")
    ]


class InstanceChecks(Suite):
    """Instances."""

    @requires(*LIFE)
    @applies_to(lambda driver: driver.states is not None)
    def test_a_new_instance_gets_where_the_machine_says(self, cloud: Cloud) -> None:
        """It is of the asked image, and its state is one a new instance can be in."""
        made: Instance = cloud.make("instance")
        assert_valid(cloud, made)
        states = self.driver.states
        assert states is not None
        reachable = {name for way in ways_of(states, "start") for name in later(states, way.to)}
        assert state_of(cloud, made.id) in reachable, f"a new instance may be {sorted(reachable)}"
        got = cloud.call("get_instance", id=made.id)
        assert (got.id, got.image_id) == (made.id, made.image_id)

    @requires(*LIFE, "list_realms", "list_hardware_profiles")
    def test_an_instance_is_of_the_realm_and_the_profile_asked_for(self, cloud: Cloud) -> None:
        """Both are on the record."""
        wanted = cloud.values("create_instance")
        realm = wanted.get("realm_id") or cloud.list("list_realms")[-1].id
        profile = wanted.get("hwp_id") or cloud.list("list_hardware_profiles")[0].id
        made = cloud.make("instance", realm_id=realm, hwp_id=profile)
        got = cloud.call("get_instance", id=made.id)
        assert (got.realm_id, got.hardware_profile_id) == (realm, profile)

    @requires(*LIFE)
    def test_an_instance_of_an_unknown_image_is_refused_and_not_made(self, cloud: Cloud) -> None:
        """Nothing is started of something else."""
        before = set(ids(cloud.list("list_instances")))
        values = {**cloud.values("create_instance"), "image_id": cloud.unknown_id("image")}
        try:
            error = cloud.refusal("create_instance", **values)
        finally:
            new = [each for each in cloud.list("list_instances") if each.id not in before]
            cloud.remove_later("instance", *new)
        assert error.code in {"not_found", "invalid_parameters"}, error
        assert not new

    @each("case", offered)
    def test_an_action_offered_in_a_state_leads_where_the_machine_says(
        self, cloud: Cloud, case: tuple[str, str]
    ) -> None:
        """Each action that a state offers works and has its effect."""
        state, action = case
        states = self.driver.states
        assert states is not None
        instance = instance_in(cloud, states, state)
        if not lasts(states, state) and state_of(cloud, instance.id) != state:
            cloud.not_proved(f"instances are {state} too shortly to act on them")
        act(cloud, action, instance.id)
        ends = {name for way in ways_of(states, state) if way.action == action for name in later(states, way.to)}
        wait_for(cloud, instance.id, ends.__contains__, f"one of {sorted(ends)}")

    @each("case", refused)
    def test_an_action_not_offered_in_a_state_is_refused_and_changes_nothing(
        self, cloud: Cloud, case: tuple[str, str]
    ) -> None:
        """The refusal names the state's own actions."""
        state, action = case
        states = self.driver.states
        assert states is not None
        instance = instance_in(cloud, states, state)
        error = cloud.refusal(f"{action}_instance", id=instance.id)
        assert error.code in ({"wrong_state", "not_found"} if state == GONE else {"wrong_state"}), error
        assert state_of(cloud, instance.id) == state

    @requires(*LIFE, "list_instances")
    @applies_to(lambda driver: driver.states is not None)
    def test_a_destroyed_instance_is_gone_or_finished(self, cloud: Cloud) -> None:
        """It is neither listed as alive nor got as alive."""
        states = self.driver.states
        assert states is not None
        source = next(state.name for state in states.states if "destroy" in states.actions(state.name))
        instance = instance_in(cloud, states, source)
        act(cloud, "destroy", instance.id)
        wait_for(cloud, instance.id, GONE.__eq__, "gone")
        alive = [each for each in cloud.list("list_instances") if each.state.lower() != GONE]
        assert instance.id not in ids(alive)
