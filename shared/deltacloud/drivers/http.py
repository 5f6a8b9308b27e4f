"""HTTP to clouds: connections that go to checked addresses only, and redirects that do not carry credentials away.

For drivers without an SDK there is :func:`http_session`; for SDKs on urllib3, :func:`guard_manager`; for boto3's
clients, :func:`guard_botocore`. Needs the extra ``deltacloud[http]``; nothing else of the package imports this module.

A guarded connection looks nothing up: it connects to the addresses that passed the operator's policy when the provider
was resolved. A server that is none of the target's endpoints (a service catalogue's, a redirect's) is checked by the
same policy when it is connected to. TLS is verified against the host's name all the same.
"""

from __future__ import annotations

import socket
import ssl
import sys
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urljoin

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.poolmanager import PoolManager
from urllib3.util.connection import create_connection
from urllib3.util.ssl_ import create_urllib3_context

from deltacloud.drivers.session import ProviderTarget
from deltacloud.errors import ForbiddenProvider
from deltacloud.providers import origin as origins
from deltacloud.providers.origin import Origin
from deltacloud.providers.policy import HostResolver, Policy, system_addresses
from deltacloud.providers.resolve import endpoint_urls

PoolClasses = Mapping[str, type[HTTPConnectionPool]]
POOL_SIZE = 100
"""Connections kept open to one server: as many as a worker has calls in hand."""


class Guard:
    """Knows at which addresses a client of an untrusted target may connect to a server.

    Args:
        target: what the provider resolver returned.
        resolve: finds addresses of servers the target does not name.
    """

    def __init__(self, target: ProviderTarget, *, resolve: HostResolver = system_addresses) -> None:
        self._policy = Policy(target.allow, resolve=resolve)
        self._known = {
            server: target.addresses[server.host]
            for server in map(origins.parse, endpoint_urls(target))
            if target.addresses.get(server.host)
        }

    def addresses(self, scheme: str, host: str, port: int) -> tuple[str, ...]:
        """Return the addresses to try, in order.

        Raises:
            ForbiddenProvider, UnknownProvider, Unavailable: as :meth:`deltacloud.providers.policy.Policy.check`.
        """
        url = f"{scheme}://{origins.bracketed(host.strip('[]'))}:{port}"
        try:
            known = self._known.get(origins.parse(url))
        except ValueError:
            known = None
        return known or self._policy.check(url)


class _GuardedConnection(HTTPConnection):
    """The one step of a connection that differs: where its socket goes."""

    guard: ClassVar[Guard]
    scheme: ClassVar[str]

    def _new_conn(self) -> socket.socket:
        failure: OSError | None = None
        for address in self.guard.addresses(self.scheme, self.host, self.port):
            try:
                made = create_connection((address, self.port), self.timeout, self.source_address, self.socket_options)
            except OSError as error:
                failure = error
                continue
            sys.audit("http.client.connect", self, self.host, self.port)
            return made
        if isinstance(failure, TimeoutError):
            raise ConnectTimeoutError(self, f"Connection to {self.host} timed out.") from failure
        raise NewConnectionError(self, f"Failed to establish a connection to {self.host}: {failure}") from failure


def guarded_pools(classes: PoolClasses, guard: Guard) -> dict[str, type[HTTPConnectionPool]]:
    """Return subclasses of connection pools, by scheme, whose connections ask the guard where to go."""
    return {scheme: _guarded_pool(scheme, pool, guard) for scheme, pool in classes.items()}


def _guarded_pool(scheme: str, pool: type[HTTPConnectionPool], guard: Guard) -> type[HTTPConnectionPool]:
    given = pool.ConnectionCls
    connection = type(f"Guarded{given.__name__}", (_GuardedConnection, given), {"guard": guard, "scheme": scheme})
    return type(f"Guarded{pool.__name__}", (pool,), {"ConnectionCls": connection})


def guard_manager(manager: PoolManager, guard: Guard) -> None:
    """Make all connections of a urllib3 pool manager guarded ones."""
    manager.clear()
    manager.pool_classes_by_scheme = guarded_pools(manager.pool_classes_by_scheme, guard)


def guard_botocore(client: Any, target: ProviderTarget) -> None:
    """Make all connections of a boto3 client guarded ones, if the target is not trusted; no proxy is used then.

    botocore has no public way to choose where a client connects; this depends on the attributes of its
    ``httpsession.URLLib3Session``.
    """
    if target.is_trusted:
        return
    session = client._endpoint.http_session  # noqa: SLF001 - see above
    guard_manager(session._manager, Guard(target))  # noqa: SLF001
    session._pool_classes_by_scheme = session._manager.pool_classes_by_scheme  # noqa: SLF001
    session._proxy_config = type(session._proxy_config)()  # noqa: SLF001


class _Adapter(HTTPAdapter):
    """Carries requests over guarded connections, trusting the target's private CA as well."""

    def __init__(self, guard: Guard | None, ca_pem: str | None) -> None:
        self._guard = guard
        self._context = _tls_context(ca_pem)
        super().__init__(pool_maxsize=POOL_SIZE)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        if self._context is not None:
            pool_kwargs["ssl_context"] = self._context
        super().init_poolmanager(connections, maxsize, block, **pool_kwargs)
        if self._guard is not None:
            guard_manager(self.poolmanager, self._guard)


class _Session(requests.Session):
    """Stays at the server it was sent to."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return where a response redirects to, if that is the same server.

        Raises:
            ForbiddenProvider: it is another one; headers and bodies of ours hold credentials.
        """
        location = super().get_redirect_target(resp)
        if location is None:
            return None
        here, there = _server(resp.url), _server(urljoin(resp.url, location))
        if here is None or here != there:
            raise ForbiddenProvider(
                f"The cloud redirects from {here} to another server; nothing was sent there. "
                "Name the address of the cloud itself as the provider.",
                provider=str(here),
            )
        return location

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Keep the authentication: the server is the same, and no file of this machine has a better one."""


def http_session(target: ProviderTarget, *, resolve: HostResolver = system_addresses) -> requests.Session:
    """Return a session for a provider's own HTTP API; keep it with :meth:`Session.native`, and give time-outs.

    Connections to an untrusted target are guarded and use no proxy. Redirects to another server raise
    :class:`ForbiddenProvider`. The machine's ``.netrc`` is never read.
    """
    session = _Session()
    session.auth = _unchanged
    session.trust_env = target.is_trusted
    adapter = _Adapter(None if target.is_trusted else Guard(target, resolve=resolve), target.ca_pem)
    for prefix in ("http://", "https://"):
        session.mount(prefix, adapter)
    return session


def _tls_context(ca_pem: str | None) -> ssl.SSLContext | None:
    if ca_pem is None:
        return None
    context = create_urllib3_context()
    context.load_verify_locations(cadata=ca_pem)
    return context


def _server(url: str) -> Origin | None:
    try:
        return origins.parse(url)
    except ValueError:
        return None


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Stand where requests would otherwise look for credentials in ``.netrc``."""
    return request
