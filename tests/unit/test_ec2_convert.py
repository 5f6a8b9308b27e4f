"""EC2's words as the API's, and back: table tests on answers as EC2 gives them."""

from datetime import UTC, datetime

import pytest

from deltacloud.errors import InvalidParameters, ProviderError
from deltacloud.models import InstanceAddress, VolumeMount
from deltacloud_compute.drivers.ec2 import convert, native, sizes, states
from deltacloud_compute.drivers.ec2.driver import Ec2Driver

RUNNING = {
    "AmiLaunchIndex": 0,
    "Architecture": "x86_64",
    "BlockDeviceMappings": [
        {"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": "vol-0aa", "Status": "attached", "DeleteOnTermination": True}},
        {"DeviceName": "/dev/sdf", "Ebs": {"VolumeId": "vol-0bb", "Status": "attaching"}},
    ],
    "ImageId": "ami-0cc",
    "InstanceId": "i-0123456789abcdef0",
    "InstanceType": "t3.micro",
    "KeyName": "laptop",
    "LaunchTime": datetime(2026, 11, 24, 7, 30, 15, tzinfo=UTC),
    "Monitoring": {"State": "disabled"},
    "NetworkInterfaces": [{"NetworkInterfaceId": "eni-0dd", "Ipv6Addresses": [{"Ipv6Address": "2001:db8::7"}]}],
    "Placement": {"AvailabilityZone": "eu-west-1b", "GroupName": "", "Tenancy": "default"},
    "PrivateDnsName": "ip-10-0-0-7.eu-west-1.compute.internal",
    "PrivateIpAddress": "10.0.0.7",
    "PublicDnsName": "ec2-203-0-113-7.eu-west-1.compute.amazonaws.com",
    "PublicIpAddress": "203.0.113.7",
    "RootDeviceType": "ebs",
    "SecurityGroups": [{"GroupName": "web", "GroupId": "sg-0ee"}, {"GroupName": "ssh", "GroupId": "sg-0ff"}],
    "State": {"Code": 16, "Name": "running"},
    "SubnetId": "subnet-0ab",
    "Tags": [{"Key": "owner", "Value": "team"}, {"Key": "Name", "Value": "web 1"}],
    "VpcId": "vpc-0cd",
}
TERMINATED = {
    "InstanceId": "i-0fedcba9876543210",
    "ImageId": "ami-0cc",
    "InstanceType": "t3.micro",
    "State": {"Code": 48, "Name": "terminated"},
    "StateReason": {"Code": "Client.VolumeLimitExceeded", "Message": "Client.VolumeLimitExceeded"},
    "LaunchTime": datetime(2026, 11, 24, 7, 30, 15, tzinfo=UTC),
    "Placement": {"AvailabilityZone": "eu-west-1b"},
    "PrivateDnsName": "",
    "PublicDnsName": "",
    "BlockDeviceMappings": [],
    "SecurityGroups": [],
    "NetworkInterfaces": [],
    "RootDeviceType": "ebs",
}


def with_state(name, root="ebs"):
    return convert.instance({**RUNNING, "State": {"Name": name}, "RootDeviceType": root}, "123456789012")


def test_a_running_instance_has_all_that_ec2_tells():
    instance = convert.instance(RUNNING, "123456789012")
    assert (instance.id, instance.name, instance.owner_id) == ("i-0123456789abcdef0", "web 1", "123456789012")
    assert (instance.image_id, instance.realm_id, instance.hardware_profile_id) == ("ami-0cc", "eu-west-1b", "t3.micro")
    assert instance.launch_time == "2026-11-24T07:30:15Z"
    assert instance.public_addresses == (
        InstanceAddress(id="203.0.113.7"),
        InstanceAddress(id="ec2-203-0-113-7.eu-west-1.compute.amazonaws.com", type="hostname"),
        InstanceAddress(id="2001:db8::7", type="ipv6"),
    )
    assert [each.id for each in instance.private_addresses] == ["10.0.0.7", "ip-10-0-0-7.eu-west-1.compute.internal"]
    assert instance.firewalls == ("sg-0ee", "sg-0ff")
    assert instance.storage_volumes == (
        VolumeMount(id="vol-0aa", device="/dev/xvda"),
        VolumeMount(id="vol-0bb", device="/dev/sdf"),
    )
    assert instance.network_interfaces == ("eni-0dd",)
    assert instance.authentication.id == "laptop"
    assert instance.can_create_image


def test_a_terminated_instance_has_lost_its_addresses_and_is_named_after_its_id():
    instance = convert.instance(TERMINATED, None)
    assert (instance.state, instance.actions, instance.name) == ("FINISH", (), TERMINATED["InstanceId"])
    assert (instance.public_addresses, instance.private_addresses) == ((), ())
    assert (instance.firewalls, instance.storage_volumes, instance.network_interfaces) == ((), (), None)
    assert instance.authentication is None


@pytest.mark.parametrize(
    ("name", "root", "state", "actions"),
    [
        ("pending", "ebs", "PENDING", ("destroy",)),
        ("running", "ebs", "RUNNING", ("reboot", "stop", "destroy")),
        ("stopping", "ebs", "STOPPING", ("destroy",)),
        ("stopped", "ebs", "STOPPED", ("start", "destroy")),
        ("shutting-down", "ebs", "STOPPED", ()),
        ("terminated", "ebs", "FINISH", ()),
        ("running", "instance-store", "RUNNING", ("reboot", "destroy")),
        ("something-new", "ebs", "SOMETHING-NEW", ()),
    ],
)
def test_each_state_of_ec2_is_one_of_the_api_and_offers_what_ec2_allows(name, root, state, actions):
    instance = with_state(name, root)
    assert (instance.state, instance.actions) == (state, actions)


def test_the_states_of_the_api_are_ec2s():
    assert states.natives("STOPPED") == ("stopped", "shutting-down")
    assert states.natives("running") == ("running",)
    assert states.natives("ERROR") == ()
    assert [each.name for each in states.STATES.states] == [
        "start",
        "pending",
        "running",
        "stopping",
        "stopped",
        "finish",
    ]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, ("ami-name", "A description", "AVAILABLE", "persistent")),
        ({"Description": None}, ("ami-name", "ami-name", "AVAILABLE", "persistent")),
        ({"Name": None, "Description": ""}, ("own/ami", "own/ami", "AVAILABLE", "persistent")),
        ({"RootDeviceType": "instance-store"}, ("ami-name", "A description", "AVAILABLE", "transient")),
        ({"State": "pending"}, ("ami-name", "A description", "PENDING", "persistent")),
    ],
)
def test_an_image_has_a_name_a_description_a_state_and_a_root(more, expected):
    image = convert.image(
        {
            "ImageId": "ami-0cc",
            "ImageLocation": "own/ami",
            "Name": "ami-name",
            "Description": "A description",
            "OwnerId": "123456789012",
            "Architecture": "x86_64",
            "State": "available",
            "CreationDate": "2026-11-24T07:30:15.000Z",
            "RootDeviceType": "ebs",
            **more,
        }
    )
    assert (image.name, image.description, image.state, image.root_type) == expected
    assert image.creation_time == "2026-11-24T07:30:15.000Z"


@pytest.mark.parametrize(
    ("architecture", "is_persistent", "profiles"),
    [
        ("i386", True, ("t1.micro", "m1.small", "m1.medium", "c1.medium")),
        ("i386", False, ("m1.small", "m1.medium", "c1.medium")),
        ("arm64", True, None),
    ],
)
def test_an_image_names_the_profiles_of_the_original_that_fit(architecture, is_persistent, profiles):
    assert sizes.profiles_for(architecture, is_persistent=is_persistent) == profiles


def test_an_image_for_64_bits_runs_on_all_ten():
    assert sizes.profiles_for("x86_64", is_persistent=True) == tuple(sizes.ORIGINAL)
    assert len(sizes.ORIGINAL) == 10


def test_the_smallest_profile_needs_a_lasting_root():
    kinds = {
        each.id: (each.kind, each.value, each.unit, each.entries) for each in sizes.ORIGINAL["t1.micro"].properties
    }
    assert kinds == {
        "cpu": ("fixed", 1, "count", ()),
        "memory": ("fixed", 613, "MB", ()),
        "storage": ("fixed", 160, "GB", ()),
        "architecture": ("enum", "i386", "label", ("i386", "x86_64")),
        "root_type": ("fixed", "persistent", None, ()),
    }


def test_an_instance_type_is_a_profile_and_tells_disks_only_where_there_are_some():
    type_ = {
        "InstanceType": "m5d.large",
        "VCpuInfo": {"DefaultVCpus": 2},
        "MemoryInfo": {"SizeInMiB": 8192},
        "InstanceStorageInfo": {"TotalSizeInGB": 75},
        "ProcessorInfo": {"SupportedArchitectures": ["x86_64"]},
    }
    profile = convert.hardware_profile(type_)
    assert [(each.id, each.value) for each in profile.properties] == [
        ("cpu", 2),
        ("memory", 8192),
        ("storage", 75),
        ("architecture", "x86_64"),
    ]
    assert convert.hardware_profile({"InstanceType": "u9.new"}).properties == ()
    both = convert.hardware_profile({**type_, "ProcessorInfo": {"SupportedArchitectures": ["i386", "x86_64"]}})
    assert [convert.has_architecture(both, each) for each in ("i386", "x86_64", "arm64")] == [True, True, False]


@pytest.mark.parametrize(
    ("key", "token"),
    [
        ("6f1c-order.7_b", "6f1c-order.7_b"),
        ("k" * 64, "k" * 64),
        ("k" * 65, None),
        ("with a space", None),
    ],
)
def test_a_client_token_is_the_callers_key_where_ec2_takes_it(key, token):
    made = convert.client_token(key)
    assert made == (token or made)
    assert (made == key) is (token is not None)
    assert len(made) <= 64
    assert convert.client_token(key) == made
    assert convert.client_token(f"{key}x") != made


@pytest.mark.parametrize(
    ("realm_id", "subnet_id", "placed"),
    [
        (None, None, {}),
        ("", "", {}),
        ("eu-west-1a", None, {"Placement": {"AvailabilityZone": "eu-west-1a"}}),
        (None, "subnet-1", {"SubnetId": "subnet-1"}),
        ("eu-west-1a:subnet-1", None, {"Placement": {"AvailabilityZone": "eu-west-1a"}, "SubnetId": "subnet-1"}),
        ("eu-west-1a:subnet-1", "subnet-1", {"Placement": {"AvailabilityZone": "eu-west-1a"}, "SubnetId": "subnet-1"}),
    ],
)
def test_a_place_is_a_zone_a_subnet_or_both(realm_id, subnet_id, placed):
    assert convert.place(realm_id, subnet_id) == placed


def test_two_subnets_at_once_are_refused():
    with pytest.raises(InvalidParameters, match="subnet-1"):
        convert.place("eu-west-1a:subnet-1", "subnet-2")


def test_a_machine_is_what_was_asked_for_and_user_data_is_decoded():
    nothing = dict.fromkeys(("hwp_id", "keyname", "name", "user_data", "metrics"))
    assert convert.machine(**nothing) == {}
    assert convert.machine(hwp_id="t3.micro", keyname="k", name="n", user_data="Z3LDvGV6\naQ==", metrics="true") == {
        "InstanceType": "t3.micro",
        "KeyName": "k",
        "UserData": "grüezi".encode(),
        "Monitoring": {"Enabled": True},
        "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "n"}]}],
    }


def test_firewalls_are_ids_or_names_each_once():
    assert convert.split_firewalls(None) == ([], [])
    assert convert.split_firewalls(["web", "sg-1", "", "web", "sg-1", "ssh"]) == (["sg-1"], ["web", "ssh"])


@pytest.mark.parametrize(("snapshot_id", "device_name"), [("snap-1", None), (None, "/dev/sdf"), ("snap-1", "")])
def test_a_snapshot_needs_its_device_and_a_device_its_snapshot(snapshot_id, device_name):
    with pytest.raises(InvalidParameters):
        convert.attached_snapshot(snapshot_id, device_name)


def test_filters_take_values_as_they_are_and_leave_out_what_is_not_asked():
    assert native.filters(instance_id="i-*", image_id=None, group_name=("a?", "b\\")) == [
        {"Name": "instance-id", "Values": [r"i-\*"]},
        {"Name": "group-name", "Values": [r"a\?", "b\\\\"]},
    ]


def test_a_list_follows_its_tokens_and_one_that_goes_in_circles_is_the_clouds_failure():
    pages = {None: ([1, 2], "a"), "a": ([], "b"), "b": ([3], None)}
    circle = {None: ([1], "a"), "a": ([2], "a")}

    def answer(pages):
        def call(NextToken=None, **_):  # noqa: N803 - EC2's name
            items, token = pages[NextToken]
            return {"Things": items, **({"NextToken": token} if token else {})}

        return call

    assert native.whole(answer(pages), "Things", MaxResults=5) == [1, 2, 3]
    with pytest.raises(ProviderError):
        native.whole(answer(circle), "Things")
    with pytest.raises(ProviderError):
        native.whole(lambda: {"ResponseMetadata": {}}, "Things")


@pytest.mark.parametrize(
    ("provider", "endpoint", "region"),
    [
        ("https://ec2.eu-west-1.amazonaws.com", "https://ec2.eu-west-1.amazonaws.com", "eu-west-1"),
        ("ec2.sa-east-1.amazonaws.com", "https://ec2.sa-east-1.amazonaws.com", "sa-east-1"),
        ("http://cloud.example:8773/services/compute", "http://cloud.example:8773/services/compute", None),
    ],
)
def test_a_provider_may_be_a_url_or_a_host_which_no_one_trusts(provider, endpoint, region):
    target = Ec2Driver().target(provider)
    assert (target.endpoint, target.region, target.is_trusted) == (endpoint, region, False)


def test_an_unknown_realm_word_names_no_subnet():
    assert convert.split_realm("eu-west-1a") == ("eu-west-1a", None)
    assert convert.split_realm("eu-west-1a:") == ("eu-west-1a", None)
    assert convert.split_realm("eu-west-1a:subnet-1") == ("eu-west-1a", "subnet-1")


def test_a_new_key_alone_tells_its_private_half_and_no_repr_does():
    shown = {"KeyName": "laptop", "KeyFingerprint": "aa:bb", "KeyPairId": "key-1"}
    assert convert.key(shown).pem is None
    made = convert.key({**shown, "KeyMaterial": "-----BEGIN RSA PRIVATE KEY-----"})
    assert (made.id, made.fingerprint, made.state) == ("laptop", "aa:bb", "AVAILABLE")
    assert "BEGIN" in made.pem
    assert "BEGIN" not in repr(made)
