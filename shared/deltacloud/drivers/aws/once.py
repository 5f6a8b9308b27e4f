"""Calls that make something: whether they may be repeated, and what to say when nobody knows whether they did."""

from __future__ import annotations

from deltacloud.errors import OutcomeUnknown

_MAKING = ("Create", "Allocate", "Import", "Run", "CopyImage", "CopySnapshot")


def makes_something(operation: str) -> bool:
    """Return whether running a native operation a second time could make a second thing."""
    return operation.startswith(_MAKING)


def outcome_unknown(operation: str, *, has_token: bool = False) -> OutcomeUnknown:
    """Return the error for a call that was sent and not answered as the cloud answers.

    Args:
        operation: the native one.
        has_token: whether the cloud recognises a repeated one by a client token.
    """
    advice = "repeat it with the same Idempotency-Key, or " if has_token else ""
    return OutcomeUnknown(
        f"The cloud did not answer {operation} as it should; it may have happened:"
        f" {advice}list what there is before making others."
    )
