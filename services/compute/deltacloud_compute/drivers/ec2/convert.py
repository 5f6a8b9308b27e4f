"""EC2's words as our records, and our parameters as EC2's. Pure functions."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from deltacloud.catalogue.check import shown
from deltacloud.errors import InvalidParameters
from deltacloud.models import (
    Authentication,
    HardwareProfile,
    Image,
    Instance,
    InstanceAddress,
    Key,
    ProviderInfo,
    Realm,
    VolumeMount,
)
from deltacloud_compute.drivers.ec2 import sizes, states

Native = Mapping[str, Any]

_TOKEN = re.compile(r"[A-Za-z0-9._-]{1,64}")
_GROUP_ID = "sg-"
_PERSISTENT = "ebs"


def region(native: Native) -> ProviderInfo:
    """Return a region as a provider."""
    return ProviderInfo(id=native["RegionName"], entrypoints={"ec2": f"https://{native['Endpoint']}"})


def zone(native: Native) -> Realm:
    """Return a zone as a realm, its state in EC2's word."""
    return Realm(id=native["ZoneName"], name=native["ZoneName"], state=native.get("State", "available"))


def subnet(native: Native) -> Realm:
    """Return a subnet as a realm, ``ZONE:SUBNET``."""
    id = f"{native['AvailabilityZone']}:{native['SubnetId']}"
    return Realm(id=id, name=id, state=native.get("State", "available"))


def split_realm(realm_id: str) -> tuple[str, str | None]:
    """Return a realm's zone and, where it is one, its subnet."""
    zone_name, _, subnet_id = realm_id.partition(":")
    return zone_name, subnet_id or None


def hardware_profile(native: Native) -> HardwareProfile:
    """Return an instance type as a profile; ``storage`` only where the machine has disks of its own."""
    numbers = {
        "cpu": native.get("VCpuInfo", {}).get("DefaultVCpus"),
        "memory": native.get("MemoryInfo", {}).get("SizeInMiB"),
        "storage": native.get("InstanceStorageInfo", {}).get("TotalSizeInGB"),
    }
    names = tuple(native.get("ProcessorInfo", {}).get("SupportedArchitectures", ()))
    return HardwareProfile(
        id=native["InstanceType"],
        name=native["InstanceType"],
        properties=(
            *(sizes.fixed(name, number) for name, number in numbers.items() if number),
            *((sizes.architectures(names),) if names else ()),
        ),
    )


def has_architecture(profile: HardwareProfile, architecture: str) -> bool:
    """Say whether a profile offers an architecture."""
    return any(each.id == "architecture" and architecture in {each.value, *each.entries} for each in profile.properties)


def image(native: Native) -> Image:
    """Return a machine image. Its profiles are those of the original that fit, since EC2 does not tell which do."""
    is_persistent = native.get("RootDeviceType") == _PERSISTENT
    name = native.get("Name") or native.get("ImageLocation")
    return Image(
        id=native["ImageId"],
        name=name,
        description=native.get("Description") or name,
        owner_id=native.get("OwnerId"),
        architecture=native.get("Architecture"),
        state=native.get("State", "").upper() or None,
        creation_time=native.get("CreationDate"),
        root_type="persistent" if is_persistent else "transient",
        hardware_profiles=sizes.profiles_for(native.get("Architecture"), is_persistent=is_persistent),
    )


def image_order(image: Image) -> tuple[str, str, str]:
    """Return the key by which images are sorted: owner, then name, as the original did."""
    return image.owner_id or "", image.name or "", image.id


def reservation(native: Native) -> list[Instance]:
    """Return the instances of a reservation, as DescribeInstances and RunInstances answer it."""
    return [instance(each, native.get("OwnerId")) for each in native["Instances"]]


def instance(native: Native, owner_id: str | None) -> Instance:
    """Return an instance. Its realm is its zone, as volumes name theirs; firewalls are EC2's ids of the groups."""
    status = native["State"]["Name"]
    is_transient = native.get("RootDeviceType") == "instance-store"
    launched: datetime | None = native.get("LaunchTime")
    cards = [each["NetworkInterfaceId"] for each in native.get("NetworkInterfaces", ())]
    return Instance(
        id=native["InstanceId"],
        name=_name(native) or native["InstanceId"],
        owner_id=owner_id,
        image_id=native.get("ImageId"),
        realm_id=native.get("Placement", {}).get("AvailabilityZone") or None,
        hardware_profile_id=native.get("InstanceType"),
        state=states.state(status),
        actions=states.actions(status, is_transient=is_transient),
        can_create_image=not is_transient and status in {"running", "stopped"},
        launch_time=launched.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if launched else None,
        public_addresses=_public(native),
        private_addresses=_addresses(ipv4=native.get("PrivateIpAddress"), hostname=native.get("PrivateDnsName")),
        firewalls=tuple(each["GroupId"] for each in native.get("SecurityGroups", ())),
        storage_volumes=_mounts(native),
        network_interfaces=tuple(cards) or None,
        authentication=Authentication(id=native["KeyName"]) if native.get("KeyName") else None,
    )


def instance_order(instance: Instance) -> tuple[str, str]:
    """Return the key by which instances are sorted: the oldest first. EC2 has no order of its own."""
    return instance.launch_time or "", instance.id


def key(native: Native) -> Key:
    """Return a key pair; ``pem`` is known only from the answer that made it."""
    return Key(
        id=native["KeyName"],
        fingerprint=native.get("KeyFingerprint"),
        pem=native.get("KeyMaterial"),
        state="AVAILABLE",
    )


def client_token(idempotency_key: str) -> str:
    """Return EC2's client token for a caller's key: itself where EC2 takes it, else its SHA-256."""
    if _TOKEN.fullmatch(idempotency_key):
        return idempotency_key
    return hashlib.sha256(idempotency_key.encode()).hexdigest()


def place(realm_id: str | None, subnet_id: str | None) -> dict[str, Any]:
    """Return RunInstances' parameters for where an instance goes; without a subnet, EC2 takes the zone's default.

    Raises:
        InvalidParameters: the realm is in one subnet and another one is asked for.
    """
    zone_name, realm_subnet = split_realm(realm_id or "")
    if realm_subnet and subnet_id and realm_subnet != subnet_id:
        raise InvalidParameters(
            f"Parameters 'realm_id' and 'subnet_id' name two subnets, {shown(realm_subnet)} and {shown(subnet_id)};"
            " leave one out.",
            details={"parameter": "subnet_id"},
        )
    chosen = subnet_id or realm_subnet
    return {
        **({"Placement": {"AvailabilityZone": zone_name}} if zone_name else {}),
        **({"SubnetId": chosen} if chosen else {}),
    }


def split_firewalls(firewalls: Iterable[str] | None) -> tuple[list[str], list[str]]:
    """Return the ids and the names among firewalls, each once; empty ones are left out."""
    given = list(dict.fromkeys(each for each in firewalls or () if each))
    ids = [each for each in given if each.startswith(_GROUP_ID)]
    return ids, [each for each in given if each not in ids]


def attached_snapshot(snapshot_id: str | None, device_name: str | None) -> dict[str, Any]:
    """Return RunInstances' parameters for a volume made of a snapshot. It outlives the instance: it may hold new data.

    Raises:
        InvalidParameters: only one of the two is given.
    """
    if not snapshot_id and not device_name:
        return {}
    if not (snapshot_id and device_name):
        missing = "device_name" if snapshot_id else "snapshot_id"
        raise InvalidParameters(
            f"Parameter '{missing}' is needed too: 'snapshot_id' and 'device_name' go together.",
            details={"parameter": missing},
        )
    volume = {"SnapshotId": snapshot_id, "DeleteOnTermination": False}
    return {"BlockDeviceMappings": [{"DeviceName": device_name, "Ebs": volume}]}


def machine(
    *, hwp_id: str | None, keyname: str | None, name: str | None, user_data: str | None, metrics: str | None
) -> dict[str, Any]:
    """Return RunInstances' parameters for what an instance is; ``user_data`` is base64, and EC2's client encodes it."""
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}]
    return {
        **({"InstanceType": hwp_id} if hwp_id else {}),
        **({"KeyName": keyname} if keyname else {}),
        **({"UserData": base64.b64decode(user_data)} if user_data else {}),
        **({"Monitoring": {"Enabled": True}} if metrics else {}),
        **({"TagSpecifications": tags} if name else {}),
    }


def _name(native: Native) -> str | None:
    return next((tag["Value"] for tag in native.get("Tags", ()) if tag["Key"] == "Name"), None)


def _public(native: Native) -> tuple[InstanceAddress, ...]:
    cards = native.get("NetworkInterfaces", ())
    ipv6 = [each["Ipv6Address"] for card in cards for each in card.get("Ipv6Addresses", ())]
    return (
        *_addresses(ipv4=native.get("PublicIpAddress"), hostname=native.get("PublicDnsName")),
        *(InstanceAddress(id=each, type="ipv6") for each in ipv6),
    )


def _addresses(*, ipv4: str | None, hostname: str | None) -> tuple[InstanceAddress, ...]:
    return (
        *((InstanceAddress(id=ipv4, type="ipv4"),) if ipv4 else ()),
        *((InstanceAddress(id=hostname, type="hostname"),) if hostname else ()),
    )


def _mounts(native: Native) -> tuple[VolumeMount, ...]:
    return tuple(
        VolumeMount(id=each["Ebs"]["VolumeId"], device=each.get("DeviceName"))
        for each in native.get("BlockDeviceMappings", ())
        if each.get("Ebs", {}).get("VolumeId")
    )
