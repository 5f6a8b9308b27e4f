"""A nameko service as somebody else would write it: it asks our workers through nameko's own RPC proxy."""

from typing import Any

from nameko.exceptions import RemoteError
from nameko.rpc import RpcProxy, rpc


class Billing:
    name = "billing"
    compute = RpcProxy("compute.mock")

    @rpc  # type: ignore[untyped-decorator]
    def ask(self, method: str, parameters: dict[str, Any]) -> Any:
        """Return what a method of our worker answers, or the code of its error."""
        try:
            return getattr(self.compute, method)(**parameters)
        except RemoteError as error:
            return {"code": error.exc_type, "message": error.value}
