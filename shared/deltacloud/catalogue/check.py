"""Parameters against their declaration: the one place where both the gateway and the workers check them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

from deltacloud.catalogue.model import Operation, Parameter
from deltacloud.errors import InvalidParameters

SHOWN = 40
"""Characters of a refused value that an error repeats."""


def check(operation: Operation, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters in their declared types.

    Absent optional ones stay absent; ``None`` counts as absent. Integers may be given as text.

    Raises:
        InvalidParameters: one is unknown, missing, of the wrong type, empty or out of range; the text names it,
            what was received (shortened, never a secret) and what is allowed.
    """
    known = {parameter.name: parameter for parameter in operation.parameters}
    present = {name: value for name, value in given.items() if value is not None}
    unknown = [name for name in present if name not in known]
    if unknown:
        raise InvalidParameters(
            f"{operation.rpc} has no parameter {shown(unknown[0])}; it has {', '.join(known) or 'none'}."
        )
    for name in operation.required:
        if name not in present:
            raise InvalidParameters(f"Required parameter '{name}' not found in [{','.join(sorted(present))}]")
    return {name: _value(known[name], value) for name, value in present.items()}


def shown(value: object) -> str:
    """Return a value for an error text: quoted, printable, shortened."""
    text = value if isinstance(value, str) else repr(value)
    printable = "".join(character if character.isprintable() else "?" for character in text)
    return f"'{printable[:SHOWN]}…'" if len(printable) > SHOWN else f"'{printable}'"


def _refuse(parameter: Parameter, value: object, allowed: str) -> InvalidParameters:
    received = "" if parameter.is_secret else f" not {shown(value)}"
    return InvalidParameters(
        f"Parameter '{parameter.name}' must be {allowed}{',' if received else ''}{received}.",
        details={"parameter": parameter.name},
    )


def _value(parameter: Parameter, value: Any) -> Any:
    check_type: Callable[[Parameter, Any], Any] = _CHECKS.get(parameter.type, _string)
    return check_type(parameter, value)


def _string(parameter: Parameter, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _refuse(parameter, value, "text")
    text = str(value)
    if not text and not parameter.allow_empty:
        raise _refuse(parameter, value, "a text that is not empty")
    if len(text) > parameter.max_length:
        raise _refuse(parameter, value, f"at most {parameter.max_length} characters long")
    if "\0" in text or (parameter.in_path and not text.isprintable()):
        raise _refuse(parameter, value, "text without control characters")
    if parameter.in_path and not text:
        raise _refuse(parameter, value, "a text that is not empty")
    if parameter.choices and text.casefold() not in {choice.casefold() for choice in parameter.choices}:
        raise _refuse(parameter, value, f"one of {', '.join(parameter.choices)}")
    return text


def _integer(parameter: Parameter, value: Any) -> int | None:
    if value == "" and parameter.allow_empty and not parameter.required:
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise _refuse(parameter, value, "a whole number")
        number = int(value) if len(str(value)) <= 20 else None  # noqa: PLR2004 - longer than any 64-bit number
    except ValueError:
        number = None
    if number is None:
        raise _refuse(parameter, value, "a whole number")
    low, high = parameter.minimum, parameter.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        raise _refuse(parameter, value, f"between {low} and {high}" if high is not None else f"at least {low}")
    return number


def _base64(parameter: Parameter, value: Any) -> str:
    text = _string(parameter, value)
    try:
        base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise _refuse(parameter, value, "base64") from None
    return text


def _list(parameter: Parameter, value: Any) -> list[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise _refuse(parameter, value, "a list of texts")
    return [_string(parameter, item) for item in value]


def _map(parameter: Parameter, value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(item, str) for pair in value.items() for item in pair):
        raise _refuse(parameter, value, "an object of texts")
    return dict(value)


def _records(keys: frozenset[str]) -> Callable[[Parameter, Any], list[dict[str, Any]]]:
    def check_records(parameter: Parameter, value: Any) -> list[dict[str, Any]]:
        wanted = " and ".join(sorted(keys))
        if not isinstance(value, list | tuple):
            raise _refuse(parameter, value, f"a list of objects with {wanted}")
        for item in value:
            if not isinstance(item, Mapping) or set(item) != keys:
                raise _refuse(parameter, value, f"a list of objects with {wanted}")
        return [dict(item) for item in value]

    return check_records


_CHECKS: dict[str, Callable[[Parameter, Any], Any]] = {
    "string": _string,
    "integer": _integer,
    "base64": _base64,
    "list": _list,
    "map": _map,
    "files": _records(frozenset({"path", "content"})),
    "parts": _records(frozenset({"number", "etag"})),
}
