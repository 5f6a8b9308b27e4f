"""How the API's own things look: the entry point, drivers, instance states, errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deltacloud import catalogue
from deltacloud.catalogue import API_VERSION, Collection, Feature, Parameter
from deltacloud.errors import DeltacloudError
from deltacloud.models import DriverInfo, InstanceState, ProviderInfo
from deltacloud_gateway.representations import graph, xml
from deltacloud_gateway.representations.documents import Document, Page
from deltacloud_gateway.representations.shape import View
from deltacloud_gateway.representations.xml import Element

DEFAULT_PROVIDER = "default"
"""What stands for the provider in error bodies and JSON when none is set."""

EXCEPTIONS = "Deltacloud::Exceptions::"


def supported(driver: DriverInfo) -> list[Collection]:
    """Return the collections that the driver has, in the order of the entry point."""
    return [each for each in catalogue.COLLECTIONS if _has(driver, each)]


def _has(driver: DriverInfo, collection: Collection) -> bool:
    index = collection.entry_operation
    if index is None:
        return False
    if collection.name == "instance_states":
        return bool(driver.states)
    return collection.service == "gateway" or index.rpc in driver.operations


def advertised(driver: DriverInfo, collection: Collection) -> list[tuple[Feature, Mapping[str, str]]]:
    """Return the features of a collection that the driver has, in the catalogue's order, with its constraints."""
    declared = {each.name: each.constraints for each in driver.features if each.collection == collection.name}
    return [
        (feature, declared[feature.name])
        for feature in collection.features
        if feature.name in declared and feature.operation is not None
    ]


def wire_type(parameter: Parameter) -> str:
    """Return the parameter's type in the words of the original, which knew two."""
    return "hash" if parameter.type == "binary" else "string"


def signature(parameter: Parameter) -> str:
    """Return ``name:type:required`` or ``name:type:optional``."""
    return f"{parameter.name}:{wire_type(parameter)}:{'required' if parameter.required else 'optional'}"


def entry(view: View, provider: str | None, choices: Mapping[str, Any]) -> Document:
    """Return the entry point; ``choices`` are the drivers and providers that its page lets one choose."""
    collections = supported(view.driver)
    attributes = {"driver": view.driver.id, "provider": provider, "version": API_VERSION}
    return Document(
        xml=lambda: xml.document(
            Element("api", attributes, children=[_entry_link(each, view) for each in collections], layout="block"),
            prolog=False,
        ),
        json=lambda: {
            "api": {
                "version": API_VERSION,
                "driver": view.driver.id,
                "provider": provider or DEFAULT_PROVIDER,
                "links": [_entry_object(each, view) for each in collections],
            }
        },
        page=lambda: Page("entry.html", "Deltacloud", {"collections": collections, **choices}),
    )


def _entry_link(collection: Collection, view: View) -> Element:
    features = [
        Element(
            "feature",
            {"name": feature.name, "rel": feature.operation},
            children=[
                *(Element("param", {"name": each.name}, layout="void") for each in feature.parameters),
                *(Element("constraint", {"name": name}, text=value) for name, value in constraints.items()),
            ],
        )
        for feature, constraints in advertised(view.driver, collection)
    ]
    attributes = {"href": view.url(collection.name), "rel": collection.name}
    return Element("link", attributes, children=features, layout="block")


def _entry_object(collection: Collection, view: View) -> dict[str, Any]:
    features = [
        [
            {
                "name": feature.name,
                "rel": feature.operation,
                "params": [signature(each) for each in feature.parameters],
                "constraints": {name: int(v) if v.isdecimal() else v for name, v in constraints.items()},
            }
        ]
        for feature, constraints in advertised(view.driver, collection)
    ]
    return {"rel": collection.name, "href": view.url(collection.name), "features": features}


def drivers(known: Sequence[DriverInfo], view: View) -> Document:
    """Return the list of drivers; its JSON has no wrapper."""
    return Document(
        xml=lambda: xml.document(
            Element("drivers", children=[_driver(each, view, in_full=False) for each in known], layout="block"),
            prolog=False,
        ),
        json=lambda: {each.id: _driver_object(each) for each in known},
        page=lambda: Page("drivers.html", "Drivers", {"drivers": known}),
    )


def driver(info: DriverInfo, view: View) -> Document:
    """Return one driver with the addresses of its providers."""
    return Document(
        xml=lambda: xml.document(_driver(info, view, in_full=True), prolog=False),
        json=lambda: {"driver": {**_driver_object(info), "id": info.id}},
        page=lambda: Page("driver.html", info.name, {"shown": info}),
    )


def _driver(info: DriverInfo, view: View, *, in_full: bool) -> Element:
    providers = [_provider(each, in_full=in_full) for each in info.providers]
    attributes = {"href": view.url("drivers", info.id), "id": info.id}
    return Element("driver", attributes, children=[Element("name", text=info.name), *providers])


def _provider(info: ProviderInfo, *, in_full: bool) -> Element:
    entrypoints = [
        Element("entrypoint", {"kind": kind}, text=address, cdata=True) for kind, address in info.entrypoints.items()
    ]
    return Element("provider", {"id": info.id}, children=entrypoints if in_full else [])


def _driver_object(info: DriverInfo) -> dict[str, Any]:
    entrypoints: dict[str, dict[str, str]] = {}
    for provider in info.providers:
        for kind, address in provider.entrypoints.items():
            entrypoints.setdefault(kind, {})[provider.id] = address
    labels = info.credentials
    found: dict[str, Any] = {} if labels is None else {"username": labels.username, "password": labels.password}
    if entrypoints:
        found["entrypoints"] = entrypoints
    return {**found, "name": info.name}


def instance_states(states: Sequence[InstanceState]) -> Document:
    """Return the state machine; its JSON is a bare list, and a graph of it can be had too."""
    return Document(
        xml=lambda: xml.document(
            Element("states", children=[_state(each) for each in states], layout="block"), prolog=False
        ),
        json=lambda: [
            {
                "name": each.name,
                "transitions": [
                    {"to": way.to, "action": way.action} if way.action else {"to": way.to, "auto": "true"}
                    for way in each.transitions
                ],
            }
            for each in states
        ],
        page=lambda: Page("states.html", "Instance states", {"states": states}),
        others={"gv": lambda: graph.source(states).encode()},
    )


def _state(state: InstanceState) -> Element:
    ways = [
        Element("transition", {"action": way.action, "auto": None if way.action else "true", "to": way.to})
        for way in state.transitions
    ]
    return Element("state", {"name": state.name}, children=ways, layout="block")


def error(
    problem: DeltacloudError, *, path: str, driver_id: str, provider: str | None, given: Mapping[str, str]
) -> Document:
    """Return an error's body.

    Args:
        problem: the error.
        path: the request's path, without query and matrix parameters.
        driver_id: the current driver.
        provider: the current provider.
        given: the caller's own parameters as texts, secrets already taken out.
    """
    status = problem.http_status
    return Document(
        xml=lambda: xml.document(
            Element(
                "error",
                {"status": status, "url": path},
                children=[
                    Element("backend", {"driver": driver_id, "provider": provider or DEFAULT_PROVIDER}),
                    Element("code", text=status),
                    Element("message", text=problem.message, cdata=True),
                    Element("backtrace", text="", cdata=True, layout="block"),
                    Element(
                        "request",
                        children=[
                            Element("param", {"name": name}, text=f'"{value}"', cdata=True)
                            for name, value in given.items()
                        ],
                        layout="block",
                    ),
                ],
            ),
            prolog=True,
        ),
        json=lambda: {
            "code": status,
            "message": problem.message,
            "error": EXCEPTIONS + problem.original,
            "reason": problem.code,
            "driver": driver_id,
            "provider": provider or DEFAULT_PROVIDER,
        },
        page=lambda: Page("error.html", f"{status}", {"problem": problem, "status": status, "given": given}),
    )
