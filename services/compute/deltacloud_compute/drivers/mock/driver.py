"""The mock driver: a whole cloud in one folder, with the data and the habits of the original's mock driver."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from deltacloud.drivers import AUTO, Session, StateMachine
from deltacloud.drivers.mockcloud import MockCloud, mocked
from deltacloud.models import FeatureDeclaration
from deltacloud_compute.drivers.mock.addresses import AddressOperations
from deltacloud_compute.drivers.mock.images import ImageOperations
from deltacloud_compute.drivers.mock.instances import InstanceOperations
from deltacloud_compute.drivers.mock.keys import KeyOperations
from deltacloud_compute.drivers.mock.metrics import MetricOperations
from deltacloud_compute.drivers.mock.networks import NetworkOperations
from deltacloud_compute.drivers.mock.realms import RealmOperations
from deltacloud_compute.drivers.mock.volumes import VolumeOperations


@mocked
class MockDriver(
    AddressOperations,
    ImageOperations,
    InstanceOperations,
    KeyOperations,
    MetricOperations,
    NetworkOperations,
    RealmOperations,
    VolumeOperations,
):
    """All collections of the original's mock driver; providers are taken as they are and change nothing.

    Args:
        folder: the mock cloud's folder; without one, see :class:`~deltacloud.drivers.mockcloud.MockCloud`.

    Raises:
        BrokenDriver: the faults that were asked for cannot be understood.
    """

    id = "mock"
    title = "Mock"
    any_provider = True
    features: ClassVar[tuple[FeatureDeclaration, ...]] = tuple(
        FeatureDeclaration(name=name, collection="instances")
        for name in ("metrics", "realm_filter", "user_name", "authentication_key")
    )
    anonymous_operations = frozenset({"list_hardware_profiles", "get_hardware_profile"})
    provable_operations = frozenset(
        {
            "create_address",
            "create_image",
            "create_instance",
            "create_key",
            "create_network",
            "create_network_interface",
            "create_storage_snapshot",
            "create_storage_volume",
            "create_subnet",
        }
    )
    states = StateMachine(
        {
            "start": [("create", "pending")],
            "pending": [(AUTO, "running")],
            "running": [("reboot", "running"), ("stop", "stopped")],
            "stopped": [("start", "running"), ("destroy", "finish")],
            "finish": [],
        }
    )

    def __init__(self, folder: Path | None = None) -> None:
        self.cloud = MockCloud(folder)

    def check_credentials(self, session: Session) -> None:
        """Do nothing: every operation checks the credentials before it runs."""
