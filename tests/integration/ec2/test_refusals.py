"""Who asks the EC2 driver, and what may go wrong."""

import time

import pytest

from deltacloud.drivers import ProviderTarget
from deltacloud.errors import (
    AuthenticationFailed,
    Conflict,
    Forbidden,
    ForbiddenProvider,
    InvalidParameters,
    ProviderError,
    ProviderTimeout,
    Throttled,
    TimedOut,
    Unavailable,
)
from deltacloud.providers.holder import PictureHolder
from deltacloud.providers.picture import Picture
from deltacloud.providers.resolve import ProviderResolver
from deltacloud_compute.drivers.ec2.driver import Ec2Driver
from harness.driver_calls import DriverCalls
from harness.strict_ec2 import NO_INSTANCE, TEMPORARY, ends_in_time
from simulators.ec2 import DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY


def test_good_credentials_are_told_from_bad_ones_by_one_native_call(call, cloud):
    assert call("check_credentials") is None
    assert cloud.control.calls() == {"DescribeRegions": 1}
    for wrong in ({"password": "wrong"}, {"user": "AKIANOBODY0000000000"}):
        with pytest.raises(AuthenticationFailed):
            call("check_credentials", **wrong)


def test_credentials_with_next_to_no_rights_are_good_ones(call, cloud):
    cloud.control.fault(DescribeRegions={"error": "UnauthorizedOperation"})
    assert call("check_credentials") is None


def test_temporary_keys_bring_their_session_token_in_the_user_name(call, cloud):
    access_key, secret, token = TEMPORARY
    cloud.control.seed(instances=1)
    assert len(call("list_instances", user=f"{access_key}+{token}", password=secret)) == 1
    with pytest.raises(AuthenticationFailed):
        call("list_instances", user=access_key, password=secret)


def test_wrong_credentials_are_refused_everywhere_and_appear_in_no_error(call, image_id):
    canary = "c4n4ry-s3cr3t"
    calls = {
        "list_realms": {},
        "list_hardware_profiles": {},
        "list_images": {},
        "list_instances": {},
        "list_keys": {},
        "list_providers": {},
        "get_instance": {"id": NO_INSTANCE},
        "create_instance": {"image_id": image_id},
        "create_key": {"name": "laptop"},
        "destroy_instance": {"id": NO_INSTANCE},
    }
    for method, parameters in calls.items():
        with pytest.raises(AuthenticationFailed) as caught:
            call(method, password=canary, **parameters)
        assert canary not in f"{caught.value!r}"
        assert DEFAULT_ACCESS_KEY not in f"{caught.value!r}"


def test_the_regions_open_to_the_caller_are_its_providers(call):
    found = {each.id: each.entrypoints for each in call("list_providers")}
    assert found["eu-west-1"] == {"ec2": "https://ec2.eu-west-1.amazonaws.com"}
    assert "af-south-1" not in found


def test_a_throttled_call_is_repeated(call, cloud):
    cloud.control.fault(DescribeInstances={"throttle": True, "times": 1})
    assert call("list_instances") == []
    assert cloud.control.calls() == {"DescribeInstances": 2}


def test_a_call_that_stays_throttled_says_when_to_come_again(call, cloud):
    cloud.control.fault(DescribeInstances={"throttle": True})
    with pytest.raises(Throttled) as caught:
        call("list_instances")
    assert caught.value.retry_after_s > 0
    assert cloud.control.calls() == {"DescribeInstances": 3}


def test_a_throttled_call_with_no_time_for_a_pause_is_told_at_once(warm, cloud):
    cloud.control.fault(DescribeInstances={"throttle": True})
    with pytest.raises(Throttled):
        warm("list_instances", within_s=0.9)
    assert cloud.control.calls() == {"DescribeInstances": 1}


def test_a_cloud_that_hangs_is_given_up_within_the_deadline(warm, cloud):
    cloud.control.fault(DescribeInstances={"hang_s": 30})
    began = time.monotonic()
    with pytest.raises(ProviderTimeout):
        warm("list_instances", within_s=1.0)
    assert ends_in_time(began, 1.0)


def test_a_cloud_that_hangs_in_the_middle_of_a_list_is_given_up_within_the_deadline(warm, cloud):
    cloud.control.seed(instances=12)
    cloud.control.settings(page_size=5)
    cloud.control.fault(DescribeInstances=[{"latency_s": 0.1, "times": 1}, {"hang_s": 30}])
    began = time.monotonic()
    with pytest.raises(TimedOut):
        warm("list_instances", within_s=1.0)
    assert ends_in_time(began, 1.0)


@pytest.mark.parametrize(
    "fault", [{"garbage": True}, {"truncate": True}, {"close": True}, {"status": 200}, {"status": 502}], ids=str
)
def test_what_is_no_answer_is_the_clouds_failure_and_no_empty_list(call, cloud, fault):
    cloud.control.fault(DescribeInstances=fault, DescribeRegions=fault)
    for method in ("list_instances", "list_providers"):
        with pytest.raises(ProviderError):
            call(method)


def test_a_truncated_list_is_asked_for_again(call, cloud):
    cloud.control.seed(instances=3)
    cloud.control.fault(DescribeInstances={"truncate": True, "times": 1})
    assert len(call("list_instances")) == 3


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("UnauthorizedOperation", Forbidden),
        ("InsufficientInstanceCapacity", Unavailable),
        ("InternalError", ProviderError),
        ("OptInRequired", Forbidden),
        ("VcpuLimitExceeded", Forbidden),
        ("VPCIdNotSpecified", InvalidParameters),
        ("UnsupportedOperation", InvalidParameters),
        ("IncorrectInstanceState", Conflict),
        ("RequestExpired", AuthenticationFailed),
        ("SomethingNew", InvalidParameters),
    ],
)
def test_the_clouds_codes_have_their_meaning(call, cloud, image_id, code, error):
    cloud.control.fault(RunInstances={"error": code})
    with pytest.raises(error) as caught:
        call("create_instance", image_id=image_id)
    assert type(caught.value) is error
    assert code in caught.value.message


def test_a_url_is_a_provider_where_the_operator_allows_it(cloud):
    holder = PictureHolder()
    driver = Ec2Driver()
    cloud.control.seed(instances=2)

    def listed(*allow: str):
        holder.update(Picture(issued_at=time.time(), allow=allow))
        target = ProviderResolver(holder)(driver, cloud.url)
        assert not target.is_trusted
        return DriverCalls(driver, target, DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY)("list_instances")

    assert len(listed(cloud.url)) == 2
    cloud.control.forget_calls()
    with pytest.raises(ForbiddenProvider):
        listed("https://*.cloud.example")
    assert cloud.control.calls() == {}


def test_a_cloud_that_is_not_there_is_the_clouds_failure():
    nowhere = ProviderTarget(name="lab", endpoint="http://127.0.0.1:9", region="us-east-1")
    call = DriverCalls(Ec2Driver(), nowhere, DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY)
    with pytest.raises(ProviderError):
        call("list_instances", within_s=5)


def test_the_cloud_is_not_asked_with_keys_that_cannot_be_right(call, cloud):
    for user in ("", "AKIA\nX", " AKIA"):
        with pytest.raises(AuthenticationFailed):
            call("list_instances", user=user or "+token")
    assert cloud.control.calls() == {}
