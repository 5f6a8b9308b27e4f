"""What a driver says of itself is true as far as the class alone can tell, and what it does not say is refused."""

from __future__ import annotations

import inspect
from collections.abc import Iterable

import msgspec
import pytest

from deltacloud import catalogue
from deltacloud.catalogue import Feature
from deltacloud.drivers import Driver
from deltacloud.drivers.loading import verify
from deltacloud.models import DriverInfo, FeatureDeclaration
from deltacloud.rpc.dispatch import FILTERABLE
from deltacloud.testing.cloud import Cloud
from deltacloud.testing.selection import Suite, applies_to, each, label

ACTIONS = ("start", "stop", "reboot", "destroy")


def feature_of(declared: FeatureDeclaration) -> Feature:
    """Return the catalogue's feature behind a driver's declaration."""
    return next(
        known for known in catalogue.FEATURES if (known.collection, known.name) == (declared.collection, declared.name)
    )


def features(driver: type[Driver]) -> Iterable[FeatureDeclaration]:
    """Return the features a driver declares."""
    return driver.features


def undeclared(driver: type[Driver]) -> list[catalogue.Operation]:
    """Return the operations a driver does not have."""
    known = catalogue.rpc_operations(driver.service)
    return [known[rpc] for rpc in sorted(known.keys() - driver.operations())]


def takes(driver: type[Driver], rpc: str, parameter: str) -> bool:
    """Say whether a driver's method has a use for a parameter."""
    parameters = inspect.signature(getattr(driver, rpc)).parameters.values()
    return any(each.name == parameter or each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters)


class DeclarationChecks(Suite):
    """Declarations."""

    def test_the_driver_fits_the_catalogue(self, cloud: Cloud) -> None:
        """Its methods, features and names are the catalogue's, and what it announces crosses the wire unchanged."""
        assert type(cloud.driver) is self.driver, "Subject.driver is not of the class under test"
        verify(self.driver)
        info = self.driver.info()
        assert msgspec.json.decode(msgspec.json.encode(info), type=DriverInfo) == info
        assert info.operations, "the driver has no operation at all"

    def test_declared_gaps_name_checks_that_exist(self, cloud: Cloud) -> None:
        """``Subject.cannot`` excuses nothing by a name that is misspelt or no longer used."""
        for gap in cloud.subject.cannot:
            name, _, case = gap.partition("[")
            check = getattr(self, f"test_{name}", None)
            assert callable(check), f"Subject.cannot names no check of this driver: {gap}"
            cases = [label(each) for each in getattr(check, "cases", lambda _: ())(self.driver)]
            assert not case or case.removesuffix("]") in cases, f"{gap} is no case; there are {', '.join(cases)}"

    def test_operations_that_are_anonymous_or_provable_exist(self) -> None:
        """Nothing is promised of operations that the driver lacks, and only creates need proof."""
        operations = catalogue.rpc_operations(self.driver.service)
        promised = self.driver.anonymous_operations | self.driver.provable_operations
        assert promised <= self.driver.operations()
        for rpc in self.driver.provable_operations:
            assert operations[rpc].effect in {"create", "other"}, f"{rpc} may be repeated anyway"

    def test_built_in_providers_can_be_chosen(self, cloud: Cloud) -> None:
        """Each provider it lists resolves, and so does its default."""
        for provider in self.driver.providers:
            assert cloud.resolve(cloud.driver, provider.id).name == provider.id
        if self.driver.default_provider is not None:
            assert cloud.resolve(cloud.driver, None).name is not None

    @applies_to(lambda driver: not driver.any_provider)
    def test_an_unknown_provider_is_refused(self, cloud: Cloud) -> None:
        """A provider nobody knows is refused before anything is called."""
        rpc = min(self.driver.operations())
        operation = catalogue.rpc_operations(self.driver.service)[rpc]
        error = cloud.refusal(rpc, provider="nowhere", **cloud.probe(operation))
        assert error.code == "unknown_provider", error

    @each("declared", features)
    @pytest.mark.usefixtures("cloud")
    def test_a_declared_feature_is_taken_by_its_operation(self, declared: FeatureDeclaration) -> None:
        """The operation that a feature extends exists and has a use for the feature's parameters."""
        feature = feature_of(declared)
        if feature.operation is None:
            return
        operation = catalogue.collection(feature.collection).operation(feature.operation)
        assert operation.rpc in self.driver.operations(), f"{declared.name} extends {operation.rpc}, which is missing"
        for parameter in feature.parameters:
            is_applied = operation.is_list and parameter.name in FILTERABLE
            assert is_applied or takes(self.driver, operation.rpc, parameter.name), (
                f"{declared.name} is declared, but {operation.rpc} does not take {parameter.name}"
            )

    @applies_to(lambda driver: driver.states is not None)
    def test_the_state_machine_is_closed_and_its_actions_are_operations(self) -> None:
        """Every way leads to a declared state, every action can be called, every callable action is offered."""
        assert self.driver.states is not None
        states = self.driver.states.states
        names = {state.name for state in states}
        assert "start" in names
        assert {way.to for state in states for way in state.transitions} <= names
        alive = [state for state in states if state.name != "start"]
        offered = {f"{way.action}_instance" for state in alive for way in state.transitions if way.action}
        assert offered <= self.driver.operations(), f"no such operation: {offered - self.driver.operations()}"
        possible = {f"{action}_instance" for action in ACTIONS} & self.driver.operations()
        assert possible <= offered, f"never offered: {possible - offered}"

    @applies_to(undeclared)
    def test_an_operation_it_does_not_have_is_named_as_a_missing_capability(self, cloud: Cloud) -> None:
        """The caller learns which capability the driver lacks."""
        for operation in undeclared(self.driver):
            error = cloud.refusal(operation.rpc, **cloud.probe(operation))
            assert error.code == "capability_missing", error
            assert error.details == {"capability": operation.capability}
