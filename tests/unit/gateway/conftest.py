import base64
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from deltacloud_gateway.settings import GatewaySettings
from harness.asgi import Answer, ask
from harness.embedded import gateway
from harness.tiny_cloud import PASSWORD, USER, TinyCloud

LOGIN = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
HOST = "dc.example:3001"


class Client(msgspec.Struct, frozen=True):
    """A caller of the gateway over a tiny cloud."""

    app: Any
    cloud: TinyCloud

    def ask(
        self,
        method: str,
        target: str,
        *,
        accept: str | None = "application/xml",
        login: str | None = LOGIN,
        body: bytes | str = b"",
        **headers: str,
    ) -> Answer:
        """Send a request; of header names the underscores become hyphens, `None` leaves one out."""
        sent = {"Host": HOST, "Accept": accept, "Authorization": login}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if body and "Content-Type" not in sent:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        return ask(self.app, method, target, {name: value for name, value in sent.items() if value is not None}, body)

    def get(self, target: str, **more: Any) -> Answer:
        """Read something."""
        return self.ask("GET", target, **more)

    def post(self, target: str, body: bytes | str = b"", **more: Any) -> Answer:
        """Send a form."""
        return self.ask("POST", target, body=body, **more)


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> GatewaySettings:
    for name in ("API_USER", "API_PASSWORD", "API_DRIVER", "API_PROVIDER", "DELTACLOUD_DRIVER", "DELTACLOUD_PROVIDER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOSTNAME", "dchost")
    return GatewaySettings(default_driver="tiny")


@pytest.fixture
def client(settings: GatewaySettings) -> Iterator[Client]:
    """A caller of a gateway whose only driver is a tiny cloud."""
    cloud = TinyCloud()
    with gateway([cloud], settings) as app:
        yield Client(app, cloud)
