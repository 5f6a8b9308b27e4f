"""The driver: it knows its cloud and nothing of HTTP, AMQP or XML."""

from __future__ import annotations

from collections.abc import Iterable

from deltacloud.drivers import ComputeDriver, Session, StateMachine
from deltacloud.errors import AuthenticationFailed, NotFound
from deltacloud.models import CredentialLabels, Instance, ProviderInfo, Realm

MACHINES = {name: Instance(id=name, name=name.title(), realm_id="garage", state="STOPPED") for name in ("one", "two")}


class AcmeDriver(ComputeDriver):
    """Two parked machines in one garage."""

    id = "acme"
    title = "Acme Cloud"
    credentials = CredentialLabels(username="Member", password="Badge")
    providers = (ProviderInfo(id="desert"), ProviderInfo(id="coast"))
    default_provider = "desert"
    states = StateMachine({"start": [("create", "stopped")], "stopped": [], "finish": []})

    def list_realms(self, session: Session) -> Iterable[Realm]:
        """List the one garage, named after the provider."""
        self._admit(session)
        return [Realm(id="garage", name=f"Garage at the {session.provider.name}")]

    def list_instances(self, session: Session) -> Iterable[Instance]:
        """List the machines."""
        self._admit(session)
        return MACHINES.values()

    def get_instance(self, session: Session, id: str) -> Instance:
        """Return a machine. Raises not_found."""
        self._admit(session)
        if id not in MACHINES:
            raise NotFound(f"Acme has no machine '{id}'.")
        return MACHINES[id]

    def _admit(self, session: Session) -> None:
        if session.credentials.password != "beep":
            raise AuthenticationFailed("Acme does not know this badge.")
