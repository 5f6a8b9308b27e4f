"""Recorded exchanges of the original server: reading them, and comparing an answer with the recorded one."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lxml import etree

from harness.asgi import Answer

COMPARED_HEADERS = (
    "Content-Type",
    "Location",
    "WWW-Authenticate",
    "X-Deltacloud-Driver",
    "X-Deltacloud-Provider",
    "Expect",
    "Content-Disposition",
)
METADATA = "x-deltacloud-blobmeta-"
IGNORED_ON_ERRORS = frozenset({"backtrace", "request", "message"})
"""Parts of an error body that are not compared: §15.1 #13, #14 and #15, and §14.3 (messages need not be copied)."""

_TOKEN = re.compile(r"@@\w[\w-]*@@|\{\{(\w+)\}\}")


def sessions(file: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the recorded exchanges by session, in order."""
    found: dict[str, list[dict[str, Any]]] = {}
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            exchange = json.loads(line)
            found.setdefault(exchange["session"], []).append(exchange)
    return found


def fill(text: str, captured: Mapping[str, str]) -> str:
    """Return a text with what was captured earlier in place of its variables."""
    return re.sub(r"\{\{(\w+)\}\}", lambda match: captured[match[1]], text)


def capture(exchange: dict[str, Any], answer: Answer) -> dict[str, str]:
    """Return the variable that the exchange asks to remember."""
    wanted = exchange.get("capture")
    if wanted is None:
        return {}
    if wanted["from"] == "location":
        return {wanted["var"]: answer.headers["location"].rsplit("/", 1)[-1]}
    value = answer.json
    for key in wanted["from"].removeprefix("json:").split("."):
        value = value[key]
    return {wanted["var"]: value}


def differences(exchange: dict[str, Any], answer: Answer, captured: Mapping[str, str]) -> dict[str, tuple[Any, Any]]:
    """Return what differs, by aspect (`status`, a header's name, `metadata`, `allow`, `body`): both sides."""
    expected = exchange["response"]
    found: dict[str, tuple[Any, Any]] = {}
    if expected["status"] != answer.status:
        found["status"] = (expected["status"], answer.status)
    for aspect, theirs, ours in _headers(expected["headers"], answer.headers, captured):
        if theirs != ours:
            found[aspect] = (theirs, ours)
    if exchange["request"]["method"] not in {"HEAD", "OPTIONS"}:
        found.update(_bodies(expected["body"], answer, captured))
    return found


def _headers(
    theirs: Mapping[str, str], ours: Mapping[str, str], captured: Mapping[str, str]
) -> Iterator[tuple[str, Any, Any]]:
    for name in COMPARED_HEADERS:
        value = theirs.get(name)
        yield name.lower(), None if value is None else fill(value, captured), ours.get(name.lower())
    allow = theirs.get("Allow")
    yield "allow", _set(allow), _set(ours.get("allow"))
    yield "metadata", _metadata(theirs), _metadata(ours)


def _set(value: str | None) -> set[str]:
    return {each.strip() for each in value.split(",")} if value else set()


def _metadata(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items() if name.lower().startswith(METADATA)}


def _bodies(theirs: str, answer: Answer, captured: Mapping[str, str]) -> dict[str, tuple[Any, Any]]:
    if theirs.startswith("<html>"):
        return {} if answer.headers.get("content-type", "").startswith("text/html") else {"body": ("page", answer.text)}
    try:
        expected, actual = _read(theirs), _read(answer.text)
    except etree.XMLSyntaxError:
        return {"body": (theirs, answer.text)}
    return {} if _alike(expected, actual, captured) else {"body": (expected, actual)}


def _read(text: str) -> Any:
    """Return a body as nested lists: JSON as it is, XML as name, attributes, stripped text, children."""
    if text.startswith("<"):
        return _element(etree.fromstring(text.encode()))
    if not text.startswith(("{", "[")):
        return text
    found = json.loads(text)
    if isinstance(found, dict) and {"code", "message", "error"} <= set(found):
        return {"code": found["code"], "error": found["error"]}
    return found


def _element(element: etree._Element) -> list[Any]:
    texts = [element.text or "", *(child.tail or "" for child in element)]
    is_error = element.tag == "error"
    children = [_element(child) for child in element if not (is_error and child.tag in IGNORED_ON_ERRORS)]
    return [element.tag, dict(element.attrib), "".join(texts).strip(), children]


def _alike(expected: Any, actual: Any, captured: Mapping[str, str]) -> bool:
    if isinstance(expected, str) and _TOKEN.search(expected):
        return _matches(expected, str(actual), captured)
    if isinstance(expected, dict) and isinstance(actual, dict):
        return expected.keys() == actual.keys() and all(
            _alike(expected[key], actual[key], captured) for key in expected
        )
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(
            _alike(one, other, captured) for one, other in zip(expected, actual, strict=True)
        )
    return type(expected) is type(actual) and expected == actual


def _matches(expected: str, actual: str, captured: Mapping[str, str]) -> bool:
    pattern, end = "", 0
    for token in _TOKEN.finditer(expected):
        pattern += re.escape(expected[end : token.start()])
        pattern += re.escape(captured[token[1]]) if token[1] else ".*?"
        end = token.end()
    return re.fullmatch(pattern + re.escape(expected[end:]), actual, re.DOTALL) is not None
