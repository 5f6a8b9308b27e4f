"""The other collections of the mock driver, as the original's behave, its bugs put right."""

import ipaddress
import re

import pytest

from deltacloud.drivers.loading import load, verify
from deltacloud.errors import (
    BackendError,
    Conflict,
    Forbidden,
    InvalidParameters,
    NotFound,
    NotSupported,
    ProviderError,
    ProviderTimeout,
)
from deltacloud.models import InstanceAddress, VolumeMount
from deltacloud_compute.drivers.mock.driver import MockDriver
from harness.mock_cloud import MockCaller


@pytest.fixture
def mock(tmp_path):
    caller = MockCaller(tmp_path / "mock")
    yield caller
    caller.close()


def test_the_driver_is_installed_and_fits_the_catalogue():
    verify(MockDriver)
    [driver] = load("compute", ["mock"])

    assert isinstance(driver, MockDriver)
    assert [feature.name for feature in driver.info().features] == [
        "metrics",
        "realm_filter",
        "user_name",
        "authentication_key",
    ]
    assert [state.name for state in driver.info().states] == ["start", "pending", "running", "stopped", "finish"]


def test_realms_are_the_two_of_the_original(mock):
    assert [(each.id, each.name, each.state, each.limit) for each in mock.call("list_realms")] == [
        ("us", "United States", "AVAILABLE", None),
        ("eu", "Europe", "AVAILABLE", None),
    ]
    assert mock.ids("realms", id="eu") == ["eu"]
    assert mock.ids("realms", id="nosuch") == []


@pytest.mark.parametrize(
    ("id", "error", "message"),
    [
        ("500", BackendError, "DeltacloudErrorMessage"),
        ("501", NotSupported, "NotImplementedMessage"),
        ("502", ProviderError, "ProviderErrorMessage"),
        ("504", ProviderTimeout, "ProviderTimeoutMessage"),
        ("503", NotFound, "There is no realm '503'."),
    ],
)
def test_realms_of_special_ids_raise_the_error_of_that_status(mock, id, error, message):
    with pytest.raises(error) as raised:
        mock.call("get_realm", id=id)
    assert raised.value.message == message

    if error is not NotFound:
        with pytest.raises(error):
            mock.call("list_realms", id=id)


def test_hardware_profiles_are_those_of_the_original(mock):
    found = {
        profile.id: {
            each.id: (each.kind, each.value, each.first, each.last, each.entries) for each in profile.properties
        }
        for profile in mock.call("list_hardware_profiles")
    }

    assert list(found) == ["m1-small", "m1-large", "m1-xlarge", "opaque"]
    assert found["m1-small"]["memory"] == ("fixed", 1740.8, None, None, ())
    assert found["m1-large"]["memory"] == ("range", 10240, 7680, 15360, ())
    assert found["m1-xlarge"]["storage"] == ("enum", 1024, None, None, (1024, 2048, 4096))
    assert found["opaque"] == {}


def test_hardware_profiles_are_filtered_by_architecture(mock):
    assert mock.ids("hardware_profiles", architecture="x86_64") == ["m1-large", "m1-xlarge"]
    assert mock.call("get_hardware_profile", id="opaque").name == "opaque"


def test_a_key_is_made_up_kept_and_destroyed(mock):
    made = mock.call("create_key", name="mine", public_key="ssh-rsa AAAA")
    lines = made.pem.split("\n")

    assert re.fullmatch(r"([0-9a-f]{2}:){19}[0-9a-f]{2}", made.fingerprint)
    assert (lines[0], len(lines), len(lines[1])) == ("-----BEGIN RSA PRIVATE KEY-----", 23, 75)
    assert lines[-1].index("-----END RSA PRIVATE KEY-----") == 68
    assert mock.call("get_key", id="mine") == made
    mock.call("destroy_key", id="mine")
    assert mock.ids("keys") == ["test-key"]


def test_a_key_whose_name_is_taken_is_refused_but_a_repeated_request_is_answered(mock):
    made = mock.call("create_key", name="mine", key="k")

    assert mock.call("create_key", name="mine", key="k") == made
    with pytest.raises(Forbidden, match="Key with same name already exists"):
        mock.call("create_key", name="mine", key="other")


@pytest.mark.parametrize("method", ["create_key", "create_network"])
@pytest.mark.parametrize("name", ["../x", "a/b", ".."])
def test_names_that_would_break_urls_are_refused(mock, method, name):
    with pytest.raises(InvalidParameters):
        mock.call(method, name=name)


def test_addresses_are_counted_on_from_the_highest(mock):
    assert mock.ids("addresses") == [f"192.168.0.{last}" for last in range(1, 5)]
    mock.call("destroy_address", id="192.168.0.2")

    assert [mock.call("create_address").id for _ in range(2)] == ["192.168.0.5", "192.168.0.6"]


def test_an_address_is_made_even_when_none_is_left(mock):
    for address in mock.ids("addresses"):
        mock.call("destroy_address", id=address)

    assert mock.call("create_address").id == "192.168.0.1"


def test_an_associated_address_is_the_machines_only_public_one_until_it_is_taken_away(mock):
    mock.call("associate_address", id="192.168.0.2", instance_id="inst1")

    assert mock.call("get_address", id="192.168.0.2").instance_id == "inst1"
    assert mock.call("get_instance", id="inst1").public_addresses == (InstanceAddress(id="192.168.0.2"),)

    mock.call("disassociate_address", id="192.168.0.2")

    assert mock.call("get_address", id="192.168.0.2").instance_id is None
    assert mock.call("get_instance", id="inst1").public_addresses[0].id == "img3.inst1.public.com"


def test_an_address_in_use_is_neither_given_away_nor_released(mock):
    mock.call("associate_address", id="192.168.0.2", instance_id="inst1")

    with pytest.raises(Forbidden, match="AddressInUse"):
        mock.call("associate_address", id="192.168.0.2", instance_id="inst0")
    with pytest.raises(Forbidden, match="AddressInUse"):
        mock.call("destroy_address", id="192.168.0.2")
    with pytest.raises(Forbidden, match="AddressNotInUse"):
        mock.call("disassociate_address", id="192.168.0.3")


def test_redelivered_address_operations_that_were_done_are_no_errors(mock):
    mock.call("associate_address", id="192.168.0.2", instance_id="inst1")

    mock.call("associate_address", id="192.168.0.2", instance_id="inst1", is_redelivered=True)
    mock.call("disassociate_address", id="192.168.0.3", is_redelivered=True)
    mock.call("destroy_address", id="192.168.0.99", is_redelivered=True)


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("get_address", {"id": "10.1.1.1"}),
        ("destroy_address", {"id": "10.1.1.1"}),
        ("disassociate_address", {"id": "10.1.1.1"}),
        ("associate_address", {"id": "10.1.1.1", "instance_id": "inst0"}),
        ("associate_address", {"id": "192.168.0.3", "instance_id": "nosuch"}),
        ("get_key", {"id": "nosuch"}),
        ("destroy_key", {"id": "nosuch"}),
        ("get_image", {"id": "nosuch"}),
        ("get_hardware_profile", {"id": "nosuch"}),
        ("get_storage_volume", {"id": "nosuch"}),
        ("attach_storage_volume", {"id": "nosuch", "instance_id": "inst0", "device": "sdb"}),
        ("attach_storage_volume", {"id": "vol1", "instance_id": "nosuch", "device": "sdb"}),
        ("detach_storage_volume", {"id": "nosuch"}),
        ("get_storage_snapshot", {"id": "nosuch"}),
        ("get_network", {"id": "nosuch"}),
        ("destroy_network", {"id": "nosuch"}),
        ("get_subnet", {"id": "nosuch"}),
        ("destroy_subnet", {"id": "nosuch"}),
        ("create_subnet", {"network_id": "nosuch", "address_block": "10.1.0.0/16"}),
        ("get_network_interface", {"id": "nosuch"}),
        ("destroy_network_interface", {"id": "nosuch"}),
        ("create_network_interface", {"instance": "nosuch", "network": "subnet1"}),
        ("create_network_interface", {"instance": "inst0", "network": "nosuch"}),
    ],
)
def test_what_is_unknown_is_not_found(mock, method, parameters):
    with pytest.raises(NotFound):
        mock.call(method, **parameters)


@pytest.mark.parametrize("method", ["destroy_image", "destroy_storage_volume", "destroy_storage_snapshot"])
def test_destroying_what_is_not_there_is_no_error_where_the_original_had_none(mock, method):
    assert mock.call(method, id="nosuch") is None


def test_a_volume_is_made_with_the_defaults_of_the_original(mock):
    made = mock.call("create_storage_volume", description="d", realm_id="eu", snapshot_id="snap1")

    assert re.fullmatch(r"volume_\d+(_\d+)?", made.id)
    assert (made.name, made.capacity, made.state) == (f"Volume{made.id}", "1", "AVAILABLE")
    assert (made.realm_id, made.description) == (None, None)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}", made.created)
    assert mock.call("create_storage_volume", capacity="5", name="data").capacity == "5"


def test_volumes_made_in_one_second_are_all_kept(mock):
    made = {mock.call("create_storage_volume").id for _ in range(5)}

    assert len(made) == 5
    assert made < set(mock.ids("storage_volumes"))


def test_a_volume_is_attached_and_detached(mock):
    attached = mock.call("attach_storage_volume", id="vol1", instance_id="inst0", device="/dev/sdb")

    assert (attached.instance_id, attached.device, attached.state) == ("inst0", "/dev/sdb", "IN-USE")
    assert mock.call("get_instance", id="inst0").storage_volumes == (VolumeMount(id="vol1", device="/dev/sdb"),)

    detached = mock.call("detach_storage_volume", id="vol1")

    assert (detached.instance_id, detached.device, detached.state) == (None, None, "AVAILABLE")
    assert mock.call("get_instance", id="inst0").storage_volumes == ()


def test_a_volume_is_attached_once_and_detached_once(mock):
    with pytest.raises(Conflict, match="'vol3' is attached to instance 'inst1'"):
        mock.call("attach_storage_volume", id="vol3", instance_id="inst0", device="/dev/sdb")
    with pytest.raises(Conflict):
        mock.call("detach_storage_volume", id="vol1")

    assert mock.call("get_storage_volume", id="vol3").instance_id == "inst1"


def test_an_attached_volume_can_be_destroyed_and_its_machine_forgets_it(mock):
    mock.call("attach_storage_volume", id="vol1", instance_id="inst0", device="/dev/sdb")

    mock.call("destroy_storage_volume", id="vol1")

    assert mock.ids("storage_volumes") == ["vol2", "vol3"]
    assert mock.call("get_instance", id="inst0").storage_volumes == ()


def test_the_volume_of_a_machine_that_is_gone_can_be_detached(mock):
    mock.call("stop_instance", id="inst1")
    mock.call("destroy_instance", id="inst1")

    assert mock.call("detach_storage_volume", id="vol3").state == "AVAILABLE"


def test_a_snapshot_is_made_and_destroyed(mock):
    made = mock.call("create_storage_snapshot", volume_id="vol1", name="nightly")

    assert re.fullmatch(r"store_snapshot_\d+(_\d+)?", made.id)
    assert (made.name, made.state, made.storage_volume_id) == ("nightly", "COMPLETED", "vol1")
    mock.call("destroy_storage_snapshot", id=made.id)
    assert mock.ids("storage_snapshots") == ["snap1", "snap2", "snap3"]


def test_networks_and_their_subnets_come_and_go_together(mock):
    network = mock.call("create_network", name="lan", address_block="10.9.0.0/16")
    subnet = mock.call("create_subnet", network_id="lan", address_block="10.9.1.0/24", name="s1")

    assert (network.id, network.name, network.state, network.address_blocks) == ("lan", "lan", "UP", ("10.9.0.0/16",))
    assert (subnet.id, subnet.type, subnet.network_id) == ("s1", None, "lan")
    assert mock.call("get_network", id="lan").subnets == ("s1",)
    mock.call("create_subnet", network_id="lan", address_block="10.9.2.0/24", name="s2")
    mock.call("destroy_subnet", id="s1")
    assert mock.call("get_network", id="lan").subnets == ("s2",)
    mock.call("destroy_network", id="lan")
    assert mock.ids("subnets") == ["subnet1", "subnet2", "subnet3", "subnet4"]


def test_a_network_without_a_name_is_given_one(mock):
    made = mock.call("create_network")

    assert re.fullmatch(r"net_\d+", made.id)
    assert (made.name, made.address_blocks) == (made.id, ())


def test_a_network_of_a_taken_name_or_of_no_addresses_is_refused(mock):
    with pytest.raises(Conflict):
        mock.call("create_network", name="net1")
    with pytest.raises(InvalidParameters):
        mock.call("create_network", address_block="everything")
    with pytest.raises(InvalidParameters):
        mock.call("create_subnet", network_id="net1", address_block="300.1.1.0/24")

    assert mock.call("get_network", id="net1").subnets == ("subnet1", "subnet2")


def test_a_card_gets_a_free_address_of_its_subnet_and_its_machine_lists_it(mock):
    made = mock.call("create_network_interface", instance="inst0", network="subnet1", name="e1")

    assert (made.id, made.name, made.instance_id, made.network_id) == ("e1", "e1", "inst0", "subnet1")
    assert ipaddress.ip_address(made.ip_address) in ipaddress.ip_network("192.168.1.0/24")
    assert mock.call("get_instance", id="inst0").network_interfaces == ("e1",)
    mock.call("destroy_network_interface", id="e1")
    assert mock.call("get_instance", id="inst0").network_interfaces == ()
    assert mock.ids("network_interfaces") == ["nic1", "nicinst3"]


def test_cards_of_a_small_subnet_use_each_address_once_until_none_is_left(mock):
    mock.call("create_subnet", network_id="net1", address_block="192.168.9.0/29", name="small")
    made = [
        mock.call("create_network_interface", instance="inst0", network="small", name=f"e{number}").ip_address
        for number in range(6)
    ]

    assert sorted(made) == [f"192.168.9.{last}" for last in range(1, 7)]
    with pytest.raises(Conflict):
        mock.call("create_network_interface", instance="inst0", network="small", name="e6")


def test_a_provider_is_taken_as_it_is(mock):
    assert mock.driver.any_provider
    assert mock.driver.default_provider is None
