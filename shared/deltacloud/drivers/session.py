"""What a driver is given for one call, and the cache in which its native clients outlive the call."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from deltacloud.errors import AuthenticationFailed, UnknownProvider
from deltacloud.rpc.deadline import Deadline

T = TypeVar("T")


class Credentials(msgspec.Struct, frozen=True):
    """A user and a password, in memory only. ``parameters`` are those of the call that came under the same seal."""

    user: str
    password: str
    parameters: dict[str, Any] = {}

    def __repr__(self) -> str:
        """Hide everything."""
        return "Credentials(…)"


class ProviderTarget(msgspec.Struct, frozen=True, kw_only=True):
    """Where a call goes, after resolution.

    ``name`` is the provider as the client wrote it, or the default. ``endpoint`` and ``endpoints`` are set for the
    operator's own and for client-named URLs. ``addresses`` maps a URL's host to the addresses that passed the policy;
    for a ``trusted`` target there are none and none are needed. ``allow`` is the policy that let an untrusted one pass,
    for further URLs the cloud may send the driver to. ``ca_pem`` is the text of a private CA.
    """

    name: str | None = None
    endpoint: str | None = None
    endpoints: dict[str, str] = {}
    region: str | None = None
    ca_pem: str | None = None
    options: dict[str, str] = {}
    is_trusted: bool = True
    addresses: dict[str, tuple[str, ...]] = {}
    allow: tuple[str, ...] = ()

    def endpoint_of(self, service: str) -> str | None:
        """Return the URL of one native service (``ec2``, ``s3``), or ``None`` where the cloud's own applies.

        The cloud's own applies only where no endpoint is named at all: a private cloud's keys and bytes stay in it.

        Raises:
            UnknownProvider: endpoints are named, but none for this service.
        """
        found = self.endpoints.get(service, self.endpoint)
        if found is None and self.endpoints:
            raise UnknownProvider(
                f"Provider '{self.name}' names no {service} endpoint; add endpoints.{service} to the providers file"
                f" (it names {', '.join(sorted(self.endpoints))})."
            )
        return found


class SessionCache:
    """Native clients by (random key)-HMAC of driver, provider and credentials; bounded, dropped when idle.

    Safe for threads and green threads. Nothing is shared between processes.

    Args:
        size: how many clients at most; the longest unused goes first.
        idle_s: seconds after which an unused client goes.
    """

    def __init__(self, size: int = 256, idle_s: float = 300.0) -> None:
        self._size = size
        self._idle_s = idle_s
        self._secret = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._entries: OrderedDict[bytes, tuple[float, Any]] = OrderedDict()

    def key(self, *parts: str) -> bytes:
        """Return the key for these parts; it cannot be turned back into them."""
        digest = hmac.new(self._secret, digestmod=hashlib.sha256)
        for part in parts:
            raw = part.encode()
            digest.update(len(raw).to_bytes(8, "big") + raw)
        return digest.digest()

    def get(self, key: bytes, build: Callable[[], T]) -> T:
        """Return the client under the key, building it first if there is none.

        Two callers at once may both build; the first one's stays. A build that raises leaves nothing behind.
        """
        now = time.monotonic()
        with self._lock:
            self._drop_idle(now)
            found = self._entries.pop(key, None)
            if found is not None:
                self._entries[key] = (now, found[1])
                return found[1]  # type: ignore[no-any-return]
        built = build()
        with self._lock:
            kept = self._entries.setdefault(key, (time.monotonic(), built))
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)
        return kept[1]  # type: ignore[no-any-return]

    def drop(self, key: bytes) -> None:
        """Forget the client under the key, if there is one."""
        with self._lock:
            self._entries.pop(key, None)

    def __len__(self) -> int:
        """Return how many clients are kept."""
        return len(self._entries)

    def _drop_idle(self, now: float) -> None:
        while self._entries:
            key, (used, _) = next(iter(self._entries.items()))
            if now - used <= self._idle_s:
                return
            del self._entries[key]


class Session:
    """One call as a driver sees it: where, as whom, until when."""

    def __init__(
        self,
        *,
        driver: str,
        provider: ProviderTarget,
        credentials: Credentials | None,
        deadline: Deadline,
        cache: SessionCache,
        request_id: str = "",
        idempotency_key: str | None = None,
        is_redelivered: bool = False,
    ) -> None:
        self.driver = driver
        self.provider = provider
        self.deadline = deadline
        self.request_id = request_id
        self.idempotency_key = idempotency_key
        self.is_redelivered = is_redelivered
        self._credentials = credentials
        self._cache = cache

    @property
    def credentials(self) -> Credentials:
        """The caller's credentials.

        Raises:
            AuthenticationFailed: there are none; ``details['challenge']`` asks the gateway to challenge.
        """
        if self._credentials is None:
            raise AuthenticationFailed(
                "Unauthorized", driver=self.driver, provider=self.provider.name, details={"challenge": "basic"}
            )
        return self._credentials

    @property
    def is_anonymous(self) -> bool:
        """Whether there are no credentials, as only a driver's anonymous operations see it."""
        return self._credentials is None

    def native(self, kind: str, build: Callable[[], T], *, per_credentials: bool = True) -> T:
        """Return this provider's native client of one kind from the cache, building it when there is none.

        Args:
            kind: tells this driver's clients apart (``ec2``, ``s3``).
            build: makes one; what it raises is raised here and nothing is kept.
            per_credentials: whether each caller has their own.
        """
        return self._cache.get(self._key(kind, per_credentials=per_credentials), build)

    def forget(self, kind: str, *, per_credentials: bool = True) -> None:
        """Drop the client of that kind, because the cloud no longer accepts it."""
        self._cache.drop(self._key(kind, per_credentials=per_credentials))

    def _key(self, kind: str, *, per_credentials: bool) -> bytes:
        who = (self.credentials.user, self.credentials.password) if per_credentials else ()
        where = msgspec.json.encode(self.provider).decode()
        return self._cache.key(self.driver, kind, where, *who)

    def __repr__(self) -> str:
        """Show nothing of the caller."""
        return f"Session(driver={self.driver!r}, request_id={self.request_id!r})"
