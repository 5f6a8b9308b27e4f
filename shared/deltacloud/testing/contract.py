"""The derived parts of docs/rpc.md: ``python -m deltacloud.testing.contract docs [--check]``.

The prose and the worked calls are written by hand; the tables of errors, methods, parameters and records come from the
error tree, the catalogue and the models, and are put between ``<!-- begin <name> -->`` and ``<!-- end <name> -->``.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

from deltacloud import catalogue, models
from deltacloud.errors import BY_CODE, DeltacloudError
from deltacloud.rpc.context import CarriedCredentials, Context

FILE = "rpc.md"
STALE = 1
SERVICES: tuple[catalogue.Service, ...] = ("compute", "storage", "registry")


def filled(text: str) -> str:
    """Return the document with its derived parts as they must be.

    Raises:
        LookupError: it has no place for one of them.
    """
    for name, part in _parts():
        begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
        head, found_begin, rest = text.partition(begin)
        _, found_end, tail = rest.partition(end)
        if not (found_begin and found_end):
            raise LookupError(f"{FILE} has no place for '{name}': {begin} … {end}")
        text = f"{head}{begin}\n{part}\n{end}{tail}"
    return text


def main(arguments: list[str] | None = None) -> int:
    """Fill the document in, or with ``--check`` say whether it is as it must be; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deltacloud.testing.contract", description=__doc__)
    parser.add_argument("folder", type=Path, help=f"where {FILE} is")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if the document is out of date")
    options = parser.parse_args(arguments)
    file: Path = options.folder / FILE
    present = file.read_text("utf-8")
    wanted = filled(present)
    if present == wanted:
        return 0
    if not options.check:
        file.write_text(wanted, "utf-8")
        return 0
    sys.stderr.write(f"{file} is not what the catalogue declares; run: {parser.prog} {options.folder}\n")
    return STALE


def _parts() -> Iterator[tuple[str, str]]:
    yield "context", _table(("field", "type"), _fields(Context))
    yield "credentials", _table(("field", "type"), _fields(CarriedCredentials))
    yield "errors", _errors()
    for service in SERVICES:
        yield f"methods-{service}", _methods(service)
    yield "features", _features()
    yield "records", _records()


def _errors() -> str:
    rows = [
        (f"`{code}`", str(error.http_status), "yes" if error.is_retryable else "", _first_sentence(error))
        for code, error in sorted(BY_CODE.items(), key=lambda item: (item[1].http_status, item[0]))
    ]
    return _table(("code", "HTTP", "try again later", "meaning"), rows)


def _first_sentence(error: type[DeltacloudError]) -> str:
    if error is DeltacloudError:
        return ""
    return " ".join((error.__doc__ or "").split("\n\n", maxsplit=1)[0].replace("``", "`").split())


def _methods(service: catalogue.Service) -> str:
    rows = [
        (f"`{rpc}`", _parameters(each.parameters), _answer(each), each.effect, each.description)
        for rpc, each in catalogue.rpc_operations(service).items()
    ]
    return _table(("method", "parameters", "answers", "a second run", "what it does"), rows)


def _parameters(parameters: Iterable[catalogue.Parameter]) -> str:
    spelled = [_spelled(each) for each in parameters if each.type != "binary"]
    return ", ".join(spelled) or "—"


def _spelled(parameter: catalogue.Parameter) -> str:
    name = f"**`{parameter.name}`**" if parameter.required else f"`{parameter.name}`"
    kind = "" if parameter.type == "string" else f" {parameter.type}"
    choices = f" ({', '.join(parameter.choices)})" if parameter.choices else ""
    secret = " (secret)" if parameter.is_secret else ""
    return f"{name}{kind}{choices}{secret}"


def _answer(operation: catalogue.Operation) -> str:
    if operation.result is None:
        return "null"
    name = f"`{operation.result.__name__}`"
    return f"page of {name}" if operation.is_list else name


def _features() -> str:
    rows = [
        (f"`{each.name}`", f"{each.operation or '—'} of {each.collection}", _parameters(each.parameters))
        for each in catalogue.FEATURES
    ]
    return _table(("feature", "extends", "parameters"), rows)


def _records() -> str:
    records = {name: getattr(models, name) for name in models.__all__ if name != "Record"}
    rows = [
        (f"`{name}`", ", ".join(f"`{field}` {kind}" for field, kind in _plain_fields(record)))
        for name, record in records.items()
        if isinstance(record, type) and issubclass(record, msgspec.Struct) and record is not models.Page
    ]
    return _table(("record", "fields"), rows)


def _fields(record: type[msgspec.Struct]) -> list[tuple[str, str]]:
    return [(f"`{name}`", kind) for name, kind in _plain_fields(record)]


def _plain_fields(record: type[msgspec.Struct]) -> list[tuple[str, str]]:
    return [(field.encode_name, _kind(field.type)) for field in msgspec.structs.fields(record)]


_WORDS = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null", Any: "any"}


def _kind(annotation: Any) -> str:
    """Return a type in JSON's words; a record goes by its name."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in {Union, UnionType}:
        return " or ".join(_kind(each) for each in arguments)
    if origin in {list, tuple, frozenset}:
        return f"list of {_kind(arguments[0])}"
    if origin is dict:
        return f"object of {_kind(arguments[1])}"
    if origin is Literal:
        return " or ".join(map(repr, arguments)).replace("'", '"')
    if hasattr(annotation, "__metadata__"):
        return _kind(arguments[0])
    return _WORDS.get(annotation) or str(getattr(annotation, "__name__", annotation))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join([_row(head), _row(tuple("---" for _ in head)), *map(_row, rows)])


def _row(cells: tuple[str, ...]) -> str:
    escaped = [re.sub(r"\s+", " ", cell).replace("|", "&#124;") for cell in cells]
    return f"| {' | '.join(escaped)} |"


if __name__ == "__main__":
    sys.exit(main())
