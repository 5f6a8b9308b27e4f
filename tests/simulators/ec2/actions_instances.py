"""Machines: listing them and moving them from state to state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simulators.ec2.actions import INSTANCE_ID, LIST_PARAMETERS, Action, by_ids
from simulators.ec2.document import Fields, Value, tag_set, timestamp
from simulators.ec2.errors import ApiError
from simulators.ec2.filters import Attribute, select_tagged
from simulators.ec2.paging import PageRule, page
from simulators.ec2.parameters import Parameters
from simulators.ec2.records import ACCOUNT, GONE, ROOT_DEVICE, Instance, Reservation, State, fixed_id
from simulators.ec2.state import Region

INSTANCE_FILTERS: dict[str, Attribute[Instance]] = {
    "architecture": lambda instance: instance.launch.image.architecture,
    "availability-zone": lambda instance: instance.launch.subnet.zone.name,
    "client-token": lambda instance: instance.launch.client_token,
    "image-id": lambda instance: instance.launch.image.id,
    "instance-id": lambda instance: instance.id,
    "instance-state-code": lambda instance: str(instance.state.code),
    "instance-state-name": lambda instance: instance.state.label,
    "instance-type": lambda instance: instance.launch.hardware.name,
    "instance.group-id": lambda instance: [group.id for group in instance.launch.groups],
    "instance.group-name": lambda instance: [group.name for group in instance.launch.groups],
    "key-name": lambda instance: instance.launch.key_name or [],
    "private-ip-address": lambda instance: [] if instance.state in GONE else instance.private_address,
    "ip-address": lambda instance: instance.public_address or [],
    "reservation-id": lambda instance: instance.reservation_id,
    "root-device-type": lambda instance: instance.launch.image.root_device_type,
    "subnet-id": lambda instance: [] if instance.state in GONE else instance.launch.subnet.id,
    "vpc-id": lambda instance: [] if instance.state in GONE else instance.launch.subnet.vpc_id,
}
INSTANCE_PAGES = PageRule(least=5, most=1000)


def describe_instances(region: Region, parameters: Parameters) -> Fields:
    """List the machines by reservation; a page counts reservations."""
    ids = parameters.strings("InstanceId")
    visible = {one.id: one for one in region.instances.values() if region.is_shown(one)}
    wanted = by_ids(INSTANCE_ID, ids, visible) if ids else visible.values()
    chosen = {one.id for one in select_tagged(wanted, parameters, INSTANCE_FILTERS)}
    matching = [
        Reservation(number=one.number, id=one.id, instances=members)
        for one in region.reservations.values()
        if (members := [instance for instance in one.instances if instance.id in chosen])
    ]
    shown, token = page(matching, parameters, INSTANCE_PAGES, region.limits, ids)
    return {"reservationSet": [reservation_fields(one) for one in shown], "nextToken": token}


def reservation_fields(reservation: Reservation) -> Fields:
    """Describe a reservation as RunInstances and DescribeInstances do."""
    return {
        "reservationId": reservation.id,
        "ownerId": ACCOUNT,
        "groupSet": [],
        "instancesSet": [_instance_fields(one) for one in reservation.instances],
    }


def _instance_fields(one: Instance) -> Fields:
    launch = one.launch
    reason = {"code": one.reason[0], "message": one.reason[1]} if one.reason else None
    return {
        "instanceId": one.id,
        "imageId": launch.image.id,
        "instanceState": state_fields(one.state),
        "reason": one.reason[1] if one.reason else "",
        "stateReason": reason,
        "keyName": launch.key_name,
        "amiLaunchIndex": one.index,
        "productCodes": [],
        "instanceType": launch.hardware.name,
        "launchTime": timestamp(one.launched),
        "placement": {"availabilityZone": launch.subnet.zone.name, "groupName": "", "tenancy": "default"},
        "monitoring": {"state": "enabled" if launch.is_monitored else "disabled"},
        "architecture": launch.image.architecture,
        "rootDeviceType": launch.image.root_device_type,
        "rootDeviceName": ROOT_DEVICE,
        "virtualizationType": launch.image.virtualization,
        "hypervisor": "xen",
        "platformDetails": "Linux/UNIX",
        "clientToken": launch.client_token,
        "ebsOptimized": False,
        "sourceDestCheck": None if one.state in GONE else True,
        "tagSet": tag_set(one.tags),
        **_network_fields(one),
    }


def _network_fields(one: Instance) -> dict[str, Value]:
    """Describe what a machine loses when it is terminated."""
    if one.state in GONE:
        return {"privateDnsName": "", "dnsName": "", "groupSet": [], "blockDeviceMapping": []}
    public, private, launch = one.public_address, one.private_address, one.launch
    zone_suffix = f"{launch.subnet.zone.region}.compute"
    return {
        "privateDnsName": f"ip-{private.replace('.', '-')}.{zone_suffix}.internal",
        "dnsName": f"ec2-{public.replace('.', '-')}.{zone_suffix}.amazonaws.com" if public else "",
        "privateIpAddress": private,
        "ipAddress": public,
        "subnetId": launch.subnet.id,
        "vpcId": launch.subnet.vpc_id,
        "groupSet": [{"groupId": group.id, "groupName": group.name} for group in launch.groups],
        "blockDeviceMapping": _disk_fields(one),
    }


def _disk_fields(one: Instance) -> Value:
    disks = {device.name: device.is_deleted_on_termination for device in one.launch.devices}
    if one.launch.image.snapshot:
        disks.setdefault(ROOT_DEVICE, True)
    return [
        {
            "deviceName": name,
            "ebs": {
                "volumeId": fixed_id("vol", one.id + name),
                "status": "attaching" if one.state is State.PENDING else "attached",
                "attachTime": timestamp(one.launched),
                "deleteOnTermination": is_deleted,
            },
        }
        for name, is_deleted in disks.items()
    ]


def state_fields(state: State) -> Fields:
    """Describe a state by code and name."""
    return {"code": state.code, "name": state.label}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An order to machines: the state it leads to, and the states in which it does nothing or is refused."""

    target: State
    idle: frozenset[State]
    refused: frozenset[State]
    verb: str
    reason: tuple[str, str] | None


START = Change(
    target=State.PENDING,
    idle=frozenset({State.PENDING, State.RUNNING}),
    refused=frozenset({State.STOPPING, *GONE}),
    verb="started",
    reason=None,
)
STOP = Change(
    target=State.STOPPING,
    idle=frozenset({State.STOPPING, State.STOPPED}),
    refused=frozenset({State.PENDING, *GONE}),
    verb="stopped",
    reason=("Client.UserInitiatedShutdown", "Client.UserInitiatedShutdown: User initiated shutdown"),
)
TERMINATE = Change(
    target=State.SHUTTING_DOWN,
    idle=GONE,
    refused=frozenset(),
    verb="terminated",
    reason=STOP.reason,
)
# Terminated machines are passed over in silence; stopped ones are an error.
REBOOT = Change(
    target=State.RUNNING,
    idle=frozenset({State.PENDING, State.RUNNING, *GONE}),
    refused=frozenset({State.STOPPING, State.STOPPED}),
    verb="rebooted",
    reason=None,
)


def _refuse(instance: Instance, change: Change) -> None:
    if change is STOP and instance.state is State.PENDING:
        raise ApiError(
            "IncorrectInstanceState",
            f"Instance '{instance.id}' cannot be stopped as it has never reached the 'running' state.",
        )
    if instance.state in change.refused:
        raise ApiError(
            "IncorrectInstanceState",
            f"The instance '{instance.id}' is not in a state from which it can be {change.verb}.",
        )
    if change is STOP and instance.launch.image.root_device_type == "instance-store":
        raise ApiError(
            "UnsupportedOperation",
            f"The instance '{instance.id}' does not have an 'ebs' root device type and cannot be stopped.",
        )


def _apply(change: Change) -> Callable[[Region, Parameters], list[Fields]]:
    """Give what carries out a change on all machines named, or on none when one of them forbids it."""

    def apply(region: Region, parameters: Parameters) -> list[Fields]:
        visible = {one.id: one for one in region.instances.values() if region.is_shown(one)}
        instances = by_ids(INSTANCE_ID, parameters.strings("InstanceId"), visible)
        for instance in instances:
            _refuse(instance, change)
        answers: list[Fields] = []
        for instance in instances:
            before = instance.state
            if before not in change.idle:
                region.move(instance, change.target, change.reason)
            answers.append(
                {
                    "instanceId": instance.id,
                    "currentState": state_fields(instance.state),
                    "previousState": state_fields(before),
                }
            )
        return answers

    return apply


def _with_answers(change: Change) -> Callable[[Region, Parameters], Fields]:
    apply = _apply(change)
    return lambda region, parameters: {"instancesSet": apply(region, parameters)}


def reboot_instances(region: Region, parameters: Parameters) -> Fields:
    """Reboot machines; the answer says nothing about them."""
    _apply(REBOOT)(region, parameters)
    return {"return": True}


ACTIONS = {
    "DescribeInstances": Action(run=describe_instances, accepts=("InstanceId.N", *LIST_PARAMETERS)),
    "StartInstances": Action(run=_with_answers(START), accepts=("InstanceId.N",), requires=("InstanceId",)),
    "StopInstances": Action(run=_with_answers(STOP), accepts=("InstanceId.N", "Force"), requires=("InstanceId",)),
    "RebootInstances": Action(run=reboot_instances, accepts=("InstanceId.N",), requires=("InstanceId",)),
    "TerminateInstances": Action(run=_with_answers(TERMINATE), accepts=("InstanceId.N",), requires=("InstanceId",)),
}
