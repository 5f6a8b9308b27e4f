"""Instances, images and metrics of the mock driver, as the original's behave, its bugs put right."""

import itertools
import re
import time

import pytest

from deltacloud.errors import (
    AuthenticationFailed,
    BackendError,
    Conflict,
    InvalidParameters,
    NotFound,
    OutcomeUnknown,
    WrongState,
)
from deltacloud.models import Authentication, InstanceAddress
from harness.mock_cloud import MockCaller


@pytest.fixture
def mock(tmp_path):
    caller = MockCaller(tmp_path / "mock")
    yield caller
    caller.close()


def test_a_new_cloud_runs_the_four_machines_of_the_original(mock):
    machines = mock.call("list_instances")

    assert [each.id for each in machines] == ["inst0", "inst1", "inst2", "inst3"]
    assert {each.state for each in machines} == {"RUNNING"}
    assert {each.actions for each in machines} == {("reboot", "stop")}
    assert [each.network_interfaces for each in machines] == [(), ("nic1",), None, ("nicinst3",)]
    assert [each.can_create_image for each in machines] == [True, True, True, False]
    assert machines[0].hardware_overrides == {"memory": "12288"}
    assert machines[1].public_addresses == (InstanceAddress(id="img1.inst1.public.com", type="hostname"),)
    assert (machines[3].name, machines[3].authentication) == ("", Authentication(id=""))


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"realm_id": "eu"}, ["inst3"]),
        ({"state": "RUNNING"}, ["inst0", "inst1", "inst2", "inst3"]),
        ({"state": "running"}, []),
        ({"id": "inst2"}, ["inst2"]),
        ({"id": "nosuch"}, []),
    ],
)
def test_machines_are_filtered_exactly(mock, filters, found):
    assert mock.ids("instances", **filters) == found


def test_a_machine_made_of_an_image_alone_runs_at_once_with_the_defaults(mock):
    made = mock.call("create_instance", image_id="img1")

    assert (made.id, made.state, made.owner_id) == ("inst4", "RUNNING", "mockuser")
    assert (made.realm_id, made.hardware_profile_id) == ("us", "m1-small")
    assert re.fullmatch(r"i-\d+", made.name)
    assert made.public_addresses[0].id == "img1.inst4.public.com"
    assert made.private_addresses[0].id == "img1.inst4.private.com"
    assert (made.authentication, made.network_interfaces, made.can_create_image) == (None, None, True)
    assert mock.call("get_instance", id="inst4") == made


def test_a_machine_is_made_as_asked_and_nothing_of_it_is_looked_up(mock):
    made = mock.call(
        "create_instance",
        image_id="ghost",
        realm_id="nowhere",
        hwp_id="m1-large",
        hwp_cpu="99",
        hwp_memory="1",
        name="",
        keyname="some",
        user_data="aGVsbG8=",
        metrics="true",
    )

    assert (made.image_id, made.realm_id, made.name) == ("ghost", "nowhere", "")
    assert list(made.hardware_overrides.items()) == [("memory", "1"), ("cpu", "99")]
    assert made.authentication == Authentication(id="some")


def test_an_unknown_hardware_profile_is_refused_and_nothing_made(mock):
    with pytest.raises(InvalidParameters, match="Hardware profile 'nosuch' does not exists"):
        mock.call("create_instance", image_id="img1", hwp_id="nosuch")

    assert "inst4" not in mock.ids("instances")


@pytest.mark.parametrize(
    ("asked", "state", "actions"),
    [("STOPPED", "STOPPED", ("start", "destroy")), ("STARTED", "RUNNING", ("reboot", "stop")), ("ODD", "ODD", ())],
)
def test_a_machine_begins_in_the_state_that_was_asked_for(mock, asked, state, actions):
    made = mock.call("create_instance", image_id="img1", initial_state=asked)

    assert (made.state, made.actions) == (state, actions)


def test_the_number_of_a_destroyed_machine_is_used_again(mock):
    for expected in ("inst4", "inst5"):
        assert mock.call("create_instance", image_id="img1", initial_state="STOPPED").id == expected

    mock.call("destroy_instance", id="inst4")

    assert mock.call("create_instance", image_id="img1").id == "inst4"


def test_a_machine_stops_starts_reboots_and_is_destroyed(mock):
    assert mock.call("stop_instance", id="inst0").state == "STOPPED"
    assert mock.call("get_instance", id="inst0").actions == ("start", "destroy")
    assert mock.call("start_instance", id="inst0").state == "RUNNING"
    assert mock.call("reboot_instance", id="inst0").state == "RUNNING"
    mock.call("stop_instance", id="inst0")
    assert mock.call("destroy_instance", id="inst0") is None
    assert mock.ids("instances") == ["inst1", "inst2", "inst3"]


STATES = {"RUNNING": {"reboot", "stop"}, "STOPPED": {"start", "destroy"}}


@pytest.mark.parametrize(
    ("state", "action"),
    [
        (state, action)
        for state, action in itertools.product(STATES, ("reboot", "stop", "start", "destroy"))
        if action not in STATES[state]
    ],
)
def test_an_action_that_the_state_does_not_allow_changes_nothing(mock, state, action):
    before = mock.call("create_instance", image_id="img1", initial_state=state)

    with pytest.raises(WrongState) as raised:
        mock.call(f"{action}_instance", id=before.id)

    assert set(raised.value.details["allowed"].split(",")) == STATES[state]
    assert mock.call("get_instance", id=before.id) == before


@pytest.mark.parametrize("action", ["get", "start", "stop", "reboot", "destroy"])
def test_an_unknown_machine_is_not_found(mock, action):
    with pytest.raises(NotFound, match="There is no instance 'nosuch'"):
        mock.call(f"{action}_instance", id="nosuch")


def test_destroying_a_machine_removes_its_interfaces_and_leaves_its_volumes_and_addresses(mock):
    mock.call("associate_address", id="192.168.0.1", instance_id="inst1")
    mock.call("stop_instance", id="inst1")
    mock.call("destroy_instance", id="inst1")

    assert mock.ids("network_interfaces") == ["nicinst3"]
    assert mock.call("get_storage_volume", id="vol3").instance_id == "inst1"
    assert mock.call("get_address", id="192.168.0.1").instance_id == "inst1"


def test_a_repeated_create_answers_with_the_machine_that_exists(mock):
    first = mock.call("create_instance", image_id="img1", name="one", key="k")
    mock.call("stop_instance", id=first.id)

    again = mock.call("create_instance", image_id="img1", name="one", key="k")

    assert (again.id, again.state) == (first.id, "STOPPED")
    assert mock.call("create_instance", image_id="img1", name="one", key="other").id != first.id


def test_a_redelivered_create_answers_with_the_machine_that_exists(mock):
    first = mock.call("create_instance", image_id="img1", key="k")

    assert mock.call("create_instance", image_id="img1", key="k", is_redelivered=True) == first
    assert len(mock.ids("instances")) == 5


def test_a_redelivered_create_that_never_ran_makes_the_machine(mock):
    assert mock.call("create_instance", image_id="img1", key="k", is_redelivered=True).id == "inst4"


def test_a_redelivered_create_without_a_key_is_not_run(mock):
    with pytest.raises(OutcomeUnknown):
        mock.call("create_instance", image_id="img1", is_redelivered=True)

    assert len(mock.ids("instances")) == 4


def test_a_key_of_another_request_is_refused(mock):
    mock.call("create_instance", image_id="img1", key="k")

    with pytest.raises(Conflict, match="'inst4' from another request"):
        mock.call("create_instance", image_id="img2", key="k")


def test_a_key_whose_machine_is_gone_makes_no_second_one(mock):
    mock.call("create_instance", image_id="img1", initial_state="STOPPED", key="k")
    mock.call("destroy_instance", id="inst4")

    with pytest.raises(Conflict, match="which is gone"):
        mock.call("create_instance", image_id="img1", initial_state="STOPPED", key="k")

    assert "inst4" not in mock.ids("instances")


def test_a_key_belongs_to_one_collection(mock):
    mock.call("create_instance", image_id="img1", key="k")

    assert mock.call("create_address", key="k").id == "192.168.0.5"


@pytest.mark.parametrize(("action", "state"), [("stop", "STOPPED"), ("start", "RUNNING")])
def test_a_redelivered_action_that_was_done_answers_with_the_machine(mock, action, state):
    made = mock.call("create_instance", image_id="img1", initial_state=state)

    assert mock.call(f"{action}_instance", id=made.id, is_redelivered=True) == made


def test_a_redelivered_destroy_that_was_done_is_no_error(mock):
    assert mock.call("destroy_instance", id="nosuch", is_redelivered=True) is None


def test_running_a_command_says_what_it_would_have_done(mock):
    ran = mock.call("run_instance", id="inst0", cmd="uptime")

    assert ran.output == "This is where the output from 'uptime' would appear if this were not a mock provider"
    assert (ran.id, ran.command, ran.public_address) == ("inst0", "uptime", "img1.inst0.public.com")
    with pytest.raises(NotFound):
        mock.call("run_instance", id="nosuch", cmd="uptime")


@pytest.mark.parametrize("method", ["list_instances", "list_realms", "check_credentials"])
@pytest.mark.parametrize("pair", [("mockuser", "wrong"), ("wrong", "mockpassword"), ("", "")])
def test_other_credentials_are_refused_without_repeating_them(mock, method, pair):
    user, password = pair
    with pytest.raises(AuthenticationFailed) as raised:
        mock.call(method, user=user, password=password)

    assert "wrong" not in raised.value.message
    assert "challenge" not in raised.value.details


def test_no_credentials_are_asked_for_except_by_hardware_profiles(mock):
    assert mock.ids("hardware_profiles", user=None) == ["m1-small", "m1-large", "m1-xlarge", "opaque"]
    assert mock.call("check_credentials") is None
    for method, parameters in (("list_images", {}), ("run_instance", {"id": "inst0", "cmd": "x"})):
        with pytest.raises(AuthenticationFailed) as raised:
            mock.call(method, user=None, **parameters)
        assert raised.value.details == {"challenge": "basic"}


def test_images_are_sorted_by_owner_and_description_and_run_on_every_profile(mock):
    images = mock.call("list_images")

    assert [each.id for each in images] == ["img1", "img2", "img3"]
    assert {each.hardware_profiles for each in images} == {("m1-small", "m1-large", "m1-xlarge", "opaque")}


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"owner_id": "self"}, ["img3"]),
        ({"owner_id": ""}, []),
        ({"owner_id": "fedoraproject", "architecture": "i386"}, ["img2"]),
        ({"architecture": "i386"}, ["img2", "img3"]),
        ({"id": "img2"}, ["img2"]),
    ],
)
def test_images_are_filtered(mock, filters, found):
    assert mock.ids("images", **filters) == found


def test_an_image_of_a_machine_has_its_name_as_id(mock):
    made = mock.call("create_image", instance_id="inst0", name="mine", description="My own")

    assert (made.id, made.name, made.description) == ("mine", "mine", "My own")
    assert (made.owner_id, made.architecture, made.state) == ("root", "i386", "AVAILABLE")
    assert made.creation_time is None
    assert mock.call("get_image", id="mine").hardware_profiles is not None


def test_images_without_a_description_come_first_among_their_owners(mock):
    mock.call("create_image", instance_id="inst0", name="a", description="something")
    mock.call("create_image", instance_id="inst0", name="z")

    assert mock.ids("images") == ["img1", "img2", "img3", "z", "a"]


def test_an_image_without_a_name_is_given_one(mock):
    assert mock.call("create_image", instance_id="inst0").id.startswith("img_")


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"instance_id": "nosuch", "name": "x"}, NotFound),
        ({"instance_id": "inst3", "name": "x"}, BackendError),
        ({"instance_id": "inst0", "name": "../x"}, InvalidParameters),
        ({"instance_id": "inst0", "name": ""}, InvalidParameters),
    ],
)
def test_an_image_that_cannot_be_made_is_not(mock, parameters, error):
    with pytest.raises(error):
        mock.call("create_image", **parameters)

    assert mock.ids("images") == ["img1", "img2", "img3"]


def test_destroying_an_image_twice_is_no_error(mock):
    for _ in range(2):
        assert mock.call("destroy_image", id="img1") is None
    assert mock.ids("images") == ["img2", "img3"]


def test_metrics_are_of_the_callers_machines_and_lists_have_no_samples(mock):
    metrics = mock.call("list_metrics")

    assert [(each.id, each.entity) for each in metrics][1] == ("inst1", "MockUserInstance")
    assert [each.id for each in metrics] == mock.ids("instances")
    assert {each.samples for metric in metrics for each in metric.properties} == {None}


def test_a_metric_has_six_samples_a_second_apart_of_every_quantity(mock):
    now = time.time()
    metric = mock.call("get_metric", id="inst2")

    assert (metric.id, metric.entity, len(metric.properties)) == ("inst2", "AnotherInstance", 9)
    for quantity in metric.properties:
        times = [int(sample.id) for sample in quantity.samples]
        assert times == list(range(times[0], times[0] - 6, -1))
        assert abs(times[0] - now) < 60
        for sample in quantity.samples:
            assert sample.minimum <= sample.average < sample.maximum
    cpu, read = metric.properties[:2]
    assert (cpu.id, cpu.samples[0].unit, read.samples[0].unit) == ("cpuUtilization", "Percent", "Count")
    assert cpu.samples[0].maximum < 1


def test_the_metric_of_an_unknown_machine_is_not_found(mock):
    with pytest.raises(NotFound):
        mock.call("get_metric", id="nosuch")
