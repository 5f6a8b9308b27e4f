"""Machines change over time, and refuse what their state forbids; keys and groups."""

from __future__ import annotations

import base64
from typing import Any

from simulators.ec2.vendor import image_of, reach, refusal, run, show
from simulators.process import Running

ANY_ID = "i-0123456789abcdef0"


def test_a_machine_takes_its_time_through_every_state(ec2: Any) -> None:
    (one,) = run(ec2)
    pending = show(ec2, one)
    assert (pending["State"], "PublicIpAddress" in pending) == ({"Code": 0, "Name": "pending"}, False)
    reach(ec2, one, "running")
    assert show(ec2, one)["PublicIpAddress"]
    change = ec2.stop_instances(InstanceIds=[one])["StoppingInstances"][0]
    assert (change["PreviousState"]["Name"], change["CurrentState"]["Name"]) == ("running", "stopping")
    assert show(ec2, one)["State"]["Name"] == "stopping"
    reach(ec2, one, "stopped")
    assert show(ec2, one)["StateReason"]["Code"] == "Client.UserInitiatedShutdown"
    assert ec2.start_instances(InstanceIds=[one])["StartingInstances"][0]["CurrentState"]["Name"] == "pending"
    reach(ec2, one, "running")
    assert ec2.terminate_instances(InstanceIds=[one])["TerminatingInstances"][0]["CurrentState"]["Code"] == 32
    reach(ec2, one, "terminated")
    gone = show(ec2, one)
    assert {"PrivateIpAddress", "PublicIpAddress", "SubnetId", "VpcId"}.isdisjoint(gone)


def test_what_a_state_forbids_is_refused_and_changes_nothing(ec2: Any, simulator: Running) -> None:
    refused = ("IncorrectInstanceState", 400)
    simulator.control.settings(boot_seconds=60)
    (one,) = run(ec2)
    assert refusal(ec2.stop_instances, InstanceIds=[one]) == refused
    simulator.control.settings(boot_seconds=0)
    reach(ec2, one, "running")
    simulator.control.settings(boot_seconds=60)
    ec2.stop_instances(InstanceIds=[one])
    assert refusal(ec2.start_instances, InstanceIds=[one]) == refused
    assert refusal(ec2.reboot_instances, InstanceIds=[one]) == refused
    ec2.terminate_instances(InstanceIds=[one])
    assert refusal(ec2.start_instances, InstanceIds=[one]) == refused
    assert refusal(ec2.stop_instances, InstanceIds=[one]) == refused
    assert show(ec2, one)["State"]["Name"] == "shutting-down"


def test_what_is_already_so_is_no_error(ec2: Any) -> None:
    (one,) = run(ec2)
    reach(ec2, one, "running")
    ec2.start_instances(InstanceIds=[one])
    ec2.reboot_instances(InstanceIds=[one])
    assert show(ec2, one)["State"]["Name"] == "running"
    ec2.stop_instances(InstanceIds=[one])
    reach(ec2, one, "stopped")
    assert ec2.stop_instances(InstanceIds=[one])["StoppingInstances"][0]["CurrentState"]["Name"] == "stopped"
    ec2.terminate_instances(InstanceIds=[one])
    reach(ec2, one, "terminated")
    again = ec2.terminate_instances(InstanceIds=[one])["TerminatingInstances"][0]
    assert (again["PreviousState"]["Name"], again["CurrentState"]["Name"]) == ("terminated", "terminated")
    ec2.reboot_instances(InstanceIds=[one])
    assert show(ec2, one)["State"]["Name"] == "terminated"


def test_one_unknown_machine_spares_all_the_others(ec2: Any) -> None:
    (one,) = run(ec2)
    assert refusal(ec2.terminate_instances, InstanceIds=[one, ANY_ID]) == ("InvalidInstanceID.NotFound", 400)
    reach(ec2, one, "running")


def test_a_machine_on_instance_store_cannot_be_stopped(ec2: Any) -> None:
    image = image_of(ec2, root_device_type="instance-store", image_type="machine")
    (one,) = run(ec2, ImageId=image, InstanceType="m1.small")
    reach(ec2, one, "running")
    assert refusal(ec2.stop_instances, InstanceIds=[one]) == ("UnsupportedOperation", 400)


def test_a_terminated_machine_is_forgotten_after_a_while(ec2: Any, simulator: Running) -> None:
    simulator.control.settings(boot_seconds=0)
    (one,) = run(ec2)
    ec2.terminate_instances(InstanceIds=[one])
    reach(ec2, one, "terminated")
    simulator.control.settings(terminated_seconds=0)
    assert refusal(ec2.describe_instances, InstanceIds=[one]) == ("InvalidInstanceID.NotFound", 400)
    assert ec2.describe_instances()["Reservations"] == []
    assert [machine["state"] for machine in simulator.control.instances()] == ["terminated"]


def test_a_key_pair_is_made_listed_and_deleted(ec2: Any) -> None:
    made = ec2.create_key_pair(KeyName="laptop")
    assert made["KeyMaterial"].startswith("-----BEGIN RSA PRIVATE KEY-----")
    (listed,) = ec2.describe_key_pairs()["KeyPairs"]
    assert (listed["KeyName"], listed["KeyFingerprint"]) == ("laptop", made["KeyFingerprint"])
    assert refusal(ec2.create_key_pair, KeyName="laptop") == ("InvalidKeyPair.Duplicate", 400)
    ec2.delete_key_pair(KeyName="laptop")
    assert ec2.delete_key_pair(KeyName="laptop")["Return"] is True
    assert refusal(ec2.describe_key_pairs, KeyNames=["laptop"]) == ("InvalidKeyPair.NotFound", 400)


def test_a_public_key_is_imported_only_if_it_is_one(ec2: Any) -> None:
    kind = b"\x00\x00\x00\x0bssh-ed25519"
    public = b"ssh-ed25519 " + base64.b64encode(kind + b"\x00\x00\x00\x20" + bytes(range(32))) + b" me@here"
    assert ec2.import_key_pair(KeyName="mine", PublicKeyMaterial=public)["KeyFingerprint"].count(":") == 15
    assert refusal(ec2.import_key_pair, KeyName="other", PublicKeyMaterial=b"x") == ("InvalidKey.Format", 400)
    assert [one["KeyName"] for one in ec2.describe_key_pairs()["KeyPairs"]] == ["mine"]


def test_a_group_of_the_same_name_in_another_case_is_a_duplicate(ec2: Any) -> None:
    ec2.create_security_group(GroupName="web", Description="d")
    duplicate = refusal(ec2.create_security_group, GroupName="WEB", Description="d")
    assert duplicate == ("InvalidGroup.Duplicate", 400)
    by_name = [{"Name": "group-name", "Values": ["web"]}]
    assert len(ec2.describe_security_groups(Filters=by_name)["SecurityGroups"]) == 1
