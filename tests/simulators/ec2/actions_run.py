"""RunInstances: the one call that makes machines, and makes them once for each client token."""

from __future__ import annotations

import base64

from simulators.ec2.actions import (
    GROUP_ID,
    IMAGE_ID,
    SNAPSHOT_ID,
    SUBNET_ID,
    TAG_PARAMETERS,
    Action,
    by_ids,
    tags_for,
)
from simulators.ec2.actions_access import group_named
from simulators.ec2.actions_instances import reservation_fields
from simulators.ec2.document import Fields
from simulators.ec2.errors import ApiError, invalid_combination, invalid_value
from simulators.ec2.hardware import HARDWARE, Hardware
from simulators.ec2.parameters import Parameters
from simulators.ec2.records import Device, Group, Image, Launch, Subnet
from simulators.ec2.state import Region

MAX_TOKEN = 64
MAX_USER_DATA = 16_384
DEFAULT_TYPE = "m1.small"
TAGGABLE = frozenset({"instance", "volume", "network-interface", "spot-instances-request"})


def run_instances(region: Region, parameters: Parameters) -> Fields:
    """Make machines, or give those an earlier call with this client token and these parameters made."""
    token = parameters.text("ClientToken") or ""
    if len(token) > MAX_TOKEN or not token.isascii():
        raise invalid_value("The client token must be at most 64 ASCII characters long")
    asked = {name: value for name, value in parameters.values.items() if name != "ClientToken"}
    if token in region.tokens:
        asked_before, reservation = region.tokens[token]
        if asked != asked_before:
            raise ApiError(
                "IdempotentParameterMismatch",
                "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
            )
        return reservation_fields(reservation)
    how_many = _count(region, parameters)
    reservation = region.launch(_launch(region, parameters, token), how_many)
    if token:
        region.tokens[token] = (asked, reservation)
    return reservation_fields(reservation)


def _count(region: Region, parameters: Parameters) -> int:
    least, most = parameters.integer("MinCount") or 0, parameters.integer("MaxCount") or 0
    if least < 1 or most < 1:
        raise invalid_value("Value for parameter minCount and maxCount is invalid. Expected a positive number")
    if least > most:
        raise invalid_combination(f"The parameter minCount ({least}) is larger than maxCount ({most})")
    room = region.settings.instance_limit - region.live_count()
    if least > room:
        raise ApiError(
            "InstanceLimitExceeded",
            f"You have requested more instances ({least}) than your current instance limit of "
            f"{region.settings.instance_limit} allows for the specified instance type.",
        )
    return min(most, room)


def _launch(region: Region, parameters: Parameters, token: str) -> Launch:
    image = by_ids(IMAGE_ID, [parameters.demanded("ImageId")], region.images)[0]
    subnet = _subnet(region, parameters)
    return Launch(
        image=image,
        hardware=_hardware(parameters, image),
        subnet=subnet,
        groups=_groups(region, parameters),
        key_name=_key_name(region, parameters),
        user_data=_user_data(parameters),
        is_monitored=parameters.flag("Monitoring.Enabled"),
        client_token=token,
        tags=tags_for("instance", parameters, TAGGABLE),
        devices=tuple(_device(region, one) for one in parameters.structures("BlockDeviceMapping")),
    )


def _hardware(parameters: Parameters, image: Image) -> Hardware:
    name = parameters.text("InstanceType") or DEFAULT_TYPE
    if name not in HARDWARE:
        raise invalid_value(f"Invalid value '{name}' for InstanceType.")
    hardware = HARDWARE[name]
    if image.kind != "machine":
        raise invalid_value(f"The image '{image.id}' is a {image.kind}, not a machine")
    if image.architecture not in hardware.architectures:
        raise invalid_value(
            f"The architecture '{', '.join(hardware.architectures)}' of the specified instance type does not "
            f"match the architecture '{image.architecture}' of the specified AMI."
        )
    if image.root_device_type not in hardware.root_device_types:
        raise invalid_combination(f"Instances of type '{name}' may not be launched with an instance-store AMI")
    return hardware


def _subnet(region: Region, parameters: Parameters) -> Subnet:
    zone, subnet_id = parameters.text("Placement.AvailabilityZone"), parameters.text("SubnetId")
    if zone and zone not in {one.name for one in region.zones}:
        raise invalid_value(f"Invalid availability zone: [{zone}]")
    subnets = by_ids(SUBNET_ID, [subnet_id], region.subnets) if subnet_id else list(region.subnets.values())
    fitting = [subnet for subnet in subnets if zone in {None, "", subnet.zone.name}]
    if fitting:
        return fitting[0]
    if subnet_id:
        raise invalid_combination(f"The subnet '{subnet_id}' is not in the availability zone '{zone}'")
    raise ApiError("MissingInput", f"No default subnet for availability zone: '{zone}'.")


def _groups(region: Region, parameters: Parameters) -> tuple[Group, ...]:
    names, ids = parameters.strings("SecurityGroup"), parameters.strings("SecurityGroupId")
    if names and parameters.text("SubnetId"):
        raise invalid_combination("The parameter groupName cannot be used with the parameter subnet")
    groups = by_ids(GROUP_ID, ids, region.groups) + [group_named(region, name) for name in names]
    unique = {group.id: group for group in groups}
    return tuple(unique.values()) or (region.default_group,)


def _key_name(region: Region, parameters: Parameters) -> str | None:
    name = parameters.text("KeyName")
    if name and name not in region.keys:
        raise ApiError("InvalidKeyPair.NotFound", f"The key pair '{name}' does not exist")
    return name or None


def _user_data(parameters: Parameters) -> bytes:
    try:
        data = base64.b64decode(parameters.text("UserData") or "", validate=True)
    except ValueError:
        raise invalid_value("Invalid BASE64 encoding of user data") from None
    if len(data) > MAX_USER_DATA:
        raise invalid_value("User data is limited to 16384 bytes")
    return data


def _device(region: Region, parameters: Parameters) -> Device:
    name = parameters.demanded("DeviceName")
    snapshot_id, size = parameters.text("Ebs.SnapshotId"), parameters.integer("Ebs.VolumeSize")
    if snapshot_id is None and size is None:
        raise ApiError("MissingParameter", f"The device '{name}' needs a snapshot or a volume size")
    least = by_ids(SNAPSHOT_ID, [snapshot_id], region.snapshots)[0].size_gb if snapshot_id else 1
    if size is not None and size < least:
        raise ApiError(
            "InvalidBlockDeviceMapping", f"Volume of size {size}GB is smaller than snapshot, expect size >= {least}GB"
        )
    return Device(
        name=name,
        size_gb=size or least,
        snapshot_id=snapshot_id,
        is_deleted_on_termination=parameters.flag("Ebs.DeleteOnTermination", default=True),
    )


ACTIONS = {
    "RunInstances": Action(
        run=run_instances,
        accepts=(
            "ImageId",
            "MinCount",
            "MaxCount",
            "InstanceType",
            "KeyName",
            "SecurityGroup.N",
            "SecurityGroupId.N",
            "UserData",
            "Placement.AvailabilityZone",
            "SubnetId",
            "BlockDeviceMapping.N.DeviceName",
            "BlockDeviceMapping.N.Ebs.SnapshotId",
            "BlockDeviceMapping.N.Ebs.VolumeSize",
            "BlockDeviceMapping.N.Ebs.VolumeType",
            "BlockDeviceMapping.N.Ebs.DeleteOnTermination",
            "Monitoring.Enabled",
            "ClientToken",
            *TAG_PARAMETERS,
        ),
        requires=("ImageId", "MinCount", "MaxCount"),
    ),
}
