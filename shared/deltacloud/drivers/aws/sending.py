"""How requests to AWS leave: only to checked addresses, only until the deadline, never following a redirect.

botocore's own HTTP layer fixes time-outs and certificates when a client is built and chooses addresses itself. Here
clients outlive calls and serve many callers, so each request brings its own limits, and this sends it.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import urllib3
from botocore import exceptions as native
from botocore.awsrequest import AWSResponse
from botocore.parsers import ResponseParserError
from urllib3.connection import HTTPConnection
from urllib3.util import Timeout

from deltacloud.drivers.aws.addresses import checked_addresses
from deltacloud.drivers.session import ProviderTarget
from deltacloud.errors import DeadlineExceeded, ProviderError, ProviderTimeout
from deltacloud.rpc.deadline import Deadline

CONNECT_S = 3.0
READ_S = 20.0
POOL_SIZE = 100
ANSWER_LIMIT = 64 * 1024 * 1024
"""Bytes of an answer (lists, never blobs) past which it is refused."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REGION = "x-amz-bucket-region"  # by it botocore finds S3's own way to a bucket of another region
_CHUNK = 64 * 1024
_KEEPALIVE = (1, 9, 1)  # SOL_SOCKET, SO_KEEPALIVE: an idle connection behind a NAT dies silently


class Sender:
    """Sends the prepared requests of one provider over kept-open connections. Safe for threads.

    Args:
        target: the provider; its ``addresses`` and ``ca_pem`` bind every connection.
    """

    NOT_DONE = (
        native.EndpointConnectionError,
        native.ConnectTimeoutError,
        native.SSLError,
        DeadlineExceeded,
        ProviderError,
    )
    """What :meth:`send` raises when the cloud did nothing; after anything else it may have."""

    def __init__(self, target: ProviderTarget) -> None:
        self._target = target
        self._manager = urllib3.PoolManager(num_pools=32, maxsize=POOL_SIZE, **self._tls(), **_SOCKETS)

    def send(self, request: Any, deadline: Deadline) -> AWSResponse:
        """Send a prepared request once and return the whole answer.

        Raises:
            DeadlineExceeded: no time is left; nothing was sent.
            ProviderTimeout: the answer began and did not end in time.
            ProviderError: the host's address was not checked, or the answer is a redirect.
            botocore.parsers.ResponseParserError: the answer is larger than any.
            botocore.exceptions.HTTPClientError: the connection failed (botocore may try again).
        """
        until = Deadline.after(deadline.native_timeout_s())
        body = request.body if not hasattr(request.body, "read") else request.body.read()
        try:
            answer = self._open(request, body, deadline)
            content = _read(answer, until)
        except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.NameResolutionError) as error:
            raise native.EndpointConnectionError(endpoint_url=_host(request.url), error=error) from error
        except urllib3.exceptions.ConnectTimeoutError as error:
            raise native.ConnectTimeoutError(endpoint_url=_host(request.url), error=error) from error
        except urllib3.exceptions.SSLError as error:
            raise native.SSLError(endpoint_url=_host(request.url), error=error) from error
        except urllib3.exceptions.HTTPError as error:
            raise _lost(request.url, error) from error
        if answer.status in _REDIRECTS and _REGION not in answer.headers:
            raise ProviderError(f"The cloud sends us elsewhere ({answer.status}), which is not followed.")
        return _answer(request.url, answer.status, answer.headers, content)

    @staticmethod
    def unsent(url: str) -> AWSResponse:
        """Return an empty answer for a request that is not to be sent."""
        return _answer(url, 200, {}, b"")

    def _open(self, request: Any, body: bytes | str | None, deadline: Deadline) -> urllib3.BaseHTTPResponse:
        """Send to the first of the addresses that can be connected to."""
        parts = urlsplit(request.url)
        headers = {name: _text(value) for name, value in request.headers.items()}
        headers.setdefault("Host", parts.netloc)
        # Not the whole URL, whose dot segments would be resolved: they may be part of a blob's name.
        target = request.url[request.url.index(parts.netloc) + len(parts.netloc) :] or "/"
        failure: urllib3.exceptions.HTTPError | None = None
        for pool in self._pools(parts.scheme, parts.hostname or "", parts.port):
            try:
                return pool.urlopen(
                    request.method, target, body=body, headers=headers, timeout=_timeout(deadline), **_ONCE_AS_IT_IS
                )
            except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
                failure = error  # nothing was sent yet
        raise failure or ProviderError("The cloud has no address.")

    def _pools(self, scheme: str, host: str, port: int | None) -> list[urllib3.HTTPConnectionPool]:
        """Return where to connect, one pool for each checked address."""
        secure = {"server_hostname": host, "assert_hostname": host} if scheme == "https" else {}
        addresses = checked_addresses(self._target, host)
        if not addresses:
            return [self._manager.connection_from_host(host, port, scheme)]
        return [self._manager.connection_from_host(address, port, scheme, secure) for address in addresses]

    def _tls(self) -> dict[str, Any]:
        if self._target.ca_pem is None:
            return {}
        return {"ssl_context": ssl.create_default_context(cadata=self._target.ca_pem)}


_SOCKETS: dict[str, Any] = {"socket_options": [*HTTPConnection.default_socket_options, _KEEPALIVE]}

_ONCE_AS_IT_IS: dict[str, Any] = {
    "retries": False,
    "redirect": False,
    "assert_same_host": False,
    "preload_content": False,
    "decode_content": False,
}


class _Content:
    """An answer's bytes in the shape botocore reads them."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._content

    def read(self, *_: Any) -> bytes:
        content, self._content = self._content, b""
        return content


def _answer(url: str, status: int, headers: Any, content: bytes) -> AWSResponse:
    return AWSResponse(url, status, headers, _Content(content))


def _timeout(deadline: Deadline) -> Timeout:
    left_s = deadline.native_timeout_s()
    return Timeout(connect=min(CONNECT_S, left_s), read=min(READ_S, left_s))


def _read(answer: urllib3.BaseHTTPResponse, deadline: Deadline) -> bytes:
    content = bytearray()
    while chunk := answer.read1(_CHUNK, decode_content=True):  # read() would wait for a full chunk, however slow
        content += chunk
        if len(content) > ANSWER_LIMIT or deadline.has_passed:
            answer.close()
            break
    else:
        answer.release_conn()
        return bytes(content)
    if deadline.has_passed:
        raise ProviderTimeout("The cloud began to answer and did not finish in time.")
    raise ResponseParserError("The cloud's answer is larger than any it should give.")


def _lost(url: str, error: Exception) -> Exception:
    if isinstance(error, urllib3.exceptions.ReadTimeoutError):
        return native.ReadTimeoutError(endpoint_url=_host(url), error=error)
    return native.ConnectionClosedError(endpoint_url=_host(url), error=error)


def _host(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _text(value: bytes | str | Mapping[str, Any]) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
