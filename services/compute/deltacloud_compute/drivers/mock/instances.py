"""Instances."""

from __future__ import annotations

import time

import msgspec

from deltacloud.drivers import Session
from deltacloud.drivers.mockcloud import Changes
from deltacloud.models import Authentication, CommandOutput, Instance, NetworkInterface
from deltacloud_compute.drivers.mock import convert
from deltacloud_compute.drivers.mock.base import MockOperations, is_gone
from deltacloud_compute.drivers.mock.errors import no_such_profile
from deltacloud_compute.drivers.mock.realms import PROFILES, REALMS

DEFAULT_PROFILE = PROFILES[0].id
DEFAULT_REALM = REALMS[0].id


class InstanceOperations(MockOperations):
    """Instances. They change state at once: nobody ever sees one pending or stopping."""

    def list_instances(self, session: Session) -> list[Instance]:
        """Return the caller's instances."""
        owner = session.credentials.user
        with self.cloud.read() as records:
            instances = records.all(Instance)
        return [convert.offered(each, self.states) for each in instances if each.owner_id == owner]

    def get_instance(self, session: Session, id: str) -> Instance:
        """Return an instance, whoever owns it. Raises not_found."""
        with self.cloud.read() as records:
            return convert.offered(records.get(Instance, id), self.states)

    def create_instance(
        self,
        session: Session,
        *,
        image_id: str,
        realm_id: str | None = None,
        hwp_id: str | None = None,
        keyname: str | None = None,
        name: str | None = None,
        hwp_memory: str | None = None,
        hwp_cpu: str | None = None,
        hwp_storage: str | None = None,
        hwp_architecture: str | None = None,
        initial_state: str | None = None,
        metrics: str | None = None,
    ) -> Instance:
        """Make an instance, running unless another initial state is asked for.

        The image, the realm and the key are not looked up, and sizes are taken as given. Metrics may be asked for and
        need not be: every instance has them. Raises invalid_parameters for an unknown hardware profile.
        """
        profile = hwp_id or DEFAULT_PROFILE
        if profile not in {each.id for each in PROFILES}:
            raise no_such_profile(profile)
        sizes = {"memory": hwp_memory, "storage": hwp_storage, "architecture": hwp_architecture, "cpu": hwp_cpu}
        draft = Instance(
            id="",
            name=name,
            owner_id=session.credentials.user,
            image_id=image_id,
            realm_id=DEFAULT_REALM if realm_id is None else realm_id,
            hardware_profile_id=profile,
            hardware_overrides={name: size for name, size in sizes.items() if size is not None},
            state=convert.INITIAL_STATES.get(initial_state or "", initial_state or ""),
            can_create_image=True,
            authentication=None if keyname is None else Authentication(id=keyname),
        )
        return convert.offered(self.cloud.create(session, draft, _finish), self.states)

    def start_instance(self, session: Session, id: str) -> Instance:
        """Start a stopped instance. Raises not_found, wrong_state."""
        return self._act(session, id, "start", "RUNNING")

    def stop_instance(self, session: Session, id: str) -> Instance:
        """Stop a running instance. Raises not_found, wrong_state."""
        return self._act(session, id, "stop", "STOPPED")

    def reboot_instance(self, session: Session, id: str) -> Instance:
        """Reboot a running instance. Raises not_found, wrong_state."""
        return self._act(session, id, "reboot", "RUNNING")

    def destroy_instance(self, session: Session, id: str) -> None:
        """Destroy a stopped instance and its network interfaces; its volumes and addresses are left as they are.

        Raises not_found, wrong_state.
        """
        with self.cloud.change() as changes:
            if is_gone(changes, session, Instance, id):
                return
            self.require_action("destroy", convert.offered(changes.get(Instance, id), self.states))
            changes.remove(Instance, id)
            for interface in changes.all(NetworkInterface):
                if interface.instance_id == id:
                    changes.remove(NetworkInterface, interface.id)

    def run_instance(self, session: Session, id: str, cmd: str, ip: str | None = None) -> CommandOutput:
        """Pretend to run a command. Raises not_found."""
        instance = self.get_instance(session, id=id)
        addresses = [address.id for address in instance.public_addresses]
        return CommandOutput(
            id=id,
            command=cmd,
            output=f"This is where the output from '{cmd}' would appear if this were not a mock provider",
            public_address=ip or next(iter(addresses), None),
        )

    def _act(self, session: Session, id: str, action: str, state: str) -> Instance:
        with self.cloud.change() as changes:
            instance = changes.get(Instance, id)
            is_done = session.is_redelivered and instance.state == state
            if not is_done:
                self.require_action(action, convert.offered(instance, self.states))
                instance = msgspec.structs.replace(instance, state=state)
                changes.put(instance)
        return convert.offered(instance, self.states)


def _finish(changes: Changes, draft: Instance) -> Instance:
    taken = {each.id for each in changes.all(Instance)}
    named = msgspec.structs.replace(
        draft,
        id=convert.free_instance_id(taken),
        name=f"i-{int(time.time())}" if draft.name is None else draft.name,
    )
    instance = msgspec.structs.replace(
        named,
        public_addresses=convert.host_address(named, "public"),
        private_addresses=convert.host_address(named, "private"),
    )
    changes.put(instance)
    return instance
