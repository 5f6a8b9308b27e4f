"""The operator's providers file, read strictly: a mistake is told with its line.

Names and values are taken as written, whatever YAML would make of them (``no`` is the provider "no"). Entries::

    providers:
      <driver>:
        <name>: {endpoint: URL, endpoints: {<native service>: URL}, region: TEXT, ca_file: PATH, options: {KEY: TEXT}}
    allow: [PATTERN, …]

An entry with ``endpoints`` names every native service it is used for, or an ``endpoint`` for the rest: only one with
neither uses the cloud's own. ``ca_file`` is relative to the file. Patterns are those of
:mod:`deltacloud.providers.policy`.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from deltacloud.providers import origin
from deltacloud.providers.picture import ProviderEntry
from deltacloud.providers.policy import Pattern

T = TypeVar("T")

_ENTRY_KEYS = ("endpoint", "endpoints", "region", "ca_file", "options")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class ProvidersFileError(Exception):
    """The file cannot be used; the text is ``file:line: reason``."""


class OperatorProviders(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator wrote: providers by driver and name, and the patterns of URLs clients may name."""

    providers: dict[str, dict[str, ProviderEntry]] = {}
    allow: tuple[str, ...] = ()


def read(path: Path) -> OperatorProviders:
    """Return the contents of a providers file.

    Raises:
        ProvidersFileError: it cannot be read, or the first mistake in it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ProvidersFileError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ProvidersFileError(f"{path}: it is not UTF-8 text") from None
    return _Reader(path).read(text)


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, text: str) -> OperatorProviders:
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise self._mistake(mark, f"not YAML: {error.problem or error.context}") from None
        except (yaml.YAMLError, RecursionError):
            raise ProvidersFileError(
                f"{self._path}:1: not YAML: it holds characters or depths that YAML has not"
            ) from None
        if root is None:
            return OperatorProviders()
        providers: dict[str, dict[str, ProviderEntry]] = {}
        allow: tuple[str, ...] = ()
        for _, name, value in self._items(root, "the file", ("providers", "allow")):
            if name == "allow":
                allow = self._allow(value)
            else:
                providers = self._drivers(value)
        return OperatorProviders(providers=providers, allow=allow)

    def _drivers(self, node: yaml.Node) -> dict[str, dict[str, ProviderEntry]]:
        found = {}
        for key, driver, value in self._items(node, "providers"):
            self._check_name(key, "driver", driver)
            found[driver] = self._entries(driver, value)
        return found

    def _entries(self, driver: str, node: yaml.Node) -> dict[str, ProviderEntry]:
        found: dict[str, ProviderEntry] = {}
        taken: set[str] = set()
        for key, name, value in self._items(node, f"providers of {driver}"):
            self._check_name(key, "provider", name)
            if name.casefold() in taken:
                raise self._mistake(
                    key.start_mark, f"provider '{name}' of {driver} is there twice; case does not count"
                )
            taken.add(name.casefold())
            found[name] = self._entry(f"{driver}/{name}", name, value)
        return found

    def _entry(self, where: str, name: str, node: yaml.Node) -> ProviderEntry:
        fields: dict[str, Any] = {}
        for _, key, value in self._items(node, where, _ENTRY_KEYS):
            match key:
                case "endpoint":
                    fields["endpoint"] = self._url(value, f"{where}: endpoint")
                case "endpoints":
                    fields["endpoints"] = {
                        kind: self._url(url, f"{where}: endpoint of {kind}")
                        for _, kind, url in self._items(value, f"{where}: endpoints")
                    }
                    if not fields["endpoints"]:
                        raise self._mistake(value.start_mark, f"{where}: endpoints names none; leave it out")
                case "options":
                    fields["options"] = {
                        option: self._text(given, f"{where}: {option}")
                        for _, option, given in self._items(value, f"{where}: options")
                    }
                case "ca_file":
                    fields["ca_pem"] = self._certificates(value, where)
                case _:
                    fields["region"] = self._text(value, f"{where}: region")
        if not fields:
            raise self._mistake(node.start_mark, f"{where} says nothing; give at least one of {', '.join(_ENTRY_KEYS)}")
        return ProviderEntry(name=name, **fields)

    def _allow(self, node: yaml.Node) -> tuple[str, ...]:
        if not isinstance(node, yaml.SequenceNode):
            raise self._mistake(node.start_mark, "allow must be a list of URL patterns")
        patterns = [self._tried(Pattern.parse, item, "allow") for item in node.value]
        return tuple(dict.fromkeys(patterns))

    def _url(self, node: yaml.Node, where: str) -> str:
        return self._tried(origin.parse, node, where)

    def _tried(self, check: Callable[[str], object], node: yaml.Node, where: str) -> str:
        """Return a text that a check accepts; a rejected one is not repeated, since it may hold a password."""
        text = self._text(node, where)
        try:
            check(text)
        except ValueError as error:
            raise self._mistake(node.start_mark, f"{where}: {error}") from None
        return text

    def _certificates(self, node: yaml.Node, where: str) -> str:
        path = self._path.parent / self._text(node, f"{where}: ca_file")
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not text"
            raise self._mistake(node.start_mark, f"{where}: ca_file {path} cannot be read: {reason}") from None
        found = "\n".join(_CERTIFICATE.findall(text))
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=found)
        except (ssl.SSLError, ValueError):
            raise self._mistake(node.start_mark, f"{where}: ca_file {path} holds no PEM certificates") from None
        return found + "\n"

    def _items(
        self, node: yaml.Node, where: str, allowed: tuple[str, ...] | None = None
    ) -> Iterator[tuple[yaml.Node, str, yaml.Node]]:
        """Yield key node, key and value node of a mapping, refusing unknown and repeated keys."""
        if not isinstance(node, yaml.MappingNode):
            raise self._mistake(node.start_mark, f"{where} must be a mapping (name: value)")
        seen: set[str] = set()
        for key, value in node.value:
            name = self._text(key, f"a name in {where}")
            if allowed is not None and name not in allowed:
                raise self._mistake(key.start_mark, f"{where} has no '{name}'; it may have {', '.join(allowed)}")
            if name in seen:
                raise self._mistake(key.start_mark, f"{where} has '{name}' twice")
            seen.add(name)
            yield key, name, value

    def _text(self, node: yaml.Node, where: str) -> str:
        if not isinstance(node, yaml.ScalarNode) or node.tag == "tag:yaml.org,2002:null" or not node.value.strip():
            raise self._mistake(node.start_mark, f"{where} must be a text")
        return str(node.value)

    def _check_name(self, node: yaml.Node, kind: str, name: str) -> None:
        if _NAME.fullmatch(name) is None:
            raise self._mistake(
                node.start_mark,
                f"a {kind} is named by letters, digits, '.', '_' and '-', at most 64; not {name[:70]!r}",
            )

    def _mistake(self, mark: yaml.Mark | None, reason: str) -> ProvidersFileError:
        return ProvidersFileError(f"{self._path}:{mark.line + 1 if mark else 1}: {reason}")
