"""A RabbitMQ seen from a test: virtual hosts of its own, users, queues, and what a broker keeps on disk."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

import msgspec
import requests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from harness.rabbitmq import PrivateNode


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where a broker listens, and an administrator's login there."""

    host: str
    port: int
    management_url: str
    username: str
    password: str

    def __repr__(self) -> str:
        return f"<RabbitMQ at {self.host}:{self.port}>"


def named_in_environment() -> Address | None:
    """Return the broker of the AMQP URL in DELTACLOUD_TEST_BROKER, None when that is not set.

    Its management API is at DELTACLOUD_TEST_BROKER_MANAGEMENT, else at port 15672 of the same host.
    """
    url = os.environ.get("DELTACLOUD_TEST_BROKER")
    if not url:
        return None
    parts = urlsplit(url)
    host = parts.hostname or "127.0.0.1"
    return Address(
        host=host,
        port=parts.port or 5672,
        management_url=os.environ.get("DELTACLOUD_TEST_BROKER_MANAGEMENT", f"http://{host}:15672").rstrip("/"),
        username=unquote(parts.username or "guest"),
        password=unquote(parts.password or "guest"),
    )


class Permissions(msgspec.Struct, frozen=True, kw_only=True):
    """What a user may do in one virtual host: three regular expressions over names of queues and exchanges."""

    configure: str = ""
    write: str = ""
    read: str = ""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message waiting in a queue, as the management API shows it."""

    payload: str
    """The body: text as it is, anything else in base64."""
    payload_encoding: str
    exchange: str
    routing_key: str
    redelivered: bool
    properties: dict[str, Any]


class Broker:
    """A running RabbitMQ. Everything goes through its management API; requests.HTTPError says what it refused."""

    def __init__(self, address: Address, node: PrivateNode | None = None) -> None:
        self.address = address
        self._node = node

    def __repr__(self) -> str:
        return f"<Broker {self.address!r}>"

    @property
    def management_url(self) -> str:
        """The management API's base, without a slash at the end."""
        return self.address.management_url

    @property
    def username(self) -> str:
        """An administrator, for AMQP and for the management API."""
        return self.address.username

    @property
    def password(self) -> str:
        """The administrator's password."""
        return self.address.password

    @property
    def data_dir(self) -> Path:
        """The folder of the broker's messages and metadata. RuntimeError unless the node is private."""
        return self._private_node.data_dir

    def url(self, vhost: str, *, username: str | None = None, password: str | None = None) -> str:
        """Return the AMQP URL of `vhost`, for the administrator or for the user given."""
        user = quote(username or self.username, safe="")
        secret = quote(self.password if password is None else password, safe="")
        return f"amqp://{user}:{secret}@{self.address.host}:{self.address.port}/{quote(vhost, safe='')}"

    @contextmanager
    def new_vhost(self) -> Iterator[str]:
        """Make a virtual host nobody else uses and yield its name; it goes, with its connections, at the end."""
        name = f"test-{secrets.token_hex(8)}"
        self.request("PUT", f"vhosts/{name}")
        try:
            self._permit(self.username, name, Permissions(configure=".*", write=".*", read=".*"))
            yield name
        finally:
            self.request("DELETE", f"vhosts/{name}")

    def add_user(self, name: str, password: str, permissions: Mapping[str, Permissions]) -> None:
        """Make (or change) a user without any tag, with `permissions` by virtual host.

        Users belong to the whole broker: on a shared one give each a name of its own.
        """
        self.request("PUT", f"users/{quote(name, safe='')}", {"password": password, "tags": ""})
        for vhost, permission in permissions.items():
            self._permit(name, vhost, permission)

    def queue_names(self, vhost: str) -> list[str]:
        """Return the names of the queues there are now, sorted."""
        queues = self.request("GET", f"queues/{quote(vhost, safe='')}?disable_stats=true&enable_queue_totals=true")
        return sorted(queue["name"] for queue in queues)

    def messages(self, vhost: str, queue: str, *, at_most: int = 100) -> list[Message]:
        """Return the first messages that wait in a queue and leave them there (marked as redelivered)."""
        query = {"count": at_most, "ackmode": "ack_requeue_true", "encoding": "auto"}
        found = self.request("POST", f"queues/{quote(vhost, safe='')}/{quote(queue, safe='')}/get", query)
        # A message without properties has [] there, Erlang's empty list.
        return msgspec.convert(
            [message | {"properties": message["properties"] or {}} for message in found], list[Message]
        )

    def request(self, method: str, path: str, body: object = None) -> Any:
        """Call the management API at `/api/<path>` and return the JSON it answers, None for an empty answer."""
        with requests.Session() as session:
            session.trust_env = False  # a proxy or a .netrc is not for a broker under test
            session.auth = (self.username, self.password)
            answer = session.request(method, f"{self.management_url}/api/{path}", json=body, timeout=30)
            answer.raise_for_status()
            return answer.json() if answer.content else None

    def start(self) -> None:
        """Start a stopped broker on the same ports and data. RuntimeError unless the node is private."""
        self._private_node.start()

    def stop(self) -> None:
        """Stop the broker in good order; its data stays. RuntimeError unless the node is private."""
        self._private_node.stop()

    def kill9(self) -> None:
        """End the broker as a power cut would; its data stays. RuntimeError unless the node is private."""
        self._private_node.kill9()

    def control(self, *command: str) -> None:
        """Run a command of `rabbitmqctl` on the node. RuntimeError unless the node is private."""
        self._private_node.control(*command)

    @property
    def _private_node(self) -> PrivateNode:
        if self._node is None:
            raise RuntimeError(f"{self!r} is shared with other tests: use the fixture own_broker")
        return self._node

    def _permit(self, user: str, vhost: str, permissions: Permissions) -> None:
        path = f"permissions/{quote(vhost, safe='')}/{quote(user, safe='')}"
        self.request("PUT", path, msgspec.to_builtins(permissions))
