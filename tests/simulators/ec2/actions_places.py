"""Regions, zones, subnets and instance types."""

from __future__ import annotations

from simulators.ec2.actions import LIST_PARAMETERS, SUBNET_ID, Action, by_ids
from simulators.ec2.document import Fields, tag_set
from simulators.ec2.errors import ApiError, invalid_value
from simulators.ec2.filters import FILTER_PARAMETERS, Attribute, select, select_tagged
from simulators.ec2.hardware import HARDWARE, Hardware, hardware_fields
from simulators.ec2.paging import PageRule, page
from simulators.ec2.parameters import Parameters
from simulators.ec2.records import ACCOUNT, Subnet, Zone
from simulators.ec2.state import Region

REGIONS = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
]
REGIONS_NOT_OPTED_IN = ["af-south-1", "ap-east-1", "eu-south-1", "me-south-1"]
MAX_TYPES_BY_NAME = 100


def _opt_in(region: str) -> str:
    return "not-opted-in" if region in REGIONS_NOT_OPTED_IN else "opt-in-not-required"


def _endpoint(region: str) -> str:
    return f"ec2.{region}.amazonaws.com"


REGION_FILTERS: dict[str, Attribute[str]] = {
    "region-name": lambda name: name,
    "opt-in-status": _opt_in,
    "endpoint": _endpoint,
}


def describe_regions(_region: Region, parameters: Parameters) -> Fields:
    """List the regions; those not opted in only on demand."""
    names = parameters.strings("RegionName")
    known = [*REGIONS, *REGIONS_NOT_OPTED_IN]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise invalid_value(f"Invalid region name: [{', '.join(unknown)}]")
    shown = names or (known if parameters.flag("AllRegions") else REGIONS)
    return {
        "regionInfo": [
            {"regionName": name, "regionEndpoint": _endpoint(name), "optInStatus": _opt_in(name)}
            for name in select(shown, parameters, REGION_FILTERS)
        ]
    }


ZONE_FILTERS: dict[str, Attribute[Zone]] = {
    "zone-name": lambda zone: zone.name,
    "zone-id": lambda zone: zone.id,
    "zone-type": lambda zone: zone.kind,
    "region-name": lambda zone: zone.region,
    "state": lambda _: "available",
    "opt-in-status": lambda zone: zone.opt_in,
}


def describe_zones(region: Region, parameters: Parameters) -> Fields:
    """List the zones, local ones among them; those not opted in only on demand."""
    names, ids = parameters.strings("ZoneName"), parameters.strings("ZoneId")
    is_every = parameters.flag("AllAvailabilityZones")
    known = [zone for zone in region.zones if is_every or zone.opt_in != "not-opted-in"]
    zones = [zone for zone in known if (not names or zone.name in names) and (not ids or zone.id in ids)]
    absent = set(names) - {zone.name for zone in zones} | set(ids) - {zone.id for zone in zones}
    if absent:
        raise invalid_value(f"Invalid availability zone: [{', '.join(sorted(absent))}]")
    return {
        "availabilityZoneInfo": [
            {
                "zoneName": zone.name,
                "zoneId": zone.id,
                "zoneType": zone.kind,
                "zoneState": "available",
                "regionName": zone.region,
                "optInStatus": zone.opt_in,
                "groupName": zone.name.removesuffix("a") if zone.kind == "local-zone" else zone.region,
                "networkBorderGroup": zone.region,
                "messageSet": [],
            }
            for zone in select(zones, parameters, ZONE_FILTERS)
        ]
    }


SUBNET_FILTERS: dict[str, Attribute[Subnet]] = {
    "subnet-id": lambda subnet: subnet.id,
    "vpc-id": lambda subnet: subnet.vpc_id,
    "availability-zone": lambda subnet: subnet.zone.name,
    "availability-zone-id": lambda subnet: subnet.zone.id,
    "cidr-block": lambda subnet: subnet.cidr,
    "default-for-az": lambda _: True,
    "state": lambda _: "available",
    "owner-id": lambda _: ACCOUNT,
}
SUBNET_PAGES = PageRule(least=5, most=1000)


def describe_subnets(region: Region, parameters: Parameters) -> Fields:
    """List the subnets."""
    ids = parameters.strings("SubnetId")
    subnets = by_ids(SUBNET_ID, ids, region.subnets) if ids else region.subnets.values()
    chosen = select_tagged(subnets, parameters, SUBNET_FILTERS)
    shown, token = page(chosen, parameters, SUBNET_PAGES, region.limits, ids)
    return {
        "subnetSet": [
            {
                "subnetId": subnet.id,
                "subnetArn": f"arn:aws:ec2:{region.name}:{ACCOUNT}:subnet/{subnet.id}",
                "state": "available",
                "ownerId": ACCOUNT,
                "vpcId": subnet.vpc_id,
                "cidrBlock": subnet.cidr,
                "availableIpAddressCount": 4091,
                "availabilityZone": subnet.zone.name,
                "availabilityZoneId": subnet.zone.id,
                "defaultForAz": True,
                "mapPublicIpOnLaunch": True,
                "tagSet": tag_set(subnet.tags),
            }
            for subnet in shown
        ],
        "nextToken": token,
    }


HARDWARE_FILTERS: dict[str, Attribute[Hardware]] = {
    "instance-type": lambda one: one.name,
    "current-generation": lambda one: one.is_current,
    "bare-metal": lambda _: False,
    "burstable-performance-supported": lambda one: one.is_burstable,
    "free-tier-eligible": lambda one: one.name in {"t2.micro", "t3.micro"},
    "instance-storage-supported": lambda one: one.disk_gb > 0,
    "processor-info.supported-architecture": lambda one: list(one.architectures),
    "supported-root-device-type": lambda one: one.root_device_types,
    "vcpu-info.default-vcpus": lambda one: str(one.vcpus),
    "memory-info.size-in-mib": lambda one: str(one.memory_mib),
}
# The service pages this list whether asked to or not.
HARDWARE_PAGES = PageRule(least=5, most=100, default=100, refuses_ids=False)


def describe_instance_types(region: Region, parameters: Parameters) -> Fields:
    """List the instance types, at most 100 at once."""
    names = parameters.strings("InstanceType")
    if len(names) > MAX_TYPES_BY_NAME:
        raise invalid_value("At most 100 instance types can be asked for by name")
    unknown = [name for name in names if name not in HARDWARE]
    if unknown:
        raise ApiError(
            "InvalidInstanceType", f"The following supplied instance types do not exist: [{', '.join(unknown)}]"
        )
    types = [HARDWARE[name] for name in names] or list(HARDWARE.values())
    chosen = select(types, parameters, HARDWARE_FILTERS)
    shown, token = page(chosen, parameters, HARDWARE_PAGES, region.limits, names)
    return {"instanceTypeSet": [hardware_fields(one) for one in shown], "nextToken": token}


ACTIONS = {
    "DescribeRegions": Action(run=describe_regions, accepts=("RegionName.N", "AllRegions", *FILTER_PARAMETERS)),
    "DescribeAvailabilityZones": Action(
        run=describe_zones,
        accepts=("ZoneName.N", "ZoneId.N", "AllAvailabilityZones", *FILTER_PARAMETERS),
    ),
    "DescribeSubnets": Action(run=describe_subnets, accepts=("SubnetId.N", *LIST_PARAMETERS)),
    "DescribeInstanceTypes": Action(run=describe_instance_types, accepts=("InstanceType.N", *LIST_PARAMETERS)),
}
