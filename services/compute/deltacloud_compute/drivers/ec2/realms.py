"""Realms: the zones of a region, and the subnets in them."""

from __future__ import annotations

from typing import Any

from deltacloud.catalogue.check import shown
from deltacloud.drivers import ComputeDriver, Session
from deltacloud.errors import NotFound
from deltacloud.models import Realm
from deltacloud_compute.drivers.ec2 import convert, native


class RealmOperations(ComputeDriver):
    """Realms. A subnet's id is ``ZONE:SUBNET``, as in the original."""

    def list_realms(self, session: Session, id: str | None = None) -> list[Realm]:
        """Return the availability zones, then the subnets. Source: DescribeAvailabilityZones, DescribeSubnets."""
        with native.calling(session) as ec2:
            if id is not None:
                return _named(ec2, id)
            zones = _zones(ec2, zone_type="availability-zone")
            return zones + _subnets(ec2, MaxResults=native.PAGE)

    def get_realm(self, session: Session, id: str) -> Realm:
        """Return a zone, a local one too, or a subnet. Source: DescribeAvailabilityZones or DescribeSubnets.

        Raises:
            NotFound: there is none, or the subnet is in another zone.
        """
        with native.calling(session) as ec2:
            for realm in _named(ec2, id):
                return realm
        raise NotFound(f"There is no realm {shown(id)}.")


def _named(ec2: Any, realm_id: str) -> list[Realm]:
    zone_name, subnet_id = convert.split_realm(realm_id)
    if subnet_id is None:
        return _zones(ec2, zone_name=zone_name)
    return _subnets(ec2, Filters=native.filters(availability_zone=zone_name, subnet_id=subnet_id))


def _zones(ec2: Any, **wanted: str) -> list[Realm]:
    found = native.whole(ec2.describe_availability_zones, "AvailabilityZones", Filters=native.filters(**wanted))
    return sorted((convert.zone(each) for each in found), key=lambda realm: realm.id)


def _subnets(ec2: Any, **parameters: Any) -> list[Realm]:
    found = native.whole(ec2.describe_subnets, "Subnets", **parameters)
    return sorted((convert.subnet(each) for each in found), key=lambda realm: realm.id)
