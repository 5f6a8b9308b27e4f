"""What comes back from an operation: status, headers, body."""

import threading
from typing import Any

import msgspec
import pytest

from deltacloud_gateway.representations import documents

API = "http://dc.example:3001/api"


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
