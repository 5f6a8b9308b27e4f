"""The words in which collections are declared. Pure data: nothing here does anything."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Service = Literal["compute", "storage", "registry", "gateway"]
"""Who answers an operation: a driver's worker, the registry, or the gateway from the picture alone."""

Effect = Literal["read", "idempotent", "create", "other"]
"""What a second run of the same call does.

``read`` changes nothing; ``idempotent`` leaves the same state; ``create`` makes a second resource; ``other`` may do
harm. A redelivered ``create`` or ``other`` is not run again unless the driver can prove the outcome.
"""

ParameterType = Literal["string", "integer", "base64", "list", "files", "parts", "map", "binary"]
"""How a value looks on the wire: ``list`` is a list of strings, ``files`` a list of ``{path, content}``, ``parts`` a
list of ``{number, etag}``, ``map`` an object of strings, ``binary`` bytes of an HTTP body (never sent by RPC)."""


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter of an operation, by the API's name.

    ``choices`` are the allowed values, compared without case. ``numbered`` are the HTTP spellings of a ``list`` or
    ``files`` parameter (``firewalls`` is ``firewalls1``, ``firewalls2``, …). ``aliases`` are other spellings that are
    understood. ``allow_empty`` keeps the original's tolerance for empty values. ``is_secret`` keeps it out of every
    text. ``in_path`` parameters come from the URL. ``rpc_only`` ones are not part of the REST API.
    """

    name: str
    required: bool = False
    type: ParameterType = "string"
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    max_length: int = 65_536
    allow_empty: bool = True
    numbered: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    is_secret: bool = False
    in_path: bool = False
    rpc_only: bool = False
    description: str = ""


class Feature(msgspec.Struct, frozen=True, kw_only=True):
    """An optional extension of one operation of one collection, advertised by the drivers that have it.

    ``operation`` is the operation's name in the collection; ``None`` for the one feature that extends none.
    """

    name: str
    collection: str
    operation: str | None
    parameters: tuple[Parameter, ...] = ()
    description: str = ""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of a collection.

    ``rpc`` is the RPC method and the driver's method. ``path`` is the URL below ``/api``, with ``{id}`` for parameters
    in it. ``capability`` is the original's name of the operation, sent in ``Expect`` when a driver lacks it. ``result``
    is the record type; lists answer :class:`~deltacloud.models.Page` of it; ``None`` answers nothing; one that
    ``may_answer_several`` answers a record or a list of them. ``status`` is the HTTP status of success. An operation
    without ``http_method`` exists on RPC alone.
    """

    name: str
    collection: str
    rpc: str
    service: Service
    http_method: Literal["GET", "POST", "PUT", "DELETE", "HEAD"] | None
    path: str = ""
    capability: str
    parameters: tuple[Parameter, ...] = ()
    result: Any = None
    is_list: bool = False
    may_answer_several: bool = False
    status: int = 200
    effect: Effect = "read"
    description: str = ""

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the parameters that must be given."""
        return tuple(parameter.name for parameter in self.parameters if parameter.required)

    def parameter(self, name: str) -> Parameter | None:
        """Return the parameter of that name, or ``None``."""
        return next((parameter for parameter in self.parameters if parameter.name == name), None)


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """A collection: its name in URLs, its singular in elements and RPC names, its operations in order.

    ``parent`` names the collection its URLs live under (blobs under buckets).
    """

    name: str
    singular: str
    service: Service
    record: Any
    operations: tuple[Operation, ...]
    features: tuple[Feature, ...] = ()
    parent: str | None = None
    description: str = ""

    def operation(self, name: str) -> Operation:
        """Return the operation of that name.

        Raises:
            KeyError: no such operation.
        """
        for operation in self.operations:
            if operation.name == name:
                return operation
        raise KeyError(name)

    @property
    def entry_operation(self) -> Operation | None:
        """The index operation: the driver that has it has the collection. Blobs have none of their own."""
        return next((operation for operation in self.operations if operation.name == "index"), None)
