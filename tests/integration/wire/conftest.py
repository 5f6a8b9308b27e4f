"""What the tests of the contract share: a virtual host for a module, and a fleet on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.broker import Broker
from harness.fleet import Fleet, Http


@pytest.fixture(scope="module")
def broker_url(broker: Broker) -> Iterator[str]:
    """The AMQP URL of a virtual host that a module's tests share."""
    with broker.new_vhost() as vhost:
        yield broker.url(vhost)


@pytest.fixture(autouse=True)
def no_faults(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave the module's mock cloud in order."""
    fleet = request.getfixturevalue("fleet") if "fleet" in request.fixturenames else None
    yield
    if fleet is not None:
        fleet.faults("")


@pytest.fixture
def http(fleet: Fleet) -> Iterator[Http]:
    """A caller of the fleet's gateway, which is its first member."""
    caller = Http(fleet.members[0].url)
    yield caller
    caller.close()
