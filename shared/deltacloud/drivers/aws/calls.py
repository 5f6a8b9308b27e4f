"""Clients of AWS' services: one for each service, endpoint and region, for all callers of a process.

botocore takes half a second to import, so it is imported with the first call and not with this module.
"""

from __future__ import annotations

import functools
import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from http import HTTPStatus
from typing import Any

import msgspec

from deltacloud.drivers.aws.keys import Keys, read_keys
from deltacloud.drivers.aws.once import makes_something, outcome_unknown
from deltacloud.drivers.aws.regions import region_of
from deltacloud.drivers.session import ProviderTarget, Session
from deltacloud.errors import DeltacloudError, ProviderError
from deltacloud.metrics import NATIVE_CALLS
from deltacloud.rpc.deadline import Deadline

ATTEMPTS = 3
"""How often a call that may be repeated is sent at most; the pauses between are botocore's standard ones."""
LONGEST_PAUSE_S = 1.0
"""The longest pause after a first attempt, which a cloud that throttles brings about; each further one may double."""

_BUILDING = threading.Lock()


class SignedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request signed in its headers and not sent. It is a secret while the signature lives."""

    method: str
    url: str
    headers: dict[str, str]

    def __repr__(self) -> str:
        """Hide the signature."""
        return f"SignedRequest(method={self.method!r})"


class _Call(msgspec.Struct):
    """Whose call this thread is making, and until when. ``captured`` is a list when nothing may be sent.

    ``sent`` is the operation that was sent last, ``has_token`` whether the cloud recognises a repeated one; ``is_open``
    says that its last attempt has no answer in the cloud's own words, ``is_lost`` that an earlier one never had.
    """

    keys: Keys
    deadline: Deadline
    driver: str
    captured: list[SignedRequest] | None = None
    sent: str = ""
    has_token: bool = False
    is_open: bool = False
    is_lost: bool = False


_CALL: ContextVar[_Call] = ContextVar("deltacloud_aws_call")


@contextmanager
def calling(session: Session, service: str, codes: Mapping[str, type[DeltacloudError]] | None = None) -> Iterator[Any]:
    """Give the client of a service; within the block it acts for the session's caller until the deadline.

    Args:
        session: who calls, where, until when.
        service: botocore's name: ``ec2``, ``s3``, ``elb``, ``elbv2``, ``cloudwatch``.
        codes: the driver's own meaning of some error codes.

    Raises:
        AuthenticationFailed: the keys are malformed; nothing was called.
        OutcomeUnknown: what makes something was sent, and the answer did not come or was not the cloud's.
        DeltacloudError: what the cloud's error means.
    """
    keys = read_keys(session.credentials)
    call = _Call(keys, session.deadline, session.driver)
    with _unless_open(call), _translated(keys, codes), _as_caller(call):
        yield _client(session, service)


def signing(session: Session, service: str, method: str, parameters: Mapping[str, Any]) -> SignedRequest:
    """Sign what a client's method would send, and send nothing.

    The signature lives in the headers and covers the host, the path, the query and the ``x-amz-*`` headers, not the
    body. AWS takes it for 15 minutes.

    Raises:
        AuthenticationFailed: the keys are malformed.
        InvalidParameters: a parameter is not of the API's form.
    """
    keys = read_keys(session.credentials)
    captured: list[SignedRequest] = []
    with _translated(keys, None), _as_caller(_Call(keys, session.deadline, session.driver, captured)):
        getattr(_client(session, service), method)(**parameters)
    return captured[0]


@contextmanager
def _as_caller(call: _Call) -> Iterator[None]:
    before = _CALL.set(call)
    try:
        yield
    finally:
        _CALL.reset(before)


@contextmanager
def _unless_open(call: _Call) -> Iterator[None]:
    """Tell of a create that failed without an answer of the cloud's that nobody knows whether it happened."""
    try:
        yield
    except DeltacloudError:
        if (call.is_open or call.is_lost) and makes_something(call.sent):
            raise outcome_unknown(call.sent, has_token=call.has_token) from None
        raise


@contextmanager
def _translated(keys: Keys, codes: Mapping[str, type[DeltacloudError]] | None) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - see the module's docstring
    from botocore.parsers import ResponseParserError  # noqa: PLC0415

    from deltacloud.drivers.aws.errors import aws_error  # noqa: PLC0415

    try:
        yield
    except (BotoCoreError, ClientError, ResponseParserError) as error:
        made = aws_error(error, codes)
        made.message = keys.redact(made.message)
        made.args = (made.message,)
        raise made from None  # the cause may repeat the caller's arguments
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        if not _is_raised_in_botocore(error):
            raise
        raise ProviderError("The cloud's answer is not of its protocol.") from error


def _is_raised_in_botocore(error: Exception) -> bool:
    """Tell botocore stumbling over an answer it did not expect from a defect of a driver."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and str(trace.tb_frame.f_globals.get("__name__", "")).startswith("botocore.")


def _client(session: Session, service: str) -> Any:
    return session.native(f"aws.{service}", lambda: _build(session.provider, service), per_credentials=False)


def _build(target: ProviderTarget, service: str) -> Any:
    from deltacloud.drivers.aws.sending import Sender  # noqa: PLC0415

    endpoint = target.endpoint_of(service)
    with _BUILDING:
        client = _shared_session().create_client(
            service, region_name=region_of(target), endpoint_url=endpoint, verify=True, config=_config(target, endpoint)
        )
    model = client.meta.service_model
    client.meta.events.register_first("before-send", functools.partial(_send, Sender(target), model))
    client.meta.events.register_first(f"needs-retry.{model.service_id.hyphenize()}", _judge)
    return client


def _judge(response: Any, caught_exception: Exception | None, attempts: int, operation: Any, **_: Any) -> None:
    """Note whether the cloud answered an attempt; end the call where repeating it may do harm or outlast its time."""
    from botocore.exceptions import ClientError  # noqa: PLC0415

    call = _CALL.get()
    status: int = response[0].status_code if response else 0
    parsed: Any = response[1] if response else {}
    code = str(parsed.get("Error", {}).get("Code") or "")
    if 0 < status < HTTPStatus.INTERNAL_SERVER_ERROR or (code and not code.isdigit()):
        call.is_open = False
        call.is_lost = call.is_lost and status >= HTTPStatus.MULTIPLE_CHOICES  # a refusal says nothing of earlier ones
    has_failed = call.is_open or status == HTTPStatus.INTERNAL_SERVER_ERROR
    is_harmless = call.has_token or not (has_failed and makes_something(call.sent))
    if is_harmless and call.deadline.remaining_s > LONGEST_PAUSE_S * 2 ** (attempts - 1):
        return
    if caught_exception is not None:
        raise caught_exception
    if status >= HTTPStatus.MULTIPLE_CHOICES and "Error" in parsed:
        raise ClientError(parsed, operation.name)


def _send(sender: Any, model: Any, request: Any, event_name: str, **_: Any) -> Any:
    call = _CALL.get()
    operation = event_name.rpartition(".")[2]
    if call.captured is not None:
        headers = {name: _text(value) for name, value in request.headers.items() if name.lower() not in _OURS}
        call.captured.append(SignedRequest(method=request.method, url=request.url, headers=headers))
        return sender.unsent(request.url)
    NATIVE_CALLS.labels(call.driver, operation).inc()
    call.sent, call.has_token = operation, bool(model.operation_model(operation).idempotent_members)
    call.is_lost, call.is_open = call.is_lost or call.is_open, True
    try:
        return sender.send(request, call.deadline)
    except sender.NOT_DONE:
        call.is_open = False
        raise


_OURS = frozenset(
    {"content-length", "expect", "user-agent", "transfer-encoding", "amz-sdk-invocation-id", "amz-sdk-request"}
)
"""Headers that belong to the connection, which whoever sends the request adds."""


def _text(value: bytes | str) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _config(target: ProviderTarget, endpoint: str | None) -> Any:
    from botocore.config import Config  # noqa: PLC0415

    options: dict[str, Any] = {
        "ignore_configured_endpoint_urls": True,
        "retries": {"mode": "standard", "total_max_attempts": ATTEMPTS},
        "proxies": {},
        "signature_version": target.options.get("signature"),
        "use_dualstack_endpoint": False,
        "use_fips_endpoint": False,
        "request_checksum_calculation": "when_required",
        "response_checksum_validation": "when_required",
        "s3": {
            "addressing_style": target.options.get("addressing", "path" if endpoint else "virtual"),
            "us_east_1_regional_endpoint": "regional",
            "use_accelerate_endpoint": False,
            "use_arn_region": False,
            "payload_signing_enabled": False,
        },
    }
    return Config(**options)


@functools.cache
def _shared_session() -> Any:
    """Return the session all clients come from: no file, no environment, no metadata service, no chain."""
    import botocore.session  # noqa: PLC0415
    from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES  # noqa: PLC0415

    logging.getLogger("botocore").setLevel(logging.WARNING)  # its debug lines hold signatures and tokens
    variables = {
        name: (None, None, os.devnull if name in {"config_file", "credentials_file"} else default, convert)
        for name, (_, _, default, convert) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()
    }
    session = botocore.session.Session(session_vars=variables)
    session.register_component("credential_provider", _CallersKeys())
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_moment)
    return session


def _moment(value: Any) -> datetime:
    """Read a time; those in ISO 8601, nearly all, a hundred times faster than botocore does: lists are full of them."""
    from botocore.utils import parse_timestamp  # noqa: PLC0415

    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        found: datetime = parse_timestamp(value)
        return found


class _CallersKeys:
    """What botocore calls a credential provider: the keys of whoever is calling in this thread."""

    def load_credentials(self) -> Any:
        return _credentials()


@functools.cache
def _credentials() -> Any:
    from botocore.credentials import Credentials, ReadOnlyCredentials  # noqa: PLC0415

    class Callers(Credentials):
        def get_frozen_credentials(self) -> ReadOnlyCredentials:
            keys = _CALL.get().keys
            return ReadOnlyCredentials(keys.access_key, keys.secret_key, keys.token)

    return Callers("unused", "unused")
