"""A cloud that is a few records in memory, and remembers how it was called."""

from typing import Any, ClassVar

import msgspec

from deltacloud.drivers import AUTO, ComputeDriver, Session, StateMachine
from deltacloud.errors import AuthenticationFailed, DeltacloudError, NotFound
from deltacloud.models import (
    Address,
    CredentialLabels,
    FeatureDeclaration,
    Firewall,
    Instance,
    Key,
    ProviderInfo,
    Realm,
)

USER, PASSWORD = "alice", "correct horse"


class Seen(msgspec.Struct, frozen=True):
    """A call as the driver saw it."""

    method: str
    parameters: dict[str, Any]
    session: Session


class TinyCloud(ComputeDriver):
    """`fails` is raised by every operation, if it is set. `realms` are as public as its profiles are."""

    id = "tiny"
    title = "Tiny Cloud"
    any_provider = True
    credentials = CredentialLabels(username="Account", password="Token")
    features: ClassVar[tuple[FeatureDeclaration, ...]] = (
        FeatureDeclaration(name="user_name", collection="instances", constraints={"max_length": "20"}),
        FeatureDeclaration(name="authentication_key", collection="instances"),
    )
    providers: ClassVar[tuple[ProviderInfo, ...]] = (
        ProviderInfo(id="east", entrypoints={"compute": "compute.east.example"}),
    )
    anonymous_operations = frozenset({"list_realms"})
    states = StateMachine(
        {
            "start": [("create", "running")],
            "running": [("stop", "stopped")],
            "stopped": [("destroy", "finish"), (AUTO, "finish")],
            "finish": [],
        }
    )

    def __init__(self) -> None:
        self.instances: dict[str, Instance] = {
            "i1": Instance(id="i1", name="one", state="RUNNING", actions=("stop",), realm_id="r1", image_id="m1")
        }
        self.seen: list[Seen] = []
        self.fails: DeltacloudError | None = None

    def check_credentials(self, session: Session) -> None:
        self._note("check_credentials", session)

    def list_providers(self, session: Session) -> list[ProviderInfo]:
        self._note("list_providers", session)
        return [ProviderInfo(id="live", entrypoints={"compute": "live.example"})]

    def list_realms(self, session: Session) -> list[Realm]:
        self.seen.append(Seen("list_realms", {}, session))
        return [Realm(id="r1", name="Room 1"), Realm(id="r2", name="Room <2>", limit="12 ]]> servers")]

    def list_instances(self, session: Session, state: str | None = None) -> list[Instance]:
        self._note("list_instances", session, state=state)
        return [each for each in self.instances.values() if state in {None, each.state}]

    def get_instance(self, session: Session, id: str) -> Instance:
        self._note("get_instance", session, id=id)
        return self._find(id)

    def create_instance(  # noqa: PLR0917 - as many as the API gives it
        self,
        session: Session,
        image_id: str,
        name: str | None = None,
        firewalls: list[str] | None = None,
        user_files: list[dict[str, str]] | None = None,
        password: str | None = None,
        instance_count: int | None = None,
    ) -> Instance | list[Instance]:
        self._note(
            "create_instance", session, image_id=image_id, name=name, firewalls=firewalls, user_files=user_files,
            password=password, instance_count=instance_count,
        )  # fmt: skip
        made = [Instance(id=f"new{number}", name=name, image_id=image_id) for number in range(instance_count or 1)]
        self.instances.update({each.id: each for each in made})
        return made if instance_count else made[0]

    def stop_instance(self, session: Session, id: str) -> Instance:
        self._note("stop_instance", session, id=id)
        self.require_action("stop", self._find(id))
        self.instances[id] = msgspec.structs.replace(self.instances[id], state="STOPPED", actions=("destroy",))
        return self.instances[id]

    def destroy_instance(self, session: Session, id: str) -> None:
        self._note("destroy_instance", session, id=id)
        self.require_action("destroy", self._find(id))
        del self.instances[id]

    def create_key(self, session: Session, name: str) -> Key:
        self._note("create_key", session, name=name)
        return Key(id=name, fingerprint="aa:bb", pem="-----BEGIN KEY-----")

    def create_address(self, session: Session) -> Address:
        self._note("create_address", session)
        return Address(id="203.0.113.9")

    def associate_address(self, session: Session, id: str, instance_id: str) -> None:
        self._note("associate_address", session, id=id, instance_id=instance_id)

    def create_firewall_rule(  # noqa: PLR0917 - as many as the API gives it
        self,
        session: Session,
        id: str,
        protocol: str,
        port_from: int,
        port_to: int,
        ip_addresses: list[str] | None = None,
        groups: dict[str, str] | None = None,
    ) -> Firewall:
        self._note(
            "create_firewall_rule", session, id=id, protocol=protocol, port_from=port_from, port_to=port_to,
            ip_addresses=ip_addresses, groups=groups,
        )  # fmt: skip
        return Firewall(id=id, name=id)

    def destroy_firewall_rule(self, session: Session, id: str, rule_id: str) -> None:
        self._note("destroy_firewall_rule", session, id=id, rule_id=rule_id)

    def last(self) -> Seen:
        """Return the latest call."""
        return self.seen[-1]

    def _note(self, method: str, session: Session, **parameters: Any) -> None:
        self.seen.append(Seen(method, parameters, session))
        if session.credentials.user != USER or session.credentials.password != PASSWORD:
            raise AuthenticationFailed("The account or the token is wrong.")
        if self.fails is not None:
            raise self.fails

    def _find(self, id: str) -> Instance:
        if id not in self.instances:
            raise NotFound(f"There is no instance '{id}'.")
        return self.instances[id]
