"""The errors EC2 answers with."""

from __future__ import annotations


class ApiError(Exception):
    """An EC2 error: its code, its text, and the HTTP status it travels with."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def missing_parameter(name: str) -> ApiError:
    """A parameter the action cannot do without is absent."""
    return ApiError("MissingParameter", f"The request must contain the parameter {name}")


def invalid_value(message: str) -> ApiError:
    """A parameter has a value the service does not take."""
    return ApiError("InvalidParameterValue", message)


def invalid_combination(message: str) -> ApiError:
    """Parameters contradict each other."""
    return ApiError("InvalidParameterCombination", message)


def auth_failure() -> ApiError:
    """The service does not tell a wrong secret from an unknown key."""
    return ApiError("AuthFailure", "AWS was not able to validate the provided access credentials", 401)


def throttled() -> ApiError:
    """Too many requests."""
    return ApiError("RequestLimitExceeded", "Request limit exceeded.", 503)


STATUS_BY_CODE = {
    "AuthFailure": 401,
    "UnauthorizedOperation": 403,
    "InsufficientInstanceCapacity": 500,
    "InternalError": 500,
    "RequestLimitExceeded": 503,
    "Unavailable": 503,
}


def ordered_by_a_test(code: str) -> ApiError:
    """The error a test asked for by its code, with the status the service gives it."""
    return ApiError(code, f"{code}, as ordered", STATUS_BY_CODE.get(code, 400))
