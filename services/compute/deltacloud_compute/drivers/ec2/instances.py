"""Instances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deltacloud.catalogue.check import shown
from deltacloud.drivers import ComputeDriver, Session, aws
from deltacloud.errors import NotFound
from deltacloud.models import Instance
from deltacloud_compute.drivers.ec2 import convert, errors, native, states

_REACHED = {"start": ("PENDING", "RUNNING"), "stop": ("STOPPING", "STOPPED")}
"""States that tell a redelivered action that its first run had its effect."""


class InstanceOperations(ComputeDriver):
    """Instances."""

    def list_instances(
        self, session: Session, id: str | None = None, state: str | None = None, realm_id: str | None = None
    ) -> list[Instance]:
        """Return the caller's instances, the oldest first; those destroyed within the hour are among them.

        Source: DescribeInstances, one call for each 1000 reservations; the cloud applies the filters.
        """
        zone_name, subnet_id = convert.split_realm(realm_id or "")
        wanted = native.filters(
            instance_id=id,
            instance_state_name=states.natives(state) if state else None,
            availability_zone=zone_name or None,
            subnet_id=subnet_id,
        )
        if any(not each["Values"] for each in wanted):
            return []
        with native.calling(session) as ec2:
            found = native.whole(ec2.describe_instances, "Reservations", Filters=wanted, MaxResults=native.PAGE)
        return sorted((each for one in found for each in convert.reservation(one)), key=convert.instance_order)

    def get_instance(self, session: Session, id: str) -> Instance:
        """Return an instance. Source: DescribeInstances.

        Raises:
            NotFound: there is none.
        """
        with native.calling(session) as ec2:
            return convert.instance(*_describe(ec2, id))

    def create_instance(
        self,
        session: Session,
        *,
        image_id: str,
        realm_id: str | None = None,
        hwp_id: str | None = None,
        keyname: str | None = None,
        name: str | None = None,
        user_data: str | None = None,
        subnet_id: str | None = None,
        metrics: str | None = None,
        firewalls: list[str] | None = None,
        instance_count: int | None = None,
        snapshot_id: str | None = None,
        device_name: str | None = None,
    ) -> Instance | list[Instance]:
        """Make an instance, or all of ``instance_count`` or none; with a call's idempotency key, once.

        Firewalls are ids (``sg-…``) or names; names are of the default VPC, or of that of the subnet if one is given.
        Source: RunInstances, whose answer is the result; DescribeSubnets and DescribeSecurityGroups for names of
        firewalls in a subnet.

        Raises:
            Conflict: the idempotency key was used for something else.
            OutcomeUnknown: the cloud did not answer as it should.
        """
        order = {
            "ImageId": image_id,
            "MinCount": instance_count or 1,
            "MaxCount": instance_count or 1,
            **convert.machine(hwp_id=hwp_id, keyname=keyname, name=name, user_data=user_data, metrics=metrics),
            **convert.place(realm_id, subnet_id),
            **convert.attached_snapshot(snapshot_id, device_name),
        }
        if session.idempotency_key:
            order["ClientToken"] = convert.client_token(session.idempotency_key)
        with native.calling(session) as ec2:
            order |= _groups(ec2, firewalls, order.get("SubnetId"))
            answer = ec2.run_instances(**order)
        if not answer.get("Instances"):
            raise aws.outcome_unknown("RunInstances", has_token=True)
        made = convert.reservation(answer)
        return made if order["MaxCount"] > 1 else made[0]

    def start_instance(self, session: Session, id: str) -> Instance:
        """Start a stopped instance. Source: DescribeInstances, StartInstances.

        Raises:
            NotFound: there is none.
            WrongState: it is not stopped, or its root device is transient.
        """
        with native.calling(session) as ec2:
            machine, owner_id = _describe(ec2, id)
            if self._is_to_do(session, "start", machine, owner_id):
                machine = _changed(machine, ec2.start_instances(InstanceIds=[id]), "StartingInstances")
        return convert.instance(machine, owner_id)

    def stop_instance(self, session: Session, id: str) -> Instance:
        """Stop a running instance. Source: DescribeInstances, StopInstances.

        Raises:
            NotFound: there is none.
            WrongState: it is not running, or its root device is transient.
        """
        with native.calling(session) as ec2:
            machine, owner_id = _describe(ec2, id)
            if self._is_to_do(session, "stop", machine, owner_id):
                machine = _changed(machine, ec2.stop_instances(InstanceIds=[id]), "StoppingInstances")
        return convert.instance(machine, owner_id)

    def reboot_instance(self, session: Session, id: str) -> Instance:
        """Reboot a running instance. Source: DescribeInstances, RebootInstances.

        Raises:
            NotFound: there is none.
            WrongState: it is not running.
        """
        with native.calling(session) as ec2:
            instance = convert.instance(*_describe(ec2, id))
            self.require_action("reboot", instance)
            ec2.reboot_instances(InstanceIds=[id])
        return instance

    def destroy_instance(self, session: Session, id: str) -> None:
        """Destroy an instance in any state. Source: TerminateInstances, whose answer tells the state before.

        One that is on its way out is left to go.

        Raises:
            NotFound: there is none.
            WrongState: it is gone already.
        """
        try:
            with native.calling(session) as ec2:
                answer = ec2.terminate_instances(InstanceIds=[id])
        except NotFound:
            if session.is_redelivered:
                return
            raise
        before = _change(answer, "TerminatingInstances").get("PreviousState", {}).get("Name", "")
        if before == states.TERMINATED and not session.is_redelivered:
            self.require_action("destroy", Instance(id=id, state=states.state(before)))

    def _is_to_do(self, session: Session, action: str, machine: Mapping[str, Any], owner_id: str | None) -> bool:
        instance = convert.instance(machine, owner_id)
        if session.is_redelivered and instance.state in _REACHED[action]:
            return False
        self.require_action(action, instance)
        return True


def _describe(ec2: Any, id: str) -> tuple[dict[str, Any], str | None]:
    for reservation in native.whole(ec2.describe_instances, "Reservations", InstanceIds=[id]):
        for machine in reservation["Instances"]:
            return machine, reservation.get("OwnerId")
    raise NotFound(f"There is no instance {shown(id)}.")


def _change(answer: Mapping[str, Any], key: str) -> dict[str, Any]:
    if not answer.get(key):
        raise errors.not_of_its_protocol(key)
    change: dict[str, Any] = answer[key][0]
    return change


def _changed(machine: dict[str, Any], answer: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return the machine in the state that an answer tells, so that it need not be asked for again."""
    return {**machine, "State": _change(answer, key)["CurrentState"]}


def _groups(ec2: Any, firewalls: list[str] | None, subnet_id: str | None) -> dict[str, Any]:
    """Return RunInstances' parameters for firewalls. With a subnet EC2 takes no names, so they are looked up."""
    ids, names = convert.split_firewalls(firewalls)
    if names and subnet_id:
        ids, names = [*ids, *_group_ids(ec2, names, subnet_id)], []
    return {**({"SecurityGroupIds": ids} if ids else {}), **({"SecurityGroups": names} if names else {})}


def _group_ids(ec2: Any, names: list[str], subnet_id: str) -> list[str]:
    vpc_id = native.whole(ec2.describe_subnets, "Subnets", SubnetIds=[subnet_id])[0]["VpcId"]
    wanted = native.filters(vpc_id=vpc_id, group_name=tuple(names))
    groups = native.whole(ec2.describe_security_groups, "SecurityGroups", Filters=wanted, MaxResults=native.PAGE)
    ids = {each["GroupName"]: each["GroupId"] for each in groups}
    for name in names:
        if name not in ids:
            raise NotFound(f"There is no firewall {shown(name)} in the network of subnet {shown(subnet_id)}.")
    return [ids[name] for name in names]
