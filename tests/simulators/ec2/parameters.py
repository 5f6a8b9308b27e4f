"""Parameters of the query API: flat names with numbers for list places, as ``Filter.1.Value.2``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Self
from urllib.parse import parse_qsl

from simulators.ec2.errors import ApiError, invalid_value, missing_parameter

COMMON = frozenset({"Action", "Version"})
_PLACE = re.compile(r"\.[0-9]+(?=\.|$)")


class Parameters:
    """The parameters of one request, or those below one name of it."""

    def __init__(self, values: Mapping[str, str], path: str = "") -> None:
        self.values = values
        self._path = path

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a form-encoded body or query. Raises MalformedQueryString."""
        try:
            pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict")
        except ValueError:
            raise ApiError("MalformedQueryString", "The query string contains a syntax error") from None
        return cls(dict(pairs))

    def check(self, accepted: Iterable[str], required: Iterable[str]) -> None:
        """Refuse names that are not among ``accepted`` (``N`` for a place) and demand the ``required``."""
        names = {_PLACE.sub(".N", name) for name in self.values}
        for name in self.values:
            if _PLACE.sub(".N", name) not in {*accepted, *COMMON}:
                raise ApiError("UnknownParameter", f"The parameter {name} is not recognized")
        for name in required:
            if name not in names and not any(known.startswith(f"{name}.") for known in names):
                raise missing_parameter(name)

    def text(self, name: str) -> str | None:
        """Give the value as it was sent."""
        return self.values.get(name)

    def demanded(self, name: str) -> str:
        """Give a value that must be there and not be empty."""
        value = self.values.get(name)
        if not value:
            raise missing_parameter(self._path + name)
        return value

    def integer(self, name: str) -> int | None:
        """Give a whole number, or None when it was not sent."""
        value = self.values.get(name)
        if value is None:
            return None
        if not re.fullmatch(r"-?[0-9]{1,9}", value):
            raise invalid_value(f"Value ({value}) for parameter {self._path}{name} is invalid. Expected a number")
        return int(value)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Give a truth value; only ``true`` and ``false`` are ones."""
        value = self.values.get(name)
        if value is None:
            return default
        if value not in {"true", "false"}:
            raise invalid_value(f"Value ({value}) for parameter {self._path}{name} is invalid. Expected a boolean")
        return value == "true"

    def strings(self, name: str) -> list[str]:
        """Give the values of a list in the order of their places, each once."""
        places = sorted(self._places(name, deeper=False))
        return list(dict.fromkeys(self.values[f"{name}.{place}"] for place in places))

    def below(self, name: str) -> Parameters:
        """Give the parameters under a name."""
        prefix = f"{name}."
        return Parameters(
            {key.removeprefix(prefix): value for key, value in self.values.items() if key.startswith(prefix)},
            self._path + prefix,
        )

    def structures(self, name: str) -> list[Parameters]:
        """Give the parameters of each place of a list of structures."""
        return [self.below(f"{name}.{place}") for place in sorted(self._places(name, deeper=True))]

    def _places(self, name: str, *, deeper: bool) -> set[int]:
        pattern = re.compile(re.escape(name) + (r"\.([0-9]+)\." if deeper else r"\.([0-9]+)$"))
        return {int(found[1]) for found in map(pattern.match, self.values) if found}
