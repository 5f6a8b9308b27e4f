"""A simulated EC2 as it was at its start, and the vendor's client of it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import pytest

from simulators.ec2 import DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY
from simulators.ec2.vendor import make_client, unknown_elements
from simulators.process import Running, start

TEMPORARY = ("ASIASIMULATED0000002", "temporary-secret", "session-token")


@pytest.fixture(scope="session")
def temporary() -> tuple[str, str, str]:
    return TEMPORARY


@pytest.fixture(scope="session")
def process() -> Iterator[Running]:
    keys = [f"{DEFAULT_ACCESS_KEY}:{DEFAULT_SECRET_KEY}", ":".join(TEMPORARY)]
    options = [option for key in keys for option in ("--key", key)]
    with start("ec2", "--boot-seconds", "0.1", *options) as running:
        yield running


@pytest.fixture
def simulator(process: Running) -> Running:
    process.control.reset()
    return process


@pytest.fixture(scope="session")
def watched(process: Running) -> tuple[Any, list[str]]:
    """A client, and the elements of the answers to it that its vendor's model of the API does not know."""
    client = make_client(process.url)
    strange: list[str] = []

    def examine(response_dict: dict[str, Any], operation_model: Any, **_: object) -> None:
        if response_dict["status_code"] == 200 and operation_model.output_shape is not None:
            root = ET.fromstring(response_dict["body"])  # noqa: S314 - our own document
            strange.extend(unknown_elements(root, operation_model.output_shape, operation_model.name))

    client.meta.events.register("before-parse.ec2", examine)
    return client, strange


@pytest.fixture
def ec2(simulator: Running, watched: tuple[Any, list[str]]) -> Iterator[Any]:
    client, strange = watched
    strange.clear()
    yield client
    assert strange == []
