"""What is refused before the driver is called, in which order, and how errors are told."""

import math
from typing import Any

import pytest
from starlette.responses import Response

from deltacloud.errors import CapabilityMissing, NotFound, ProviderTimeout, Throttled
from deltacloud_gateway.answers import explain


def test_a_driver_without_the_operation_is_412_before_parameters_and_credentials(client: Any) -> None:
    answer = client.post("/api/load_balancers", login=None)

    assert answer.status == 412
    assert answer.headers["expect"] == "create_load_balancer"


def test_a_missing_parameter_is_400_before_credentials(client: Any) -> None:
    answer = client.post("/api/instances", "name=web", login=None)

    assert answer.status == 400
    assert answer.xml.findtext("message") == "Required parameter 'image_id' not found in [name]"


def test_an_unknown_path_is_a_404_in_the_negotiated_format(client: Any) -> None:
    assert client.get("/api/nosuch").xml.findtext("code") == "404"
    assert client.get("/api/realms/", accept="application/json").json["code"] == 404
    assert client.get("/elsewhere", accept="text/html").headers["content-type"] == "text/html"
    assert client.ask("OPTIONS", "*").status == 404


def test_a_wrong_method_is_405_and_says_which_are_right(client: Any) -> None:
    answer = client.ask("PUT", "/api/realms")

    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


def test_a_format_that_cannot_be_given_is_refused_before_anything_is_done(client: Any) -> None:
    answer = client.post("/api/instances/i1/stop", accept="image/png")

    assert answer.status == 406
    assert client.cloud.instances["i1"].state == "RUNNING"


@pytest.mark.parametrize("identifier", ["a%2Fb", "..", ".", "%252F", "x" * 1000, "%C3%A4", "a;b=c"])
def test_odd_ids_reach_the_driver_as_they_are(client: Any, identifier: str) -> None:
    answer = client.get(f"/api/instances/{identifier}")

    assert answer.status == 404
    assert client.cloud.last().method == "get_instance"


@pytest.mark.parametrize("identifier", ["%00", "a%0ab", "x" * 4096])
def test_ids_that_no_cloud_can_have_are_400(client: Any, identifier: str) -> None:
    answer = client.get(f"/api/instances/{identifier}")

    assert answer.status == 400
    assert client.cloud.seen == []


def test_a_driver_s_error_is_told_with_its_status_and_message(client: Any) -> None:
    client.cloud.fails = ProviderTimeout("The cloud did not answer in time.")

    answer = client.get("/api/instances", accept="application/json")

    assert answer.status == 504
    assert answer.json == {
        "code": 504,
        "message": "The cloud did not answer in time.",
        "error": "Deltacloud::Exceptions::ProviderTimeout",
        "reason": "provider_timeout",
        "driver": "tiny",
        "provider": "default",
    }
    assert answer.headers["x-deltacloud-error"] == "provider_timeout"


def test_a_cloud_that_asks_for_patience_makes_the_caller_patient(client: Any) -> None:
    client.cloud.fails = Throttled("Too many requests.", retry_after_s=2.2)

    answer = client.get("/api/instances")

    assert answer.status == 503
    assert answer.headers["retry-after"] == "3"


@pytest.mark.parametrize(
    ("told", "passed_on"), [(math.inf, "3600"), (math.nan, "1"), (-5.0, "1"), (1e300, "3600"), (0.2, "1")]
)
def test_no_time_to_wait_keeps_an_error_from_being_told(told: float, passed_on: str) -> None:
    response = Response()
    explain(response, Throttled("Too many requests.", retry_after_s=told), None)

    assert response.headers["retry-after"] == passed_on


def test_an_error_with_names_of_any_script_is_told_in_headers() -> None:
    response = Response()
    explain(
        response, CapabilityMissing("No.", details={"capability": "日本\ud800", "allow": "ü"}), 'Basic realm="日本"'
    )

    assert {"expect", "allow", "www-authenticate"} <= set(response.headers)


def test_an_error_repeats_the_caller_s_parameters_but_no_secret(client: Any) -> None:
    client.cloud.fails = NotFound("There is no image 'm9'.")

    answer = client.post("/api/instances", "image_id=m9&password=hunter2&undeclared=x")

    params = {each.get("name"): each.text for each in answer.xml.findall("request/param")}
    assert params == {"image_id": '"m9"'}
    assert "hunter2" not in answer.text


def test_a_defect_is_500_with_the_request_id_and_no_inside(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deltacloud_gateway.outcome.run", None)

    answer = client.get("/api/instances", X_Request_Id="req-1")

    assert answer.status == 500
    assert "req-1" in answer.text
    assert "Traceback" not in answer.text
    assert "NoneType" not in answer.text
