"""What the gateway answers itself: the entry point, drivers, states, the selector, documentation."""

from typing import Any

import pytest

from deltacloud.providers.picture import ProviderEntry
from deltacloud_gateway.representations import graph
from deltacloud_gateway.settings import GatewaySettings
from harness.asgi import ask
from harness.embedded import gateway
from harness.tiny_cloud import TinyCloud

API = "http://dc.example:3001/api"


def test_the_entry_point_lists_what_the_driver_has_and_needs_no_credentials(client: Any) -> None:
    answer = client.get("/api", login=None)

    rels = [each.get("rel") for each in answer.xml]
    assert answer.xml.get("driver") == "tiny"
    assert answer.xml.get("provider") is None
    assert "realms" in rels
    assert "load_balancers" not in rels
    assert client.get("/api/", login=None).body == answer.body


def test_force_auth_has_the_cloud_check_the_credentials(client: Any) -> None:
    assert client.get("/api?force_auth=true").status == 200
    assert client.cloud.last().method == "check_credentials"


def test_force_auth_without_credentials_is_challenged(client: Any) -> None:
    answer = client.get("/api?force_auth=1", login=None)

    assert answer.status == 401
    assert "www-authenticate" in answer.headers


def test_force_auth_with_wrong_credentials_is_401_without_a_challenge(client: Any) -> None:
    answer = client.get("/api?force_auth=1", login="Basic YTpi", accept="application/json")

    assert answer.status == 401
    assert answer.json["message"] == "Authentication failed"
    assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize(
    ("form", "referer", "location"),
    [
        ("driver=ec2", None, ";driver=ec2"),
        ("provider=p1", None, ";provider=p1"),
        ("provider=p1", f"{API};driver=ec2/images", ";driver=ec2;provider=p1"),
        ("provider=p1", "http://[", ";provider=p1"),
        ("provider=https://a.example/v3", None, ";provider=https:%2F%2Fa.example%2Fv3"),
        ("provider=default", None, "/"),
        ("", None, "/"),
    ],
)
def test_the_selector_redirects_to_the_chosen_driver(
    client: Any, form: str, referer: str | None, location: str
) -> None:
    answer = client.post("/api", form, **({"Referer": referer} if referer else {}))

    assert answer.status == 301
    assert answer.headers["location"] == API + location


def test_drivers_are_listed_with_their_providers_and_credential_labels(client: Any) -> None:
    answer = client.get("/api/drivers", login=None, accept="application/json")

    assert answer.json["tiny"] == {
        "name": "Tiny Cloud",
        "username": "Account",
        "password": "Token",
        "entrypoints": {"compute": {"east": "compute.east.example"}},
    }


def test_the_current_driver_s_providers_are_asked_of_the_cloud(client: Any) -> None:
    answer = client.get("/api/drivers/tiny")

    assert client.cloud.last().method == "list_providers"
    assert [each.get("id") for each in answer.xml.findall("provider")] == ["live"]


def test_without_credentials_the_providers_that_are_known_will_do(client: Any) -> None:
    answer = client.get("/api/drivers/tiny", login=None)

    assert client.cloud.seen == []
    assert [each.get("id") for each in answer.xml.findall("provider")] == ["east"]


def test_an_unknown_driver_is_404_with_an_error_body(client: Any) -> None:
    answer = client.get("/api/drivers/nosuch", accept="application/json")

    assert answer.status == 404
    assert "tiny" in answer.json["message"]


def test_the_operator_s_providers_are_named_but_their_addresses_are_not_told(settings: GatewaySettings) -> None:
    lab = ProviderEntry(name="lab", endpoint="http://10.0.0.1:8774")
    with gateway([TinyCloud()], settings, {"tiny": {"lab": lab}}) as app:
        answer = ask(app, "GET", "/api/drivers/tiny?format=xml", {"Host": "h"})

    assert [each.get("id") for each in answer.xml.findall("provider")] == ["east", "lab"]
    assert "10.0.0.1" not in answer.text


def test_the_states_are_the_driver_s(client: Any) -> None:
    answer = client.get("/api/instance_states", login=None)

    assert [each.get("name") for each in answer.xml] == ["start", "running", "stopped", "finish"]


def test_the_states_are_drawn_where_graphviz_is_installed_and_else_it_says_so(
    client: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = client.get("/api/instance_states?format=png", login=None)
    fake = tmp_path / graph.COMMAND
    fake.write_text("#!/bin/sh\nprintf 'PNG of '; while read -r line; do printf '%s' \"$line\"; done\n")
    fake.chmod(0o755)
    drawn = client.get("/api/instance_states?format=png", login=None)

    assert missing.status == 406
    assert "Graphviz" in missing.text
    assert drawn.status == 200
    assert drawn.headers["content-type"] == "image/png"
    assert drawn.body.startswith(b"PNG of digraph")


def test_a_driver_without_states_is_412(settings: GatewaySettings) -> None:
    class Stateless(TinyCloud):
        states = None

    with gateway([Stateless()], settings) as app:
        answer = ask(app, "GET", "/api/instance_states", {"Host": "h"})

    assert answer.status == 412
    assert answer.headers["expect"] == "instance_states"


def test_the_documentation_is_derived_from_the_catalogue(client: Any) -> None:
    index = client.get("/api/docs", accept="text/html", login=None)
    collection = client.get("/api/docs/firewalls", accept="text/html", login=None)
    operation = client.get("/api/docs/instances/create", accept="text/html", login=None)

    assert "storage_snapshots" in index.text
    assert "POST /api/firewalls/{id}/rules" in collection.text
    assert "image_id" in operation.text
    assert client.get("/api/docs/nosuch", accept="text/html").status == 404
    assert client.get("/api/docs/instances/nosuch", accept="text/html").status == 404
    assert client.get("/api/docs", accept="application/json").status == 406
