"""What a driver is: a plain class that knows its cloud and nothing of HTTP, AMQP or XML.

A driver implements an operation by having the catalogue's RPC method of that name::

    class Example(ComputeDriver):
        id = "example"
        title = "Example Cloud"

        def list_realms(self, session: Session) -> Iterable[Realm]: ...
        def get_instance(self, session: Session, id: str) -> Instance: ...

Parameters have the API's names; a method takes those it has a use for. List methods return whole lists of records;
filters a method does not take are applied to what it returned. What is not implemented is not advertised.
Loading checks each method against the catalogue (:func:`deltacloud.drivers.loading.verify`).
"""

from __future__ import annotations

from typing import ClassVar, Literal
from wsgiref.types import WSGIApplication

from deltacloud import catalogue
from deltacloud.drivers.session import ProviderTarget
from deltacloud.drivers.states import StateMachine
from deltacloud.models import CredentialLabels, DriverInfo, FeatureDeclaration, Instance, ProviderInfo


class Driver:
    """Base of all drivers; one object serves all calls of a process, from many threads at once.

    ``id`` is the name in ``X-Deltacloud-Driver``; ``title`` what people see. ``features`` are those of the catalogue it
    has. ``providers`` are the built-in ones (regions); ``default_provider`` is used when a caller names none.
    ``any_provider`` takes every name as it is. ``takes_urls`` lets a client name a URL, under the operator's policy.
    ``anonymous_operations`` need no credentials. ``provable_operations`` are the creates that a redelivered call may
    run again, because the cloud or the driver recognises the idempotency key.
    """

    service: ClassVar[Literal["compute", "storage"]]
    id: ClassVar[str]
    title: ClassVar[str]
    credentials: ClassVar[CredentialLabels] = CredentialLabels(username="User name", password="Password")  # noqa: S106
    features: ClassVar[tuple[FeatureDeclaration, ...]] = ()
    providers: ClassVar[tuple[ProviderInfo, ...]] = ()
    default_provider: ClassVar[str | None] = None
    any_provider: ClassVar[bool] = False
    takes_urls: ClassVar[bool] = False
    anonymous_operations: ClassVar[frozenset[str]] = frozenset()
    provable_operations: ClassVar[frozenset[str]] = frozenset()
    states: ClassVar[StateMachine | None] = None

    @classmethod
    def operations(cls) -> frozenset[str]:
        """Return the RPC methods this driver has."""
        return frozenset(name for name in catalogue.rpc_operations(cls.service) if hasattr(cls, name))

    @classmethod
    def info(cls) -> DriverInfo:
        """Return what a worker announces of this driver."""
        return DriverInfo(
            id=cls.id,
            name=cls.title,
            services=(cls.service_name(),),
            operations=cls.operations(),
            features=cls.features,
            states=cls.states.states if cls.states else (),
            credentials=cls.credentials,
            providers=cls.providers,
            default_provider=cls.default_provider,
            lists_providers=hasattr(cls, "list_providers"),
            anonymous_operations=cls.anonymous_operations,
        )

    @classmethod
    def service_name(cls) -> str:
        """Return the RPC service, ``compute.<id>`` or ``storage.<id>``."""
        return f"{cls.service}.{cls.id}"

    def target(self, provider: str) -> ProviderTarget:
        """Read a provider that a client wrote as a URL: its endpoints, not yet checked by the policy.

        Drivers whose provider strings hold more than one URL override this.
        """
        return ProviderTarget(name=provider, endpoint=provider, is_trusted=False)


class ComputeDriver(Driver):
    """Base of drivers for machines and what belongs to them."""

    service = "compute"

    def require_action(self, action: str, instance: Instance) -> None:
        """Do nothing if the instance's present state allows the action.

        Raises:
            WrongState: it does not.
        """
        if self.states is not None:
            self.states.require(action, instance.state, instance.id, instance.actions)


class StorageDriver(Driver):
    """Base of drivers for buckets and blobs."""

    service = "storage"

    def bytes_app(self) -> WSGIApplication | None:
        """Return what serves the bytes of a store that has no HTTP of its own, ``None`` where the store has.

        The host mounts it at :meth:`bytes_path`, and then calls :meth:`bytes_at`.
        """
        return None

    @classmethod
    def bytes_path(cls) -> str:
        """Return the path at which hosts mount :meth:`bytes_app`."""
        return f"/transfers-{cls.id}"

    def bytes_at(self, url: str) -> None:
        """Take the URL of :meth:`bytes_app`, without a trailing slash, as whoever moves bytes reaches it."""
