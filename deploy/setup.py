"""Make what is secret at the first start: broker users, their least permissions, and the sealing key.

Run by the ``setup`` service of compose.yml, in the registry's image. Each service gets a volume of its own, so that it
can read its own secret and no other. What exists is kept: removing the volumes makes everything anew.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from pathlib import Path

from nacl.public import PrivateKey

ROOT = Path("/run/deltacloud")
VHOST = "deltacloud"
SERVICES = ("gateway", "registry", "compute", "storage", "client")
"""Each gets a broker user; ``client`` is for other teams' services that call the RPC themselves."""

RPC, EVENTS = "nameko-rpc", "deltacloud-events"
OWN_QUEUES = r"(rpc\.reply|picture|events)-.*"
"""Queues that a connection makes for itself: replies, and events it listens to."""

SERVED = {"gateway": None, "client": None, "registry": "rpc-registry", "compute": r"rpc-compute\..*", "storage": r"rpc-storage\..*"}
"""The queues each service consumes calls from."""

MAY_CALL = {
    "gateway": r"(compute|storage|registry)\..*",
    "client": r"(compute|storage|registry)\..*",
    "registry": "",
    "compute": r"registry\.get_picture",
    "storage": r"registry\.get_picture",
}
MAY_TELL = {
    "gateway": "",
    "client": "",
    "registry": r"registry\.(picture|asked)",
    "compute": r"worker\.announced",
    "storage": r"worker\.announced",
}
"""Routing keys each service may publish, beside replies."""


def password_hash(password: str) -> str:
    """Return RabbitMQ's salted SHA-256 of a password."""
    salt = secrets.token_bytes(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def permissions(service: str) -> dict[str, str]:
    """Return what a service may configure, write and read: its own queues, and the two exchanges."""
    queues = f"({OWN_QUEUES}|{SERVED[service]})" if SERVED[service] else f"({OWN_QUEUES})"
    return {
        "user": service,
        "vhost": VHOST,
        "configure": f"^{queues}$",
        "write": f"^({queues}|{RPC}|{EVENTS})$",
        "read": f"^({queues}|{RPC}|{EVENTS})$",
    }


def topic_permissions(service: str) -> list[dict[str, str]]:
    """Return the routing keys a service may publish and bind."""
    called = MAY_CALL[service]
    replies = r"rpc\.reply-.*|[^.]+"  # ours; nameko's own callers name theirs by a bare UUID
    told = {"user": service, "vhost": VHOST, "exchange": EVENTS, "write": f"^{MAY_TELL[service]}$", "read": ".*"}
    sent = f"^({called}|{replies})$" if called else f"^({replies})$"
    return [told, {"user": service, "vhost": VHOST, "exchange": RPC, "write": sent, "read": ".*"}]


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
    """Write a file at once or not at all."""
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
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
