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
from urllib3.connection import HTTPConnection
from urllib3.util import Timeout

from deltacloud.drivers.session import ProviderTarget
from deltacloud.errors import OutcomeUnknown, ProviderError, ProviderTimeout
from deltacloud.rpc.deadline import Deadline

CONNECT_S = 3.0
READ_S = 20.0
POOL_SIZE = 100
ANSWER_LIMIT = 64 * 1024 * 1024
"""Bytes of an answer (lists, never blobs) past which it is refused."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REGION = "x-amz-bucket-region"  # by it botocore finds S3's own way to a bucket of another region
_CHUNK = 64 * 1024
_ONCE = ("Create", "Allocate", "Import", "Run", "CopyImage", "CopySnapshot")
_KEEPALIVE = (1, 9, 1)  # SOL_SOCKET, SO_KEEPALIVE: an idle connection behind a NAT dies silently


class Sender:
    """Sends the prepared requests of one provider over kept-open connections. Safe for threads.

    Args:
        target: the provider; its ``addresses`` and ``ca_pem`` bind every connection.
    """

    def __init__(self, target: ProviderTarget) -> None:
        self._target = target
        self._manager = urllib3.PoolManager(num_pools=32, maxsize=POOL_SIZE, **self._tls(), **_SOCKETS)

    def send(self, operation: str, request: Any, deadline: Deadline) -> AWSResponse:
        """Send a prepared request once and return the whole answer.

        Raises:
            OutcomeUnknown: no answer came to an operation that makes something and has no client token.
            DeadlineExceeded: no time is left; nothing was sent.
            botocore.exceptions.HTTPClientError: the connection failed (botocore may try again).
        """
        limit_s = deadline.native_timeout_s()
        timeout = Timeout(connect=min(CONNECT_S, limit_s), read=min(READ_S, limit_s))
        body = request.body if not hasattr(request.body, "read") else request.body.read()
        try:
            answer = self._open(request, body, timeout)
            content = _read(answer, deadline)
        except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.NameResolutionError) as error:
            raise native.EndpointConnectionError(endpoint_url=_host(request.url), error=error) from error
        except urllib3.exceptions.ConnectTimeoutError as error:
            raise native.ConnectTimeoutError(endpoint_url=_host(request.url), error=error) from error
        except urllib3.exceptions.SSLError as error:
            raise native.SSLError(endpoint_url=_host(request.url), error=error) from error
        except urllib3.exceptions.HTTPError as error:
            raise _lost(operation, body, request.url, error) from error
        if answer.status in _REDIRECTS and _REGION not in answer.headers:
            raise ProviderError(f"The cloud sends us elsewhere ({answer.status}), which is not followed.")
        return _answer(request.url, answer.status, answer.headers, content)

    @staticmethod
    def unsent(url: str) -> AWSResponse:
        """Return an empty answer for a request that is not to be sent."""
        return _answer(url, 200, {}, b"")

    def _open(self, request: Any, body: bytes | str | None, timeout: Timeout) -> urllib3.BaseHTTPResponse:
        parts = urlsplit(request.url)
        target = request.url[request.url.index(parts.netloc) + len(parts.netloc) :] or "/"
        headers = {name: _text(value) for name, value in request.headers.items()}
        headers.setdefault("Host", parts.netloc)
        return self._pool(parts.scheme, parts.hostname or "", parts.port).urlopen(
            request.method,
            target,  # not the whole URL, whose dot segments would be resolved: they may be part of a blob's name
            headers=headers,
            body=body,
            timeout=timeout,
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
        )

    def _pool(self, scheme: str, host: str, port: int | None) -> urllib3.HTTPConnectionPool:
        if self._target.is_trusted:
            return self._manager.connection_from_host(host, port, scheme)
        addresses = self._target.addresses.get(host)
        if not addresses:
            raise ProviderError(f"The cloud sent us to '{host}', whose address was not checked; nothing was sent.")
        secure = {"server_hostname": host, "assert_hostname": host} if scheme == "https" else {}
        return self._manager.connection_from_host(addresses[0], port, scheme, secure)

    def _tls(self) -> dict[str, Any]:
        if self._target.ca_pem is None:
            return {}
        return {"ssl_context": ssl.create_default_context(cadata=self._target.ca_pem)}


_SOCKETS: dict[str, Any] = {"socket_options": [*HTTPConnection.default_socket_options, _KEEPALIVE]}


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
    raise ProviderError("The cloud's answer is larger than any it should give.")


def _lost(operation: str, body: bytes | str | None, url: str, error: Exception) -> Exception:
    if operation.startswith(_ONCE) and "ClientToken" not in _text(body or ""):
        return OutcomeUnknown(
            f"The cloud did not answer {operation}; it may have happened. List what there is before repeating it."
        )
    if isinstance(error, urllib3.exceptions.ReadTimeoutError):
        return native.ReadTimeoutError(endpoint_url=_host(url), error=error)
    return native.ConnectionClosedError(endpoint_url=_host(url), error=error)


def _host(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _text(value: bytes | str | Mapping[str, Any]) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
