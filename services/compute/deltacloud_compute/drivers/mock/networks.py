"""Networks, subnets and network interfaces."""

from __future__ import annotations

import random
from typing import TypeVar

import msgspec

from deltacloud.catalogue.check import shown
from deltacloud.drivers import Session
from deltacloud.drivers.mockcloud import Changes, check_name, fresh_id
from deltacloud.errors import Conflict
from deltacloud.models import Instance, Network, NetworkInterface, Subnet
from deltacloud_compute.drivers.mock import convert
from deltacloud_compute.drivers.mock.base import MockOperations, is_gone

R = TypeVar("R", Network, Subnet, NetworkInterface)


class NetworkOperations(MockOperations):
    """Networks, subnets and network interfaces; a name that is given is the id too."""

    def list_networks(self, session: Session) -> list[Network]:
        """Return the networks."""
        with self.cloud.read() as records:
            return records.all(Network)

    def get_network(self, session: Session, id: str) -> Network:
        """Return a network. Raises not_found."""
        with self.cloud.read() as records:
            return records.get(Network, id)

    def create_network(self, session: Session, address_block: str | None = None, name: str | None = None) -> Network:
        """Make a network. Raises invalid_parameters, and conflict if the name is taken."""
        blocks = (convert.address_block(address_block),) if address_block else ()
        draft = Network(id=_chosen(name), address_blocks=blocks)

        def finish(changes: Changes, draft: Network) -> Network:
            return _named(changes, draft, "net_")

        return self.cloud.create(session, draft, finish)

    def destroy_network(self, session: Session, id: str) -> None:
        """Destroy a network and its subnets. Raises not_found."""
        with self.cloud.change() as changes:
            if is_gone(changes, session, Network, id):
                return
            for subnet_id in changes.get(Network, id).subnets:
                changes.remove(Subnet, subnet_id)
            changes.remove(Network, id)

    def list_subnets(self, session: Session) -> list[Subnet]:
        """Return the subnets."""
        with self.cloud.read() as records:
            return records.all(Subnet)

    def get_subnet(self, session: Session, id: str) -> Subnet:
        """Return a subnet. Raises not_found."""
        with self.cloud.read() as records:
            return records.get(Subnet, id)

    def create_subnet(self, session: Session, network_id: str, address_block: str, name: str | None = None) -> Subnet:
        """Make a subnet of a network. Raises not_found, invalid_parameters, and conflict if the name is taken."""
        draft = Subnet(id=_chosen(name), network_id=network_id, address_block=convert.address_block(address_block))

        def finish(changes: Changes, draft: Subnet) -> Subnet:
            network = changes.get(Network, network_id)
            subnet = _named(changes, draft, "subnet_")
            changes.put(msgspec.structs.replace(network, subnets=(*network.subnets, subnet.id)))
            return subnet

        return self.cloud.create(session, draft, finish)

    def destroy_subnet(self, session: Session, id: str) -> None:
        """Destroy a subnet. Raises not_found."""
        with self.cloud.change() as changes:
            if is_gone(changes, session, Subnet, id):
                return
            network = changes.find(Network, changes.get(Subnet, id).network_id or "")
            if network is not None:
                left = tuple(each for each in network.subnets if each != id)
                changes.put(msgspec.structs.replace(network, subnets=left))
            changes.remove(Subnet, id)

    def list_network_interfaces(self, session: Session) -> list[NetworkInterface]:
        """Return the network interfaces."""
        with self.cloud.read() as records:
            return records.all(NetworkInterface)

    def get_network_interface(self, session: Session, id: str) -> NetworkInterface:
        """Return a network interface. Raises not_found."""
        with self.cloud.read() as records:
            return records.get(NetworkInterface, id)

    def create_network_interface(
        self, session: Session, instance: str, network: str, name: str | None = None
    ) -> NetworkInterface:
        """Give an instance a random free address of a subnet, whose id is ``network``.

        Raises not_found, and conflict if the name or all addresses of the subnet are taken.
        """
        draft = NetworkInterface(id=_chosen(name), instance_id=instance, network_id=network)
        return self.cloud.create(session, draft, _finish_interface)

    def destroy_network_interface(self, session: Session, id: str) -> None:
        """Remove a network interface, also from its instance. Raises not_found."""
        with self.cloud.change() as changes:
            if is_gone(changes, session, NetworkInterface, id):
                return
            instance = changes.find(Instance, changes.get(NetworkInterface, id).instance_id or "")
            if instance is not None:
                left = tuple(each for each in instance.network_interfaces or () if each != id)
                changes.put(msgspec.structs.replace(instance, network_interfaces=left))
            changes.remove(NetworkInterface, id)


def _chosen(name: str | None) -> str:
    return check_name(name) if name else ""


def _named(changes: Changes, draft: R, prefix: str) -> R:
    """Store a draft under the name that was given, or one of its own."""
    name = draft.id or fresh_id(changes, type(draft), prefix)
    if changes.find(type(draft), name) is not None:
        raise Conflict(f"The name {shown(name)} is taken.")
    record = msgspec.structs.replace(draft, id=name, name=name)
    changes.put(record)
    return record


def _finish_interface(changes: Changes, draft: NetworkInterface) -> NetworkInterface:
    instance, subnet = changes.get(Instance, draft.instance_id or ""), changes.get(Subnet, draft.network_id or "")
    taken = {each.ip_address for each in changes.all(NetworkInterface) if each.ip_address}
    start = random.getrandbits(64)
    address = convert.free_address(subnet.address_block or "", taken, start)
    interface = _named(changes, msgspec.structs.replace(draft, ip_address=address), "nic_")
    changes.put(
        msgspec.structs.replace(instance, network_interfaces=(*(instance.network_interfaces or ()), interface.id))
    )
    return interface
