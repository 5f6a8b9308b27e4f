"""What a driver is, and what it is given."""

from deltacloud.drivers.base import ComputeDriver, Driver, ServesBytes, StorageDriver
from deltacloud.drivers.session import Credentials, ProviderTarget, Session, SessionCache
from deltacloud.drivers.states import AUTO, StateMachine

__all__ = [
    "AUTO",
    "ComputeDriver",
    "Credentials",
    "Driver",
    "ProviderTarget",
    "ServesBytes",
    "Session",
    "SessionCache",
    "StateMachine",
    "StorageDriver",
]
