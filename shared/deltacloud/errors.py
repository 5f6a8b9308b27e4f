"""Everything that can go wrong, once, for every part.

Each class has a stable ``code`` (what crosses the wire), the HTTP status the gateway answers with, and the
class name the original server used in its JSON (``original``). Texts name the driver, the provider and what
to do; they never hold arguments of a call.

::

    DeltacloudError
    ├── InvalidRequest              400 invalid_request
    │   ├── InvalidParameters       400 invalid_parameters
    │   ├── UnknownDriver           400 unknown_driver
    │   ├── UnknownProvider         400 unknown_provider
    │   ├── ForbiddenProvider       400 forbidden_provider
    │   ├── UnknownMethod           400 unknown_method         (RPC: no such operation)
    │   └── MethodNotAllowed        405 method_not_allowed     (HTTP: this URL has other methods)
    ├── AuthenticationFailed        401 authentication_failed
    ├── Forbidden                   403 forbidden
    ├── NotFound                    404 not_found
    ├── WrongState                  405 wrong_state            (action not allowed in this state)
    ├── NotAcceptable               406 not_acceptable
    ├── RequestTimedOut             408 request_timed_out      (the sender was too slow)
    ├── Conflict                    409 conflict
    ├── CapabilityMissing           412 capability_missing     (this driver has no such operation)
    ├── PreconditionFailed          412 precondition_failed    (If-Match and friends)
    ├── TooLarge                    413 too_large
    ├── RangeNotSatisfiable         416 range_not_satisfiable
    ├── BackendError                500 backend_error          (a defect of ours or of a driver)
    ├── NotSupported                501 not_supported
    ├── ProviderError               502 provider_error         (the cloud failed or sent garbage)
    ├── Unavailable                 503 unavailable            may be tried again, see retry_after_s
    │   ├── NoWorker                503 no_worker
    │   ├── Overloaded              503 overloaded
    │   ├── BrokerUnavailable       503 broker_unavailable
    │   └── Throttled               503 throttled              (the cloud asked us to slow down)
    └── TimedOut                    504 timed_out
        ├── ProviderTimeout         504 provider_timeout
        ├── DeadlineExceeded        504 deadline_exceeded
        └── OutcomeUnknown          504 outcome_unknown        (it may or may not have happened)
"""

from __future__ import annotations

from typing import ClassVar

import msgspec


class ErrorRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error as it crosses the wire, beside nameko's own fields.

    ``retry_after_s`` is seconds. ``details`` holds short, harmless facts (a capability's name, allowed values).
    """

    code: str
    message: str
    driver: str | None = None
    provider: str | None = None
    retry_after_s: float | None = None
    details: dict[str, str] = {}


class DeltacloudError(Exception):
    """Base of all errors of this product; raise a subclass."""

    code: ClassVar[str] = "backend_error"
    http_status: ClassVar[int] = 500
    is_retryable: ClassVar[bool] = False
    original: ClassVar[str] = "BackendError"

    def __init__(
        self,
        message: str,
        *,
        driver: str | None = None,
        provider: str | None = None,
        retry_after_s: float | None = None,
        details: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.driver = driver
        self.provider = provider
        self.retry_after_s = retry_after_s
        self.details: dict[str, str] = details or {}

    def located(self, driver: str, provider: str | None) -> DeltacloudError:
        """Fill in driver and provider where the raiser did not know them; return self."""
        self.driver = self.driver or driver
        self.provider = self.provider or provider
        return self

    def to_record(self) -> ErrorRecord:
        """Return what crosses the wire."""
        return ErrorRecord(
            code=self.code,
            message=self.message,
            driver=self.driver,
            provider=self.provider,
            retry_after_s=self.retry_after_s,
            details=self.details,
        )

    @staticmethod
    def from_record(record: ErrorRecord) -> DeltacloudError:
        """Return the error a record describes; an unknown code becomes :class:`BackendError`."""
        return BY_CODE.get(record.code, BackendError)(
            record.message,
            driver=record.driver,
            provider=record.provider,
            retry_after_s=record.retry_after_s,
            details=dict(record.details),
        )


class InvalidRequest(DeltacloudError):
    """The request cannot be understood or is refused as it stands."""

    code = "invalid_request"
    http_status = 400
    original = "ValidationFailure"


class InvalidParameters(InvalidRequest):
    """A parameter is missing, unknown, of the wrong type or out of range."""

    code = "invalid_parameters"


class UnknownDriver(InvalidRequest):
    """No driver of this name is installed anywhere."""

    code = "unknown_driver"


class UnknownProvider(InvalidRequest):
    """The driver knows no provider of this name."""

    code = "unknown_provider"


class ForbiddenProvider(InvalidRequest):
    """The provider's address is not one the operator allows; nothing was sent to it."""

    code = "forbidden_provider"


class UnknownMethod(InvalidRequest):
    """The RPC service has no method of this name."""

    code = "unknown_method"


class MethodNotAllowed(InvalidRequest):
    """The URL exists but not with this HTTP method. ``details['allow']`` lists those it has."""

    code = "method_not_allowed"
    http_status = 405
    original = "MethodNotAllowed"


class AuthenticationFailed(DeltacloudError):
    """Credentials are missing or the cloud refused them. ``details['challenge']`` is set when missing."""

    code = "authentication_failed"
    http_status = 401
    original = "AuthenticationFailure"


class Forbidden(DeltacloudError):
    """The cloud knows the caller and says no."""

    code = "forbidden"
    http_status = 403
    original = "ForbiddenError"


class NotFound(DeltacloudError):
    """No such resource for this caller."""

    code = "not_found"
    http_status = 404
    original = "ObjectNotFound"


class WrongState(DeltacloudError):
    """The action is not allowed in the resource's present state. ``details['allowed']`` lists what is."""

    code = "wrong_state"
    http_status = 405
    original = "MethodNotAllowed"


class NotAcceptable(DeltacloudError):
    """No representation of the asked kind exists."""

    code = "not_acceptable"
    http_status = 406
    original = "UnknownMediaTypeError"


class RequestTimedOut(DeltacloudError):
    """The client sent its request too slowly."""

    code = "request_timed_out"
    http_status = 408
    original = "ValidationFailure"


class Conflict(DeltacloudError):
    """The change contradicts what exists (in use, not empty, name taken)."""

    code = "conflict"
    http_status = 409
    original = "Conflict"


class CapabilityMissing(DeltacloudError):
    """The driver does not have this operation. ``details['capability']`` names it."""

    code = "capability_missing"
    http_status = 412
    original = "NotSupported"


class PreconditionFailed(DeltacloudError):
    """A condition sent by the client (If-Match, If-None-Match) does not hold."""

    code = "precondition_failed"
    http_status = 412
    original = "Conflict"


class TooLarge(DeltacloudError):
    """The body or a part of it is larger than allowed."""

    code = "too_large"
    http_status = 413
    original = "ValidationFailure"


class RangeNotSatisfiable(DeltacloudError):
    """The byte range lies outside the blob."""

    code = "range_not_satisfiable"
    http_status = 416
    original = "ValidationFailure"


class BackendError(DeltacloudError):
    """A defect of ours or of a driver; the log has the details under the request id."""


class NotSupported(DeltacloudError):
    """The cloud cannot do this."""

    code = "not_supported"
    http_status = 501
    original = "NotSupported"


class ProviderError(DeltacloudError):
    """The cloud failed, or answered something that is not its protocol."""

    code = "provider_error"
    http_status = 502
    original = "ProviderError"


class Unavailable(DeltacloudError):
    """Not now; the same request may work after ``retry_after_s`` seconds."""

    code = "unavailable"
    http_status = 503
    is_retryable = True
    original = "ProviderError"


class NoWorker(Unavailable):
    """No running worker loads this driver; nothing was started."""

    code = "no_worker"


class Overloaded(Unavailable):
    """We have as many calls in flight as we allow; nothing was started."""

    code = "overloaded"


class BrokerUnavailable(Unavailable):
    """The message broker cannot be reached, or was lost while a call was in flight."""

    code = "broker_unavailable"


class Throttled(Unavailable):
    """The cloud asked for fewer requests."""

    code = "throttled"


class TimedOut(DeltacloudError):
    """No answer in time."""

    code = "timed_out"
    http_status = 504
    original = "ProviderTimeout"


class ProviderTimeout(TimedOut):
    """The cloud did not answer in time."""

    code = "provider_timeout"


class DeadlineExceeded(TimedOut):
    """The call's deadline passed before there was an answer; a late answer is dropped."""

    code = "deadline_exceeded"


class OutcomeUnknown(TimedOut):
    """The operation may or may not have happened; the message says how to look. Do not blindly repeat."""

    code = "outcome_unknown"


def _subclasses(root: type[DeltacloudError]) -> list[type[DeltacloudError]]:
    return [root, *(found for child in root.__subclasses__() for found in _subclasses(child))]


BY_CODE: dict[str, type[DeltacloudError]] = {
    **{error.code: error for error in _subclasses(DeltacloudError)},
    BackendError.code: BackendError,
}
"""Error classes by their code on the wire."""
