"""Pages of the describe calls, and the tokens that lead from one to the next."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from simulators.ec2.errors import invalid_combination, invalid_value
from simulators.ec2.parameters import Parameters

PAGE_PARAMETERS = ("MaxResults", "NextToken")
_SECRET = secrets.token_bytes(32)
_MARK_BYTES = 16


class Numbered(Protocol):
    """Something with a place in the order of creation, which a page can go on from."""

    @property
    def number(self) -> int:
        """The place; larger is later."""


Item = TypeVar("Item", bound=Numbered)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRule:
    """What a call takes as MaxResults, how long its pages are without, and if ids exclude paging."""

    least: int
    most: int
    default: int | None = None
    refuses_ids: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLimits:
    """What the simulator imposes: a longest page (None: no limit), and an empty page before the first."""

    size: int | None = None
    sparse: bool = False


def page(
    items: Iterable[Item], parameters: Parameters, rule: PageRule, limits: PageLimits, ids: Sequence[str] = ()
) -> tuple[list[Item], str | None]:
    """Give the items of the page asked for and the token of the next, None on the last.

    Raises InvalidParameterValue for a size out of range or a token that is not of this very list, and
    InvalidParameterCombination for paging together with ids.
    """
    size = parameters.integer("MaxResults")
    token = parameters.text("NextToken")
    if ids and rule.refuses_ids and (size is not None or token is not None):
        raise invalid_combination("The parameter MaxResults cannot be used with a list of ids")
    if size is not None and not rule.least <= size <= rule.most:
        raise invalid_value(
            f"Value ( {size} ) for parameter maxResults is invalid. "
            f"Expecting a value between {rule.least} and {rule.most}."
        )
    ordered = sorted(items, key=lambda item: item.number)
    if ids and size is None and token is None:
        return ordered, None
    if limits.sparse and token is None:
        return [], _token(parameters, 0)
    start = 0 if token is None else _place(parameters, token)
    rest = [item for item in ordered if item.number > start]
    length = min(each for each in (size or rule.default, limits.size, len(rest)) if each is not None)
    if length >= len(rest):
        return rest, None
    return rest[:length], _token(parameters, rest[length - 1].number)


def _token(parameters: Parameters, number: int) -> str:
    place = number.to_bytes(8, "big")
    return base64.urlsafe_b64encode(_mark(parameters, place) + place).decode()


def _place(parameters: Parameters, token: str) -> int:
    try:
        raw = base64.b64decode(token, altchars=b"-_", validate=True)
    except ValueError:
        raw = b""
    mark, place = raw[:_MARK_BYTES], raw[_MARK_BYTES:]
    if len(place) != len(bytes(8)) or not hmac.compare_digest(mark, _mark(parameters, place)):
        raise invalid_value(f"Value ( {token} ) for parameter nextToken is invalid")
    return int.from_bytes(place, "big")


def _mark(parameters: Parameters, place: bytes) -> bytes:
    """Bind a place to the list it is a place in: the action and all its parameters but the paging."""
    query = sorted(pair for pair in parameters.values.items() if pair[0] not in PAGE_PARAMETERS)
    return hmac.digest(_SECRET, repr(query).encode() + place, hashlib.sha256)[:_MARK_BYTES]
