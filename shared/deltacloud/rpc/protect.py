"""What is done to credentials, and to parameters that are secret, before a call leaves the process."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from deltacloud.catalogue import Operation
from deltacloud.errors import Unavailable
from deltacloud.providers.picture import SealingKey
from deltacloud.rpc.context import Context, usable_request_id
from deltacloud.rpc.deadline import Deadline
from deltacloud.rpc.endings import RETRY_AFTER_S
from deltacloud.rpc.names import driver_of
from deltacloud.rpc.seal import Sealer

Keys = Callable[[], Sequence[SealingKey]]
"""Returns the public keys of the present picture."""


class Protector:
    """Seals the plain credentials of calls.

    Args:
        keys: where the public keys are found at the time of the call.
        allow_plain: send credentials as they are while no key is known; without it such a call is refused.
    """

    def __init__(self, keys: Keys, *, allow_plain: bool = False) -> None:
        self._keys = keys
        self._allow_plain = allow_plain
        self._sealed_for: Sequence[SealingKey] = ()
        self._sealer: Sealer | None = None

    def needs_key(self, context: Context) -> bool:
        """Whether the call has plain credentials and no key is known to seal them for."""
        return context.credentials is not None and context.credentials.sealed is None and not self._keys()

    def protect(
        self, operation: Operation, context: Context, parameters: Mapping[str, Any], service: str, deadline: Deadline
    ) -> tuple[Context, Mapping[str, Any]]:
        """Return the context and the parameters as they may leave the process.

        The context is without credentials, or with sealed ones; what the catalogue calls secret among the parameters is
        under the same seal. A sealed call always has a request id, since the seal is bound to it.

        Raises:
            Unavailable: no key is known, and plain credentials may not be sent.
        """
        carried, driver = context.credentials, driver_of(service)
        if carried is None or carried.sealed is not None:
            return context, parameters
        if driver is None:
            return msgspec.structs.replace(context, credentials=None), parameters
        sealer = self._present_sealer()
        if sealer is not None:
            request_id = usable_request_id(context.request_id) or str(uuid.uuid4())
            secret = {each.name for each in operation.parameters if each.is_secret}
            sealed = sealer.seal(
                carried.user or "",
                carried.password or "",
                driver=driver,
                method=operation.rpc,
                request_id=request_id,
                deadline=deadline,
                parameters={name: value for name, value in parameters.items() if name in secret},
            )
            rest = {name: value for name, value in parameters.items() if name not in secret}
            return msgspec.structs.replace(context, credentials=sealed, request_id=request_id), rest
        if self._allow_plain:
            return context, parameters
        raise Unavailable(
            "No key is known yet to seal the credentials for, and plain ones may not be sent; nothing was started."
            " Is the registry running?",
            retry_after_s=RETRY_AFTER_S,
        )

    def _present_sealer(self) -> Sealer | None:
        keys = self._keys()
        if keys is not self._sealed_for:
            self._sealer = Sealer(keys) if keys else None
            self._sealed_for = keys
        return self._sealer
