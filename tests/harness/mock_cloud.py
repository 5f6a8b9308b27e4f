"""The mock cloud as its callers reach it: through a dispatcher, and from many processes at once."""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from deltacloud.drivers import Credentials, ProviderTarget, SessionCache
from deltacloud.errors import DeltacloudError
from deltacloud.models import Image
from deltacloud.rpc.context import CarriedCredentials, Context
from deltacloud.rpc.dispatch import Dispatcher
from deltacloud_compute.drivers.mock.driver import MockDriver

TOGETHER_TIMEOUT_S = 60.0


class PlainOpener:
    """Takes credentials as they came."""

    def open(self, carried: CarriedCredentials, **_: object) -> Credentials:
        """Return them."""
        return Credentials(carried.user or "", carried.password or "")


class MockCaller:
    """Calls the mock compute driver over one folder."""

    def __init__(self, folder: Path) -> None:
        self.driver = MockDriver(folder)
        self._dispatcher = Dispatcher(
            self.driver,
            opener=PlainOpener(),
            resolve=lambda _, name: ProviderTarget(name=name),
            cache=SessionCache(),
        )

    def call(
        self,
        method: str,
        *,
        user: str | None = "mockuser",
        password: str = "mockpassword",  # noqa: S107 - the mock cloud's, known to all
        key: str | None = None,
        is_redelivered: bool = False,
        within_s: float = 30.0,
        **parameters: object,
    ) -> Any:
        """Return what the operation answers; of a list, the records."""
        context = Context(
            credentials=None if user is None else CarriedCredentials(user=user, password=password),
            deadline=time.time() + within_s,
            idempotency_key=key,
        )
        result = self._dispatcher.call(method, context, parameters, is_redelivered=is_redelivered)
        return getattr(result, "items", result)

    def ids(self, collection: str, **filters: Any) -> list[str]:
        """Return the ids of a collection's records, in their order."""
        return [record.id for record in self.call(f"list_{collection}", **filters)]

    def close(self) -> None:
        """Let go of the folder."""
        self.driver.cloud.close()


def work(folder: Path, method: str, times: int, parameters: dict[str, Any]) -> list[str]:
    """Call an operation so many times; give the ids of what it answered, or the codes of its errors."""
    caller = MockCaller(folder)
    answers = []
    for _ in range(times):
        try:
            answers.append(caller.call(method, **parameters).id)
        except DeltacloudError as error:
            answers.append(error.code)
    caller.close()
    return answers


def open_and_list(folder: Path) -> list[str]:
    """Be one of those who use a folder first; give the ids of its images and the text of its key."""
    caller = MockCaller(folder)
    found = [*caller.ids("images"), caller.call("get_key", id="test-key").pem]
    caller.close()
    return found


def overwrite_image(folder: Path, times: int) -> None:
    """Change two records that must agree, in one transaction each time."""
    caller = MockCaller(folder)
    for count in range(times):
        with caller.driver.cloud.change() as changes:
            for side in ("left", "right"):
                changes.put(Image(id=side, name=str(count)))
    caller.close()


def together(function: Any, arguments: list[tuple[Any, ...]]) -> list[Any]:
    """Run a function of this module in a process for each tuple of arguments, all starting at one moment."""
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Barrier(len(arguments))
    with ProcessPoolExecutor(len(arguments), spawn, initializer=_wait, initargs=(start,)) as pool:
        futures = [pool.submit(function, *each) for each in arguments]
        return [future.result(TOGETHER_TIMEOUT_S) for future in futures]


def _wait(start: Any) -> None:
    start.wait(TOGETHER_TIMEOUT_S)
