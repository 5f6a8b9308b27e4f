"""Pages: plain HTML that works without a script, from templates that escape whatever they are given."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from deltacloud.catalogue import API_VERSION, Operation, Parameter
from deltacloud.models import CredentialLabels
from deltacloud_gateway import routing, urls
from deltacloud_gateway.representations.documents import Page
from deltacloud_gateway.representations.shape import Action, Link

TEMPLATES = Path(__file__).parent.parent / "templates"
REPEATS = 3
"""How many members of a numbered family of parameters a form offers."""


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What every page shows around its content: where it is, for which driver, and how to ask for the same by curl.

    ``is_default`` says that the request named no driver; else every link of the page names it again.
    """

    base_url: str
    driver: str
    provider: str | None
    credential_labels: CredentialLabels | None
    is_default: bool
    method: str
    path: str
    operations: frozenset[str]

    def keep(self, url: str) -> str:
        """Return a URL of the API that keeps to this page's driver and provider."""
        if self.is_default or not url.startswith(self.base_url):
            return url
        chosen = urls.matrix("driver", self.driver)
        if self.provider:
            chosen += urls.matrix("provider", self.provider)
        return self.base_url + chosen + url[len(self.base_url) :]

    def url(self, *segments: str) -> str:
        """Return a URL below the API that keeps to this page's driver and provider."""
        return self.keep(urls.join(self.base_url, *segments))

    def curl(self) -> str:
        """Return the command that asks for the same as XML."""
        words = ["curl", "-u", "USER:PASSWORD", "-H", "Accept: application/xml"]
        if not self.is_default:
            words += ["-H", f"X-Deltacloud-Driver: {self.driver}"]
            if self.provider:
                words += ["-H", f"X-Deltacloud-Provider: {self.provider}"]
        if self.method not in {"GET", "HEAD"}:
            words += ["-X", self.method]
        host = self.base_url.removesuffix(urls.ROOT)
        return shlex.join([*words, f"{host}{self.path}"])


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One input of a form."""

    name: str
    parameter: Parameter
    kind: str
    is_required: bool = False


def fields(operation: Operation) -> list[Field]:
    """Return the inputs of an operation's form; families of parameters become several."""
    return [
        field
        for each in operation.parameters
        if not (each.in_path or each.rpc_only or each.name == "meta_params")
        for field in _fields(each)
    ]


def _fields(parameter: Parameter) -> list[Field]:
    kind = _kind(parameter)
    if not parameter.numbered:
        return [Field(name=parameter.name, parameter=parameter, kind=kind, is_required=parameter.required)]
    families = parameter.numbered if parameter.type == "files" else parameter.numbered[:1]
    names = [f"{family}{number}" for number in range(1, REPEATS + 1) for family in families]
    if parameter.type == "map":
        names = [name + suffix for name in names for suffix in ("", "owner")]
    return [Field(name=name, parameter=parameter, kind=kind) for name in names]


def _kind(parameter: Parameter) -> str:
    if parameter.choices:
        return "choice"
    if parameter.type == "binary":
        return "file"
    if parameter.type in {"base64", "files"} or parameter.name == "private_key":
        return "long"
    if parameter.is_secret and parameter.name == "password":
        return "password"
    return "number" if parameter.type == "integer" else "text"


def render(page: Page, frame: Frame) -> bytes:
    """Return a page's bytes."""
    template = _ENVIRONMENT.get_template(page.template)
    return template.render(title=page.title, frame=frame, **page.values).encode()


def needs_form(action: Action) -> bool:
    """Whether an action is a link to a page to fill in, rather than a button."""
    return action.form is not None or (action.operation is not None and routing.has_form(action.operation))


def _is_link(value: Any) -> bool:
    return isinstance(value, Link)


def _is_several(value: Any) -> bool:
    return isinstance(value, tuple)


_ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
)
_ENVIRONMENT.tests.update({"link": _is_link, "several": _is_several})
_ENVIRONMENT.globals.update(needs_form=needs_form, version=API_VERSION)
