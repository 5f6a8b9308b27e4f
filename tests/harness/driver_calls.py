"""Call a driver as a worker does: checked parameters in, records out that have been on the wire."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from deltacloud.drivers import Credentials, ProviderTarget, SessionCache
from deltacloud.drivers.base import Driver
from deltacloud.errors import DeltacloudError
from deltacloud.metrics import NATIVE_CALLS
from deltacloud.rpc.context import CarriedCredentials, Context
from deltacloud.rpc.deadline import Deadline
from deltacloud.rpc.dispatch import Dispatcher
from deltacloud.rpc.envelope import decode_reply, encode_error, encode_result


class _Opener:
    def open(self, carried: CarriedCredentials, **_: object) -> Credentials:
        return Credentials(carried.user or "", carried.password or "")


class DriverCalls:
    """Calls of one driver at one provider, by one user unless told otherwise."""

    def __init__(self, driver: Driver, target: ProviderTarget, user: str, password: str) -> None:
        self.driver = driver
        self._credentials = CarriedCredentials(user=user, password=password)
        self._dispatcher = Dispatcher(driver, opener=_Opener(), resolve=lambda *_: target, cache=SessionCache())

    def __call__(
        self,
        method: str,
        *,
        within_s: float = 30.0,
        user: str | None = None,
        password: str | None = None,
        anonymous: bool = False,
        key: str | None = None,
        redelivered: bool = False,
        **parameters: Any,
    ) -> Any:
        """Run an operation and give its record, its list of records, or None.

        Raises the DeltacloudError a caller on the other side of the broker would.
        """
        carried = CarriedCredentials(
            user=user or self._credentials.user, password=password or self._credentials.password
        )
        context = Context(
            provider="lab",
            credentials=None if anonymous else carried,
            deadline=Deadline.after(within_s).at,
            idempotency_key=key,
        )
        try:
            body = encode_result(self._dispatcher.call(method, context, parameters, is_redelivered=redelivered))
        except DeltacloudError as error:
            body = encode_error(error)
        operation = self._dispatcher.operations[method]
        result = decode_reply(operation, body)
        return result.items if operation.is_list else result

    @contextmanager
    def native_calls(self) -> Iterator[dict[str, int]]:
        """Count what the driver sends to the cloud inside the block; the dictionary is filled at its end."""
        before, counted = self._sent(), dict[str, int]()
        yield counted
        counted.update({name: sent - before.get(name, 0) for name, sent in self._sent().items()})
        for name in [name for name, sent in counted.items() if not sent]:
            del counted[name]

    def _sent(self) -> dict[str, int]:
        return {
            sample.labels["call"]: int(sample.value)
            for metric in NATIVE_CALLS.collect()
            for sample in metric.samples
            if sample.name.endswith("_total") and sample.labels["driver"] == self.driver.id
        }
