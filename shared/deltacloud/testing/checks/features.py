"""Features do what they declare: the value that was asked for is on the record, or the back end has it."""

from __future__ import annotations

import base64
import secrets
import time
from typing import Any

from deltacloud import catalogue
from deltacloud.catalogue import Feature
from deltacloud.drivers import Driver
from deltacloud.models import FeatureDeclaration, Instance, Key, Record
from deltacloud.testing.checks.declarations import feature_of
from deltacloud.testing.checks.lists import ids
from deltacloud.testing.cloud import BY_COLLECTION, POLL_S, Cloud
from deltacloud.testing.selection import Suite, each, requires


def of_creates(driver: type[Driver]) -> list[FeatureDeclaration]:
    """Return the features that extend a create."""
    return [
        declared
        for declared in driver.features
        if feature_of(declared).operation == "create" and declared.name != "instance_count"
    ]


class FeatureChecks(Suite):
    """Features."""

    @each("declared", of_creates)
    def test_a_feature_does_what_it_declares(self, cloud: Cloud, declared: FeatureDeclaration) -> None:
        """What it asks for is seen on the record, or else by the back end."""
        feature = feature_of(declared)
        parameters = _parameters(cloud, feature)
        made = cloud.make(BY_COLLECTION[feature.collection], **parameters)
        if isinstance(made, Key) and "public_key" in parameters:
            assert made.fingerprint, "the imported key has no fingerprint"
            assert made.pem is None, "a pair was made instead of importing the public key"
            return
        checks = [_on_record(name, value) for name, value in parameters.items()]
        if all(checks):
            _wait_until_told(cloud, BY_COLLECTION[feature.collection], made, parameters)
            return
        observe = cloud.subject.observe.get(feature.name)
        if observe is None:
            cloud.not_proved(f"Subject.observe cannot look at {feature.name}; creating with it worked")
            return
        seen = observe(made)
        for name, value in parameters.items():
            assert _holds(seen, value), f"{name} was given, and the back end has {seen!r}"

    @requires("create_instance", "list_instances")
    @each("count", lambda driver: [2, 3] if any(each.name == "instance_count" for each in driver.features) else [])
    def test_several_instances_are_made_at_once(self, cloud: Cloud, count: int) -> None:
        """As many as asked for, all different, all listed."""
        made = cloud.make("instance", instance_count=count)
        assert isinstance(made, list)
        assert len(set(ids(made))) == count
        assert set(ids(made)) <= set(ids(cloud.list("list_instances")))

    @requires("create_instance", "list_instances", "list_realms")
    @each("filter_", lambda driver: [each.name for each in driver.features if each.name == "realm_filter"])
    def test_instances_of_one_realm_are_told_from_those_of_another(self, cloud: Cloud, filter_: str) -> None:
        """The filter by realm is applied."""
        realms = ids(cloud.list("list_realms"))[:2]
        made = {realm: cloud.make("instance", realm_id=realm).id for realm in realms}
        for realm, id in made.items():
            found = set(ids(cloud.list("list_instances", realm_id=realm)))
            assert id in found
            assert not found & (set(made.values()) - {id}), f"{filter_} by {realm} has instances of another realm"


def _parameters(cloud: Cloud, feature: Feature) -> dict[str, Any]:
    """Return parameters to try a feature with: the author's, else made up."""
    given = cloud.feature_values(feature.name)
    return given if given is not None else {each.name: _made_up(cloud, feature, each) for each in feature.parameters}


def _made_up(cloud: Cloud, feature: Feature, parameter: catalogue.Parameter) -> Any:
    text = f"conformance-{secrets.token_hex(6)}"
    if parameter.name == "keyname":
        return cloud.any_id("key")
    if parameter.name == "firewalls":
        return [cloud.any_id("firewall")]
    if parameter.name in {"load_balancer_id", "snapshot_id", "public_key", "location", "device_name", "user_iso"}:
        return cloud.not_proved(f"Subject.features has no {feature.name}")
    if parameter.type == "base64":
        return base64.b64encode(text.encode()).decode()
    if parameter.type == "files":
        return [{"path": f"/etc/{text}", "content": base64.b64encode(text.encode()).decode()}]
    return text


def _on_record(name: str, value: Any) -> bool:
    """Say whether records have a place for a parameter's value."""
    return name in {"name", "description", "keyname", "firewalls"} and value is not None


def _told(record: Record, name: str) -> Any:
    if name == "keyname":
        authentication = record.authentication if isinstance(record, Instance) else None
        return authentication and authentication.id
    return getattr(record, name, None)


def _wait_until_told(cloud: Cloud, singular: str, made: Record, parameters: dict[str, Any]) -> None:
    end = time.monotonic() + cloud.subject.settle_s
    got = cloud.call(f"get_{singular}", id=made.id)
    while missing := {name: value for name, value in parameters.items() if not _is_told(_told(got, name), value)}:
        told = {name: _told(got, name) for name in missing}
        assert time.monotonic() < end, f"{sorted(missing)} was given, and the record has {told}"
        time.sleep(POLL_S)
        got = cloud.call(f"get_{singular}", id=made.id)


def _is_told(told: Any, value: Any) -> bool:
    return set(value) <= set(told or ()) if isinstance(value, list) else bool(told == value)


def _holds(seen: Any, value: Any) -> bool:
    """Say whether what a back end tells contains a value, plain or as its base64."""
    if isinstance(value, list):
        return all(_holds(seen, each) for each in value)
    if isinstance(value, dict):
        return all(_holds(seen, each) for each in value.values())
    text = repr(seen)
    decoded = _decoded(value)
    return str(value) in text or (decoded is not None and decoded in text)


def _decoded(value: Any) -> str | None:
    try:
        return base64.b64decode(str(value), validate=True).decode()
    except ValueError:
        return None
