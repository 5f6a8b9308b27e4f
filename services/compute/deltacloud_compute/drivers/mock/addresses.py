"""Addresses."""

from __future__ import annotations

import msgspec

from deltacloud.drivers import Session
from deltacloud.drivers.mockcloud import Changes
from deltacloud.models import Address, Instance, InstanceAddress
from deltacloud_compute.drivers.mock import convert
from deltacloud_compute.drivers.mock.base import MockOperations, is_gone
from deltacloud_compute.drivers.mock.errors import address_in_use, address_not_in_use


class AddressOperations(MockOperations):
    """Public addresses that move between instances."""

    def list_addresses(self, session: Session) -> list[Address]:
        """Return the addresses."""
        with self.cloud.read() as records:
            return records.all(Address)

    def get_address(self, session: Session, id: str) -> Address:
        """Return an address. Raises not_found."""
        with self.cloud.read() as records:
            return records.get(Address, id)

    def create_address(self, session: Session) -> Address:
        """Allocate the address after the highest there is."""
        return self.cloud.create(session, Address(id=""), _finish)

    def destroy_address(self, session: Session, id: str) -> None:
        """Release an address. Raises not_found, and forbidden while an instance has it."""
        with self.cloud.change() as changes:
            if is_gone(changes, session, Address, id):
                return
            address = changes.get(Address, id)
            if address.instance_id is not None:
                raise address_in_use(id, address.instance_id)
            changes.remove(Address, id)

    def associate_address(self, session: Session, id: str, instance_id: str) -> None:
        """Make an address the only public one of an instance. Raises not_found, and forbidden if it is in use."""
        with self.cloud.change() as changes:
            address, instance = changes.get(Address, id), changes.get(Instance, instance_id)
            if session.is_redelivered and address.instance_id == instance_id:
                return
            if address.instance_id is not None:
                raise address_in_use(id, address.instance_id)
            changes.put(msgspec.structs.replace(address, instance_id=instance_id))
            changes.put(msgspec.structs.replace(instance, public_addresses=(InstanceAddress(id=id),)))

    def disassociate_address(self, session: Session, id: str) -> None:
        """Take an address from its instance, which gets a name again. Raises not_found, and forbidden if it is free."""
        with self.cloud.change() as changes:
            address = changes.get(Address, id)
            if address.instance_id is None:
                if session.is_redelivered:
                    return
                raise address_not_in_use(id)
            instance = changes.find(Instance, address.instance_id)
            changes.put(msgspec.structs.replace(address, instance_id=None))
            if instance is not None:
                names = convert.host_address(instance, "public")
                changes.put(msgspec.structs.replace(instance, public_addresses=names))


def _finish(changes: Changes, draft: Address) -> Address:
    taken = [each.id for each in changes.all(Address)]
    address = msgspec.structs.replace(draft, id=convert.next_address(taken))
    changes.put(address)
    return address
