"""docs/drivers.md from what the installed drivers declare: ``python -m deltacloud.testing.documents docs [--check]``.

What a driver can do comes from its class; what it was proved against, and what its cloud cannot do, from the
``conformance.toml`` beside it, which is what the conformance suite was run with.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from deltacloud import catalogue
from deltacloud.drivers import Driver
from deltacloud.drivers.loading import GROUPS, load
from deltacloud.models import FeatureDeclaration
from deltacloud.testing.notes import Notes

FILE = "drivers.md"
HEAD = """\
# Drivers

What each installed driver can do, what it was proved against, and where its cloud or that back end falls short. Derived
from the drivers' declarations and their `conformance.toml`, the file the conformance suite is run with; do not edit,
run `make docs`.

A driver is proved by the conformance suite, `deltacloud.testing`, which is shipped: a driver of your own passes the
same one. Its checks are named here as the suite names them, without `test_`.
"""
STALE = 1


def page(drivers: Iterable[Driver]) -> str:
    """Return docs/drivers.md for some drivers, by id and service."""
    ordered = sorted(drivers, key=lambda driver: (driver.id, driver.service))
    parts = [HEAD, _overview(ordered)]
    for _, services in groupby(ordered, key=lambda driver: driver.id):
        parts += [section(list(services))]
    return "\n".join(parts)


def section(drivers: list[Driver]) -> str:
    """Return what is to be said of one driver, by all the services that serve it."""
    first = drivers[0]
    lines = [f"## {first.title} (`{first.id}`)", "", *_table(("", ""), _facts(drivers)), ""]
    for driver in drivers:
        lines += [f"### `{driver.service_name()}`", "", *_table(("collection", "operations"), _operations(driver)), ""]
        lines += _features(driver) + _states(driver) + _proof(driver)
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Write the page, or with ``--check`` say whether it is as it must be; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deltacloud.testing.documents", description=__doc__)
    parser.add_argument("folder", type=Path, help="where drivers.md is")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if the page is out of date")
    options = parser.parse_args(arguments)
    file: Path = options.folder / FILE
    wanted = page(driver for service in GROUPS for driver in load(service))
    if not options.check:
        file.write_text(wanted, "utf-8")
        return 0
    if file.exists() and file.read_text("utf-8") == wanted:
        return 0
    sys.stderr.write(f"{file} is not what the drivers declare; run: {parser.prog} {options.folder}\n")
    return STALE


def _overview(drivers: list[Driver]) -> str:
    collections = [each for each in catalogue.COLLECTIONS if each.service in GROUPS]
    names = list(dict.fromkeys(driver.id for driver in drivers))
    rows = [
        (
            each.name,
            *("yes" if any(_has(driver, each) for driver in drivers if driver.id == name) else "" for name in names),
        )
        for each in collections
    ]
    return "\n".join([*_table(("collection", *(f"`{name}`" for name in names)), rows), ""])


def _has(driver: Driver, collection: catalogue.Collection) -> bool:
    return any(each.rpc in driver.operations() for each in collection.operations if each.service == driver.service)


def _facts(drivers: list[Driver]) -> Iterator[tuple[str, str]]:
    first = drivers[0]
    yield "user name", first.credentials.username
    yield "password", first.credentials.password
    yield "providers", ", ".join(f"`{each.id}`" for each in first.providers) or "—"
    if first.default_provider:
        yield "default provider", f"`{first.default_provider}`"
    yield "other providers", _other_providers(first)
    without = sorted({rpc for driver in drivers for rpc in driver.anonymous_operations})
    yield "without credentials", _codes(without) or "nothing"


def _other_providers(driver: Driver) -> str:
    ways = ["those of the operator's file"]
    if driver.takes_urls:
        ways.append("URLs the operator allows")
    if driver.any_provider:
        ways.append("any name")
    return ", ".join(ways)


def _operations(driver: Driver) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for collection in catalogue.COLLECTIONS:
        rpcs = dict.fromkeys(each.rpc for each in collection.operations if each.service == driver.service)
        had = [rpc for rpc in rpcs if rpc in driver.operations()]
        seen.update(had)
        if had:
            yield collection.name, _codes(had)
    beside = sorted(driver.operations() - seen)
    if beside:
        yield "(RPC alone)", _codes(beside)


def _features(driver: Driver) -> list[str]:
    lines = [
        f"Creates that are made once for each idempotency key: {_codes(sorted(driver.provable_operations)) or 'none'}."
    ]
    if driver.features:
        rows = [(each.collection, f"`{each.name}`", _meaning(each), _constraints(each)) for each in driver.features]
        lines += ["", *_table(("collection", "feature", "what it does", "constraints"), rows)]
    return [*lines, ""]


def _meaning(declared: FeatureDeclaration) -> str:
    wanted = (declared.collection, declared.name)
    return next(each.description for each in catalogue.FEATURES if (each.collection, each.name) == wanted)


def _constraints(declared: FeatureDeclaration) -> str:
    return ", ".join(f"{name} {value}" for name, value in declared.constraints.items())


def _states(driver: Driver) -> list[str]:
    if driver.states is None:
        return []
    rows = [
        (state.name, ", ".join(f"{way.action or '(by itself)'} → {way.to}" for way in state.transitions))
        for state in driver.states.states
    ]
    return [*_table(("state", "ways out"), rows), ""]


def _proof(driver: Driver) -> list[str]:
    notes = Notes.of(type(driver))
    titles = [each.title for each in notes.back_ends.values()]
    lines = [f"Proved against: {'; '.join(titles) or 'nothing yet'}.", ""]
    groups = [("What the cloud cannot do", notes.cloud.cannot)]
    groups += [(f"Where {each.title} differs", each.cannot) for each in notes.back_ends.values()]
    for title, cannot in groups:
        if cannot:
            lines += [
                f"{title}:",
                "",
                *_table(("check", "why"), [(f"`{check}`", why) for check, why in cannot.items()]),
                "",
            ]
    return lines


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [_row(head), _row(tuple("---" for _ in head)), *(_row(row) for row in rows)]


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


if __name__ == "__main__":
    sys.exit(main())
