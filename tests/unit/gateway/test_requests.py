"""One request from outside: the order of the checks, what reaches the driver, what comes back."""

import base64
import threading
import time
from typing import Any

import msgspec
import pytest

from deltacloud.errors import NotFound, ProviderTimeout, Throttled
from deltacloud.providers.holder import PictureHolder
from deltacloud.rpc.inprocess import InProcessTransport
from deltacloud_gateway.app import create_app
from deltacloud_gateway.representations import documents
from deltacloud_gateway.settings import GatewaySettings
from harness.asgi import ask

API = "http://dc.example:3001/api"


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_an_answer_says_who_gave_it_and_can_be_cached_by_its_quoted_etag(client: Any) -> None:
    answer = client.get("/api/instances")

    assert answer.status == 200
    assert answer.headers["server"] == "Apache-Deltacloud/1.1.3"
    assert answer.headers["x-deltacloud-driver"] == "tiny"
    assert "x-deltacloud-provider" not in answer.headers
    assert float(answer.headers["x-backend-runtime"]) >= 0
    assert answer.headers["etag"].strip('"') != answer.headers["etag"]
    assert answer.headers["cache-control"] == "max-age=0, private, must-revalidate"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_links_are_absolute_and_follow_the_host_the_client_sees(client: Any) -> None:
    plain = client.get("/api/instances/i1")
    forwarded = client.get("/api/instances/i1", X_Forwarded_Host="front.example", X_Forwarded_Proto="https")

    assert plain.xml.get("href") == f"{API}/instances/i1"
    assert forwarded.xml.get("href") == "https://front.example/api/instances/i1"


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/api;driver=TINY;provider=West/realms", {}),
        ("/api/realms?api[driver]=tiny&api%5Bprovider%5D=West", {}),
        ("/api/realms", {"X_Deltacloud_Driver": "Tiny", "X_Deltacloud_Provider": "West"}),
    ],
)
def test_driver_and_provider_are_selected_by_matrix_query_or_header(
    client: Any, target: str, headers: dict[str, str]
) -> None:
    answer = client.get(target, **headers)

    assert answer.status == 200
    assert answer.headers["x-deltacloud-driver"] == "tiny"
    assert answer.headers["x-deltacloud-provider"] == "West"
    assert client.cloud.last().session.provider.name == "West"


def test_the_selection_in_the_url_beats_the_header(client: Any) -> None:
    answer = client.get("/api;provider=inner/realms", X_Deltacloud_Provider="outer")

    assert answer.headers["x-deltacloud-provider"] == "inner"


def test_an_unknown_driver_is_400_and_told_what_there_is(client: Any) -> None:
    answer = client.get("/api/realms", X_Deltacloud_Driver="nosuch")

    assert answer.status == 400
    assert "tiny" in (answer.xml.findtext("message") or "")
    assert answer.xml.find("backend").get("driver") == "nosuch"


def test_the_list_of_drivers_answers_even_to_those_who_name_an_unknown_one(client: Any) -> None:
    assert client.get("/api/drivers", X_Deltacloud_Driver="nosuch").status == 200


def test_before_any_worker_has_announced_itself_the_answer_is_to_come_back_later(settings: GatewaySettings) -> None:
    app = create_app(settings, InProcessTransport({}), PictureHolder())

    answer = ask(app, "GET", "/api/realms", {"Host": "h"})

    assert answer.status == 503
    assert int(answer.headers["retry-after"]) >= 1


def test_a_driver_without_the_operation_is_412_before_parameters_and_credentials(client: Any) -> None:
    answer = client.post("/api/load_balancers", login=None)

    assert answer.status == 412
    assert answer.headers["expect"] == "create_load_balancer"


def test_a_missing_parameter_is_400_before_credentials(client: Any) -> None:
    answer = client.post("/api/instances", "name=web", login=None)

    assert answer.status == 400
    assert answer.xml.findtext("message") == "Required parameter 'image_id' not found in [name]"


def test_missing_credentials_are_challenged_before_the_driver_is_called(client: Any) -> None:
    answer = client.get("/api/instances", login=None)

    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Basic realm="tiny-deltacloud@dchost"'
    assert client.cloud.seen == []


@pytest.mark.parametrize("login", ["Bearer abc", "Basic %%%", basic("no colon"), "Basic", ""])
def test_credentials_that_cannot_be_read_are_challenged_and_repeated_nowhere(client: Any, login: str) -> None:
    answer = client.get("/api/instances", login=login)

    assert answer.status == 401
    assert "www-authenticate" in answer.headers
    assert "no colon" not in answer.text


def test_credentials_the_cloud_refuses_are_not_challenged(client: Any) -> None:
    answer = client.get("/api/instances", login=basic("alice:wrong"))

    assert answer.status == 401
    assert "www-authenticate" not in answer.headers
    assert answer.xml.findtext("message") == "The account or the token is wrong."


def test_a_password_may_have_colons_and_letters_of_any_script(client: Any) -> None:
    client.get("/api/realms", login=basic("älice:pass:wörd"))

    assert client.cloud.last().session.credentials.user == "älice"
    assert client.cloud.last().session.credentials.password == "pass:wörd"


def test_operations_that_need_no_credentials_ask_for_none(client: Any) -> None:
    assert client.get("/api/realms", login=None).status == 200
    assert client.get("/api/realms", login="Basic %%%").status == 200


def test_the_operator_s_own_credentials_replace_those_of_the_caller(
    settings: GatewaySettings, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_USER", "alice")
    monkeypatch.setenv("API_PASSWORD", "correct horse")
    client.app._api._settings = GatewaySettings(default_driver="tiny")

    assert client.get("/api/instances", login=basic("mallory:guess")).status == 200


def test_an_unknown_path_is_a_404_in_the_negotiated_format(client: Any) -> None:
    assert client.get("/api/nosuch").xml.findtext("code") == "404"
    assert client.get("/api/realms/", accept="application/json").json["code"] == 404
    assert client.get("/elsewhere", accept="text/html").headers["content-type"] == "text/html"


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


def test_the_request_id_comes_back_and_reaches_the_driver(client: Any) -> None:
    answer = client.get("/api/instances", X_Request_Id="req-7")

    assert answer.headers["x-request-id"] == "req-7"
    assert client.cloud.last().session.request_id == "req-7"


@pytest.mark.parametrize("given", ["", "x" * 129, "a\tb", " "])
def test_a_request_id_that_cannot_be_one_is_replaced(client: Any, given: str) -> None:
    assert len(client.get("/api/instances", X_Request_Id=given).headers["x-request-id"]) == 36


def test_an_idempotency_key_reaches_the_driver_and_each_request_without_one_gets_its_own(client: Any) -> None:
    client.post("/api/instances", "image_id=m1", Idempotency_Key="once")
    given = client.cloud.last().session.idempotency_key
    client.post("/api/instances", "image_id=m1")
    first = client.cloud.last().session.idempotency_key
    client.post("/api/instances", "image_id=m1")

    assert given == "once"
    assert len({given, first, client.cloud.last().session.idempotency_key}) == 3


def test_a_malformed_idempotency_key_is_refused(client: Any) -> None:
    assert client.post("/api/instances", "image_id=m1", Idempotency_Key="x" * 129).status == 400
    assert client.cloud.seen == []


def test_a_client_may_shorten_its_deadline_but_not_lengthen_it(client: Any, settings: GatewaySettings) -> None:
    client.get("/api/instances", X_Deltacloud_Deadline="2.5")
    short = client.cloud.last().session.deadline.at - time.time()
    client.get("/api/instances", X_Deltacloud_Deadline="100000")
    long = client.cloud.last().session.deadline.at - time.time()

    assert short <= 2.5
    assert 2.5 < long <= settings.deadline_s


@pytest.mark.parametrize("given", ["0", "-1", "soon", "1e9", "nan"])
def test_a_malformed_deadline_is_refused(client: Any, given: str) -> None:
    answer = client.get("/api/instances", X_Deltacloud_Deadline=given)

    assert answer.status == 400
    assert client.cloud.seen == []


def test_too_much_at_once_is_503_and_nothing_is_started(client: Any) -> None:
    client.app._settings = client.app._settings.model_copy(update={"max_in_flight": 1})
    client.app._in_flight = 1

    answer = client.get("/api/instances")

    assert answer.status == 503
    assert answer.headers["retry-after"] == "1"
    assert client.cloud.seen == []
    assert client.get("/health/live").status == 200


def test_a_request_without_a_host_is_400(client: Any) -> None:
    assert ask(client.app, "GET", "/api/realms", {"Accept": "application/xml"}).status == 400


@pytest.mark.parametrize("host", ["a b", "evil/../x", "h'><x", "h?"])
def test_a_host_that_is_none_is_400_and_stands_in_no_link(client: Any, host: str) -> None:
    answer = ask(client.app, "GET", "/api/realms", {"Host": host})

    assert answer.status == 400
    assert host not in answer.text


@pytest.mark.parametrize("provider", ["a%0d%0aSet-Cookie:x", "%00", "x" * 2000])
def test_a_provider_that_cannot_stand_in_a_header_is_400(client: Any, provider: str) -> None:
    assert client.get(f"/api/realms?api[provider]={provider}").status == 400


def test_a_provider_url_that_nothing_allows_is_refused_before_a_worker_hears_of_it(client: Any) -> None:
    answer = client.get("/api/realms", X_Deltacloud_Provider="http://169.254.169.254/latest")

    assert answer.status == 400
    assert "169.254.169.254" in answer.xml.findtext("message")
    assert client.cloud.seen == []


def test_creating_answers_201_with_the_location(client: Any) -> None:
    answer = client.post("/api/instances", "image_id=m1&name=web")

    assert answer.status == 201
    assert answer.headers["location"] == f"{API}/instances/new0"
    assert answer.xml.findtext("name") == "web"


def test_creating_several_answers_their_list_without_a_location(client: Any) -> None:
    answer = client.post("/api/instances", "image_id=m1&instance_count=2", accept="application/json")

    assert answer.status == 201
    assert "location" not in answer.headers
    assert [each["id"] for each in answer.json["instances"]] == ["new0", "new1"]


def test_an_action_answers_202_with_the_instance_as_it_is_then(client: Any) -> None:
    answer = client.post("/api/instances/i1/stop")

    assert answer.status == 202
    assert answer.xml.findtext("state") == "STOPPED"


def test_the_json_of_an_instance_action_has_no_wrapper(client: Any) -> None:
    assert client.post("/api/instances/i1/stop", accept="application/json").json["id"] == "i1"


def test_destroying_answers_204_without_a_body(client: Any) -> None:
    client.post("/api/instances/i1/stop")

    answer = client.ask("DELETE", "/api/instances/i1")

    assert answer.status == 204
    assert answer.body == b""
    assert "content-type" not in answer.headers


def test_an_action_the_state_does_not_allow_is_405(client: Any) -> None:
    answer = client.ask("DELETE", "/api/instances/i1")

    assert answer.status == 405
    assert "stop" in (answer.xml.findtext("message") or "")


def test_an_action_that_answers_nothing_is_an_empty_202(client: Any) -> None:
    answer = client.post("/api/addresses/203.0.113.9/associate", "instance_id=i1")

    assert (answer.status, answer.body) == (202, b"")


@pytest.mark.parametrize("how", [{"body": "_method=delete"}, {"X_HTTP_Method_Override": "DELETE"}])
def test_a_post_can_stand_for_another_method(client: Any, how: dict[str, str]) -> None:
    client.post("/api/instances/i1/stop")

    assert client.post("/api/instances/i1", **how).status == 204
    assert "i1" not in client.cloud.instances


def test_head_answers_as_get_without_the_body_and_the_etag(client: Any) -> None:
    answer = client.ask("HEAD", "/api/instances/i1")

    assert answer.status == 200
    assert answer.body == b""
    assert answer.headers["content-length"] == client.get("/api/instances/i1").headers["content-length"]
    assert "etag" not in answer.headers


def test_head_of_an_action_answers_without_credentials_and_does_nothing(client: Any) -> None:
    assert client.ask("HEAD", "/api/instances/i1/stop", login=None).status == 200
    assert client.cloud.seen == []


def test_options_tell_the_methods_of_a_collection_and_the_parameters_of_an_operation(client: Any) -> None:
    assert client.ask("OPTIONS", "/api/realms", login=None).headers["allow"] == "OPTIONS,GET"
    assert client.ask("OPTIONS", "/api/firewalls", login=None).headers["allow"] == "OPTIONS,GET,POST,DELETE"
    create = client.ask("OPTIONS", "/api/instances/create", login=None).headers["allow"].split(",")
    assert create[:3] == ["name:string:optional", "keyname:string:optional", "image_id:string:required"]
    stop = client.ask("OPTIONS", "/api/instances/x/stop", login=None)
    assert stop.headers["allow"] == "id:string:required"
    assert client.ask("OPTIONS", "/api/instances/x").status == 404


def test_options_of_the_entry_point_name_the_driver_s_collections(client: Any) -> None:
    names = client.ask("OPTIONS", "/api", login=None).headers["allow"].split(",")

    assert "Deltacloud::Rabbit::DriversCollection" in names
    assert "Deltacloud::Rabbit::InstanceStatesCollection" in names
    assert "Deltacloud::Rabbit::BucketsCollection" not in names


def test_health_tells_that_the_process_lives_and_whether_it_can_answer(client: Any, settings: GatewaySettings) -> None:
    lonely = create_app(settings, InProcessTransport({}), PictureHolder())

    assert client.get("/health/live", login=None).status == 200
    assert client.get("/health/ready", login=None).json == {"status": "ready", "reasons": []}
    assert ask(lonely, "GET", "/health/ready").status == 503


def test_metrics_count_requests_by_route_and_never_by_what_a_client_writes(client: Any) -> None:
    client.get("/api/instances/some-id")
    client.ask("FROB", "/nosuch/path")

    text = client.get("/metrics", login=None).text

    assert 'deltacloud_http_requests_total{method="GET",route="/api/instances/{id}",status="404"}' in text
    assert 'method="other",route="unmatched"' in text
    assert "some-id" not in text
    assert "FROB" not in text


def test_what_is_not_the_api_can_only_be_read(client: Any) -> None:
    assert client.get("/robots.txt", login=None).text.startswith("User-agent: *")
    assert client.post("/robots.txt", login=None).status == 405


def test_a_traceparent_is_passed_on_when_it_is_one(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    contexts: list[Any] = []
    call = client.app._api._transport.call

    async def record(service: str, method: str, context: Any, parameters: Any) -> Any:
        contexts.append(context)
        return await call(service, method, context, parameters)

    monkeypatch.setattr(client.app._api._transport, "call", record)
    given = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"
    client.get("/api/instances", traceparent=given)
    client.get("/api/instances", traceparent="nonsense")

    assert contexts[0].traceparent == given
    assert msgspec.json.encode(contexts[1].traceparent) != b'"nonsense"'
    assert len(contexts[1].traceparent) == len(given)


def test_a_long_list_is_whole_and_written_in_a_thread_so_that_other_requests_go_on(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = client.cloud.instances["i1"]
    client.cloud.instances = {f"i{number}": msgspec.structs.replace(one, id=f"i{number}") for number in range(2000)}
    writers: list[int] = []
    write = documents.many

    def noted(*arguments: Any) -> Any:
        writers.append(threading.get_ident())
        return write(*arguments)

    monkeypatch.setattr(documents, "many", noted)

    answer = client.get("/api/instances")

    assert len(answer.xml) == 2000
    assert writers != [threading.get_ident()]
