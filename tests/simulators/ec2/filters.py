"""Filters of the describe calls: values of one are alternatives, filters add up, ``*`` and ``?`` match."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Protocol, TypeVar

from simulators.ec2.errors import ApiError, invalid_value
from simulators.ec2.parameters import Parameters

MAX_VALUES = 200
FILTER_PARAMETERS = ("Filter.N.Name", "Filter.N.Value.N")


class Tagged(Protocol):
    """Something that carries tags."""

    tags: dict[str, str]


Thing = TypeVar("Thing")
TaggedThing = TypeVar("TaggedThing", bound=Tagged)
Attribute = Callable[[Thing], str | bool | list[str]]


def select(items: Iterable[Thing], parameters: Parameters, known: Mapping[str, Attribute[Thing]]) -> list[Thing]:
    """Give the items all filters of the request match. Raises InvalidParameterValue for an unknown one."""
    chosen = list(items)
    for name, patterns in _requested(parameters):
        if name not in known:
            raise invalid_value(f"The filter '{name}' is invalid")
        chosen = [item for item in chosen if _matches(known[name](item), patterns)]
    return chosen


def select_tagged(
    items: Iterable[TaggedThing], parameters: Parameters, known: Mapping[str, Attribute[TaggedThing]]
) -> list[TaggedThing]:
    """Do as select, with the filters ``tag:<key>`` and ``tag-key`` besides."""
    attributes: dict[str, Attribute[TaggedThing]] = {**known, "tag-key": lambda item: list(item.tags)}
    for name, _ in _requested(parameters):
        if name.startswith("tag:"):
            attributes[name] = _tag(name.removeprefix("tag:"))
    return select(items, parameters, attributes)


def _tag(key: str) -> Attribute[TaggedThing]:
    return lambda item: [item.tags[key]] if key in item.tags else []


def _requested(parameters: Parameters) -> list[tuple[str, list[str]]]:
    requested = []
    for one in parameters.structures("Filter"):
        values = one.strings("Value")
        if len(values) > MAX_VALUES:
            raise ApiError("FilterLimitExceeded", f"The maximum number of filter values is {MAX_VALUES}")
        requested.append((one.demanded("Name"), values))
    return requested


def _matches(actual: str | bool | list[str], patterns: list[str]) -> bool:
    if isinstance(actual, bool):
        actual = str(actual).lower()
    values = actual if isinstance(actual, list) else [actual]
    return any(_compiled(pattern).fullmatch(value) for pattern in patterns for value in values)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Translate a pattern; a backslash takes the meaning from the character after it."""
    pieces = re.findall(r"\\.|.", pattern, re.DOTALL)
    special = {"*": ".*", "?": "."}
    return re.compile("".join(special.get(piece, re.escape(piece[-1])) for piece in pieces), re.DOTALL)
