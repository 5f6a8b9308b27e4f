"""What goes wrong in the mock cloud on request."""

import json
import time

import pytest
import structlog

from deltacloud.drivers.loading import BrokenDriver
from deltacloud.drivers.mockcloud import MockCloud
from deltacloud.errors import NotFound, OutcomeUnknown, ProviderTimeout, Throttled
from harness.mock_cloud import MockCaller


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "mock"


@pytest.fixture
def start(folder, monkeypatch):
    callers = []

    def start_with(faults=""):
        monkeypatch.setenv("DELTACLOUD_MOCK_FAULTS", faults)
        callers.append(MockCaller(folder))
        return callers[-1]

    yield start_with
    for caller in callers:
        caller.close()


def write(folder, faults):
    folder.mkdir(exist_ok=True)
    draft = folder / "faults.draft"
    draft.write_text(faults if isinstance(faults, str) else json.dumps(faults))
    draft.replace(folder / "faults.json")


def seconds_of(call):
    begin = time.monotonic()
    call()
    return time.monotonic() - begin


def test_nothing_goes_wrong_unasked(start):
    assert start().ids("realms") == ["us", "eu"]


@pytest.mark.parametrize(
    "faults",
    [
        "list_realms: error=throttled, retry_after_s=7",
        "list_keys: hang; list_r*: error=throttled, retry_after_s=7",
        '{"list_realms": {"error": "throttled", "retry_after_s": 7}}',
        '{"list_realms": [{"latency_s": 0.01}, {"error": "throttled", "retry_after_s": 7}]}',
    ],
)
def test_the_error_that_was_asked_for_is_raised_for_that_operation_alone(start, faults):
    caller = start(faults)

    with pytest.raises(Throttled) as raised:
        caller.call("list_realms")

    assert raised.value.retry_after_s == 7
    assert caller.call("get_realm", id="us").name == "United States"


def test_latency_is_waited_and_the_answer_is_right(start):
    caller = start("list_realms: latency_s=0.2")

    assert seconds_of(lambda: caller.ids("realms")) >= 0.2
    assert caller.ids("realms") == ["us", "eu"]


@pytest.mark.parametrize("fault", ["hang", "latency_s=600"])
def test_silence_ends_before_the_deadline_does(start, fault):
    caller = start(f"list_realms: {fault}")

    def call():
        with pytest.raises(ProviderTimeout):
            caller.call("list_realms", within_s=0.5)

    assert 0.3 < seconds_of(call) < 0.5


def test_silence_before_a_create_leaves_nothing_made_and_its_outcome_unknown(start):
    caller = start("create_instance: hang")

    with pytest.raises(OutcomeUnknown):
        caller.call("create_instance", image_id="img1", within_s=0.2)

    assert "inst4" not in caller.ids("instances")


def test_silence_after_a_create_leaves_the_machine_which_the_key_finds(start, folder):
    caller = start("create_instance: hang, when=after")
    with pytest.raises(OutcomeUnknown):
        caller.call("create_instance", image_id="img1", key="k", within_s=0.2)
    assert "inst4" in caller.ids("instances")

    write(folder, {})

    assert caller.call("create_instance", image_id="img1", key="k", is_redelivered=True).id == "inst4"
    assert "inst5" not in caller.ids("instances")


def test_an_error_after_the_effect_leaves_the_effect(start):
    caller = start("destroy_key: error=unavailable, when=after")

    with pytest.raises(Exception, match="was told to fail destroy_key"):
        caller.call("destroy_key", id="test-key")

    with pytest.raises(NotFound):
        caller.call("get_key", id="test-key")


def test_a_rate_makes_a_share_of_the_calls_fail(start):
    caller = start("get_realm: error=throttled, rate=0.5")
    failed = 0
    for _ in range(200):
        try:
            caller.call("get_realm", id="us")
        except Throttled:
            failed += 1

    assert 50 < failed < 150


def test_the_file_switches_faults_on_and_off_while_running(start, folder):
    caller = start()
    caller.ids("realms")

    write(folder, {"list_realms": {"error": "throttled"}})
    with pytest.raises(Throttled):
        caller.call("list_realms")

    (folder / "faults.json").unlink()
    assert caller.ids("realms") == ["us", "eu"]


def test_the_file_counts_instead_of_the_setting_as_long_as_it_exists(start, folder):
    caller = start("list_realms: error=throttled")

    write(folder, "{}")
    assert caller.ids("realms") == ["us", "eu"]

    (folder / "faults.json").unlink()
    with pytest.raises(Throttled):
        caller.call("list_realms")


def test_a_file_that_is_wrong_is_logged_and_changes_nothing(start, folder):
    caller = start("list_realms: error=throttled")
    write(folder, '{"list_realms": ')

    with structlog.testing.capture_logs() as lines, pytest.raises(Throttled):
        caller.call("list_realms")

    assert [line["event"] for line in lines] == ["mock_faults_refused"]


@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        ("create_machine: hang", "no operation is called 'create_machine'"),
        ("list_realms: error=no_such", "no error has the code 'no_such'"),
        ("list_realms: slowness=1", "slowness"),
        ("list_realms: latency_s=fast", "latency_s"),
        ("list_realms: latency_s=-1", "latency_s"),
        ("list_realms: rate=2", "rate"),
        ("list_realms: when=never", "when"),
        ("list_realms", "no colon"),
        ('{"list_realms": {"hang": "yes"}}', "hang"),
        ('{"list_realms"', "DELTACLOUD_MOCK_FAULTS"),
    ],
)
def test_a_mistake_in_the_setting_stops_the_start_with_the_reason(start, faults, reason):
    with pytest.raises(BrokenDriver) as raised:
        start(faults)

    assert str(raised.value).startswith("DELTACLOUD_MOCK_FAULTS: ")
    assert reason in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_mistake_in_the_file_stops_the_start_too(folder):
    write(folder, '{"nosuch": {}}')

    with pytest.raises(BrokenDriver, match=r"faults\.json: no operation is called 'nosuch'"):
        MockCloud(folder)


def test_a_file_that_cannot_be_read_stops_the_start(folder):
    folder.mkdir()
    (folder / "faults.json").mkdir()

    with pytest.raises(BrokenDriver, match="cannot be read"):
        MockCloud(folder)
