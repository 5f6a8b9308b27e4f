"""What a page of another site can have a browser do here, with the login the browser keeps: read, and no more."""

from typing import Any

import pytest

from deltacloud_gateway.settings import GatewaySettings

OWN = "http://dc.example:3001"
CHANGES = [
    ("POST", "/api/instances"),
    ("POST", "/api/instances/i1/stop"),
    ("POST", "/api"),
    ("PUT", "/api/buckets/b/x"),
    ("DELETE", "/api/instances/i1"),
]


@pytest.mark.parametrize(("method", "target"), CHANGES)
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site", "Origin": OWN},
        {"Origin": "http://evil.example"},
        {"Origin": "https://dc.example:3001"},
        {"Origin": "http://dc.example"},
        {"Origin": "null", "Sec_Fetch_Site": "same-origin"},
        {"Origin": ""},
        {"Origin": "http://dc.example:3001@evil.example"},
    ],
)
def test_a_change_that_another_site_asks_for_is_forbidden(
    client: Any, method: str, target: str, headers: dict[str, str]
) -> None:
    answer = client.ask(method, target, accept="application/json", body="image_id=m1", **headers)

    assert (answer.status, answer.json["reason"]) == (403, "forbidden")
    assert client.cloud.seen == []


def test_a_change_that_another_site_hides_in_a_post_is_forbidden(client: Any) -> None:
    client.post("/api/instances/i1", "_method=delete", Origin="http://evil.example")

    assert "i1" in client.cloud.instances


def test_another_site_cannot_use_the_operator_s_own_credentials(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_USER", "alice")
    monkeypatch.setenv("API_PASSWORD", "correct horse")
    client.app._api._settings = GatewaySettings(default_driver="tiny")

    assert client.post("/api/instances/i1/stop", login=None, Origin="http://evil.example").status == 403
    assert client.post("/api/instances/i1/stop", login=None).status == 202


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": OWN, "Sec_Fetch_Site": "same-origin"},
        {"Origin": OWN.upper().replace("HTTP", "http")},
        {"Sec_Fetch_Site": "none"},
        {"Origin": "https://front.example", "X_Forwarded_Host": "front.example", "X_Forwarded_Proto": "https"},
        {"Origin": "https://front.example", "X_Forwarded_Host": "front.example:443", "X_Forwarded_Proto": "https"},
        {"Origin": "http://dc.example", "Host": "dc.example"},
        {"Origin": "http://[::1]:3001", "Host": "[::1]:3001"},
    ],
)
def test_our_own_pages_and_callers_that_are_no_browsers_may_change_things(client: Any, headers: dict[str, str]) -> None:
    assert client.post("/api/instances/i1/stop", **headers).status == 202


def test_another_site_may_link_to_us(client: Any) -> None:
    assert client.get("/api/instances", Sec_Fetch_Site="cross-site", Origin="http://evil.example").status == 200
