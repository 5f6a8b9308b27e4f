"""Whose credentials a request carries, and what is said when they are missing or wrong."""

import base64
from typing import Any

import pytest

from deltacloud_gateway.settings import GatewaySettings


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


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
