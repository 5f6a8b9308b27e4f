"""Short hands for the declarations: one function for each kind of operation."""

from __future__ import annotations

from typing import Any, Literal

from deltacloud.catalogue.model import Collection, Effect, Feature, Operation, Parameter, Service

ID = Parameter(name="id", required=True, in_path=True, max_length=1024, description="The resource's id")
FILTER_ID = Parameter(name="id", max_length=1024, description="Only the resource of this id")
PAGING = (
    Parameter(
        name="limit",
        type="integer",
        minimum=1,
        maximum=10_000,
        rpc_only=True,
        description="At most so many records; without it the list is whole",
    ),
    Parameter(name="marker", rpc_only=True, description="The id after which the page starts: a page's next"),
)


def text(name: str, description: str, **more: Any) -> Parameter:
    """Return an optional string parameter."""
    return Parameter(name=name, description=description, **more)


def need(name: str, description: str, **more: Any) -> Parameter:
    """Return a required string parameter."""
    return Parameter(name=name, required=True, description=description, **more)


class Builder:
    """Collects the operations of one collection, deriving RPC names, paths and capabilities.

    Args:
        name: the collection's name in URLs, plural.
        singular: one of them.
        record: the record type.
        service: who answers.
        base: the URL below ``/api``; default ``/<name>``.
    """

    def __init__(
        self, name: str, singular: str, record: Any, service: Service = "compute", base: str | None = None
    ) -> None:
        self.name = name
        self.singular = singular
        self.record = record
        self.service = service
        self.base = base or f"/{name}"
        self.operations: list[Operation] = []

    def index(self, *filters: Parameter, capability: str | None = None, description: str) -> Builder:
        """Add the list operation; every list can be filtered by id and paged."""
        return self._add(
            "index",
            rpc=f"list_{self.name}",
            http_method="GET",
            path=self.base,
            capability=capability or self.name,
            parameters=(FILTER_ID, *filters, *PAGING),
            result=self.record,
            is_list=True,
            description=description,
        )

    def show(self, *parameters: Parameter, capability: str | None = None, description: str) -> Builder:
        """Add the operation that answers one record."""
        return self._add(
            "show",
            rpc=f"get_{self.singular}",
            http_method="GET",
            path=f"{self.base}/{{id}}",
            capability=capability or self.name,
            parameters=(*parameters, ID),
            result=self.record,
            description=description,
        )

    def create(self, *parameters: Parameter, description: str, **more: Any) -> Builder:
        """Add the operation that makes one."""
        return self._add(
            "create",
            rpc=f"create_{self.singular}",
            http_method="POST",
            path=self.base,
            capability=f"create_{self.singular}",
            parameters=parameters,
            **{"result": self.record, "status": 201, "effect": "create", **more},
            description=description,
        )

    def destroy(self, *parameters: Parameter, capability: str | None = None, description: str) -> Builder:
        """Add the operation that removes one; it answers nothing."""
        return self._add(
            "destroy",
            rpc=f"destroy_{self.singular}",
            http_method="DELETE",
            path=f"{self.base}/{{id}}",
            capability=capability or f"destroy_{self.singular}",
            parameters=(*parameters, ID),
            status=204,
            effect="idempotent",
            description=description,
        )

    def action(
        self,
        name: str,
        *parameters: Parameter,
        description: str,
        capability: str | None = None,
        effect: Effect = "idempotent",
        **more: Any,
    ) -> Builder:
        """Add an action on one member: ``POST <base>/{id}/<name>``."""
        return self._add(
            name,
            rpc=f"{name}_{self.singular}",
            http_method="POST",
            path=more.pop("path", f"{self.base}/{{id}}/{name}"),
            capability=capability or f"{name}_{self.singular}",
            parameters=(*more.pop("parents", ()), ID, *parameters),
            effect=effect,
            **{"result": self.record, "status": 202, **more},
            description=description,
        )

    def rpc_only(
        self, name: str, *parameters: Parameter, description: str, effect: Effect, capability: str, result: Any = None
    ) -> Builder:
        """Add an operation that only RPC callers see."""
        return self._add(
            name,
            rpc=f"{name}_{self.singular}",
            http_method=None,
            capability=capability,
            parameters=parameters,
            effect=effect,
            result=result,
            description=description,
        )

    def other(
        self,
        name: str,
        http_method: Literal["GET", "POST", "PUT", "DELETE", "HEAD"],
        path: str,
        *parameters: Parameter,
        rpc: str,
        capability: str,
        description: str,
        **more: Any,
    ) -> Builder:
        """Add an operation of no common kind."""
        return self._add(
            name,
            rpc=rpc,
            http_method=http_method,
            path=path,
            capability=capability,
            parameters=parameters,
            description=description,
            **more,
        )

    def done(self, *features: Feature, parent: str | None = None, description: str) -> Collection:
        """Return the collection."""
        return Collection(
            name=self.name,
            singular=self.singular,
            service=self.service,
            record=self.record,
            operations=tuple(self.operations),
            features=features,
            parent=parent,
            description=description,
        )

    def _add(self, name: str, **fields: Any) -> Builder:
        self.operations.append(Operation(name=name, collection=self.name, service=self.service, **fields))
        return self
