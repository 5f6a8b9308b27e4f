"""What a driver is, and what it is given."""

from deltacloud.drivers.base import ComputeDriver, Driver, StorageDriver
from deltacloud.drivers.session import Credentials, ProviderTarget, Session, SessionCache
from deltacloud.drivers.states import AUTO, StateMachine

__all__ = [
    "AUTO",
    "ComputeDriver",
    "Credentials",
    "Driver",
    "ProviderTarget",
    "Session",
    "SessionCache",
    "StateMachine",
    "StorageDriver",
]
