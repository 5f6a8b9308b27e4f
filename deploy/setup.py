"""Make what is secret at the first start: broker users, their least permissions, and the sealing key.

Run by the ``setup`` service of compose.yml, in the registry's image. Each service gets a volume of its own, so that it
can read its own secret and no other. What exists is kept: removing the volumes makes everything anew.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import secrets
from pathlib import Path

from nacl.public import PrivateKey

from deltacloud.rpc.envelope import EXCHANGE as RPC
from deltacloud.rpc.names import EVENTS_EXCHANGE as EVENTS
from deltacloud.rpc.names import REGISTRY_ASKED, REGISTRY_PICTURE, WORKER_ANNOUNCED, queue_of

ROOT = Path("/run/deltacloud")
VHOST = "deltacloud"
SERVICES = ("gateway", "registry", "compute", "storage", "client")
"""Each gets a broker user; ``client`` is for other teams' services that call the RPC themselves."""

SERVED = {"registry": "registry", "compute": r"compute\..*", "storage": r"storage\..*"}
"""The RPC services whose calls each takes, as regular expressions; the others only call."""

OWN_QUEUES = r"(rpc\.reply|picture|events)-.*"
"""Queues that a connection makes for itself: replies, and events it listens to."""

OUR_REPLIES = r"rpc\.reply-.*"
ONE_WORD = "[^.#*]+"
"""Nameko's own callers have their replies sent to a UUID; ``#`` and ``*`` as bindings would take everybody's."""

ALL_CALLS = r"(compute|storage|registry)\..*"
PICTURE_CALL = re.escape("registry.get_picture")
MAY_CALL = {"gateway": ALL_CALLS, "client": ALL_CALLS, "compute": PICTURE_CALL, "storage": PICTURE_CALL}
MAY_TELL = {
    "registry": (REGISTRY_PICTURE, REGISTRY_ASKED),
    "compute": (WORKER_ANNOUNCED,),
    "storage": (WORKER_ANNOUNCED,),
}
"""The events each service may publish; MAY_HEAR those it may bind."""
MAY_HEAR = {
    "gateway": (REGISTRY_PICTURE,),
    "client": (REGISTRY_PICTURE,),
    "registry": (REGISTRY_PICTURE, WORKER_ANNOUNCED),
    "compute": (REGISTRY_PICTURE, REGISTRY_ASKED),
    "storage": (REGISTRY_PICTURE, REGISTRY_ASKED),
}


def any_of(*patterns: str) -> str:
    """Return the regular expression of whatever matches one of some; of nothing at all without any."""
    return f"^({'|'.join(patterns)})$" if patterns else "^(?!)"


def password_hash(password: str) -> str:
    """Return RabbitMQ's salted SHA-256 of a password."""
    salt = secrets.token_bytes(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def permissions(service: str) -> dict[str, str]:
    """Return what a service may configure, write and read: its own queues, and the two exchanges."""
    queues = [OWN_QUEUES]
    if service in SERVED:
        queues.append(queue_of(SERVED[service]))
    told = [EVENTS] if service in MAY_TELL else []
    return {
        "user": service,
        "vhost": VHOST,
        "configure": any_of(*queues),
        "write": any_of(*queues, RPC, *told),
        "read": any_of(*queues, RPC, EVENTS),
    }


def topic_permissions(service: str) -> list[dict[str, str]]:
    """Return the routing keys a service may publish (write), and bind its queues with (read)."""
    calls = [MAY_CALL[service]] if service in MAY_CALL else []
    answers = [OUR_REPLIES, ONE_WORD] if service in SERVED else []
    served = [rf"{SERVED[service]}\.\*"] if service in SERVED else []
    replies = [OUR_REPLIES, ONE_WORD] if service == "client" else [OUR_REPLIES]
    rules = {
        RPC: (calls + answers, served + replies),
        EVENTS: ([*map(re.escape, MAY_TELL.get(service, ()))], [*map(re.escape, MAY_HEAR[service])]),
    }
    return [
        {"user": service, "vhost": VHOST, "exchange": exchange, "write": any_of(*sent), "read": any_of(*bound)}
        for exchange, (sent, bound) in rules.items()
    ]


def definitions(passwords: dict[str, str]) -> dict[str, object]:
    """Return what the broker loads at its start."""
    exchange = {"vhost": VHOST, "type": "topic", "durable": True, "auto_delete": False, "internal": False}
    users = [
        {"name": name, "password_hash": password_hash(password), "tags": "", "limits": {}}
        | {"hashing_algorithm": "rabbit_password_hashing_sha256"}
        for name, password in passwords.items()
    ]
    return {
        "vhosts": [{"name": VHOST}],
        "users": users,
        "permissions": [permissions(service) for service in SERVICES],
        "topic_permissions": [rule for service in SERVICES for rule in topic_permissions(service)],
        "exchanges": [{"name": name, "arguments": {}, **exchange} for name in (RPC, EVENTS)],
    }


def write(path: Path, text: str, mode: int) -> None:
    """Write a file at once or not at all, whatever an interrupted attempt left behind."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    fresh.replace(path)


def main() -> None:
    """Make the secrets unless they are all there; the broker's definitions come last and mark the end."""
    done = ROOT / "broker" / "definitions.json"
    if done.exists():
        return
    passwords = {service: secrets.token_urlsafe(32) for service in SERVICES}
    sealing_key = base64.b64encode(bytes(PrivateKey.generate())).decode()
    for service, password in passwords.items():
        write(ROOT / service / "broker", f"amqp://{service}:{password}@broker:5672/{VHOST}\n", 0o400)
    for service in ("compute", "storage"):
        write(ROOT / service / "sealing-key", f"{sealing_key}\n", 0o400)
    write(done, json.dumps(definitions(passwords), indent=1), 0o444)


if __name__ == "__main__":
    main()
