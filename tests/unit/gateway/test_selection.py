"""Which driver and provider a request is for, and at which host it was sent."""

from typing import Any
from urllib.parse import quote

import pytest

from deltacloud.providers.holder import PictureHolder
from deltacloud.rpc.inprocess import InProcessTransport
from deltacloud_gateway.app import create_app
from deltacloud_gateway.settings import GatewaySettings
from harness.asgi import ask

API = "http://dc.example:3001/api"


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


@pytest.mark.parametrize(
    "provider",
    [
        "https://user:canary@cloud.example/v3",
        "https://canary@cloud.example",
        "user:canary@cloud.example:5000",
        "identity=https://cloud.example/v3;compute=https://user:canary@cloud.example",
        "https://user:can/ary@cloud.example",
    ],
)
@pytest.mark.parametrize("way", ["header", "query", "matrix", "form"])
def test_a_provider_url_with_a_user_name_is_refused_and_nothing_of_it_is_repeated(
    client: Any, provider: str, way: str
) -> None:
    coded = quote(provider, safe="")
    answer = {
        "header": lambda: client.get("/api/realms", X_Deltacloud_Provider=provider),
        "query": lambda: client.get(f"/api/realms?api[provider]={coded}"),
        "matrix": lambda: client.get(f"/api;provider={coded}/realms"),
        "form": lambda: client.post("/api", f"provider={coded}"),
    }[way]()

    assert (answer.status, answer.headers["x-deltacloud-error"]) == (400, "forbidden_provider")
    assert "x-deltacloud-provider" not in answer.headers
    assert "canary" not in answer.text + str(answer.headers)
    assert client.cloud.seen == []
