"""A storage driver called as a worker calls it, and its transfers sent as anybody may send them."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3

from deltacloud.drivers import Credentials, ProviderTarget, Session, SessionCache, StorageDriver
from deltacloud.models import Transfer
from deltacloud.rpc.deadline import Deadline
from deltacloud_storage.drivers.mock.driver import MockStorageDriver
from harness.moto import Moto


class StorageCaller:
    """Calls a driver's operations: ``caller.list_buckets()``."""

    def __init__(self, driver: StorageDriver, user: str, password: str, target: ProviderTarget | None = None) -> None:
        self.driver = driver
        self.target = target or ProviderTarget()
        self.credentials = Credentials(user, password)
        self.deadline_s = 30.0
        self.is_redelivered = False
        self.cache = SessionCache()

    def session(self) -> Session:
        """Return a session for one call."""
        return Session(
            driver=self.driver.id,
            provider=self.target,
            credentials=self.credentials,
            deadline=Deadline.after(self.deadline_s),
            cache=self.cache,
            is_redelivered=self.is_redelivered,
        )

    def __getattr__(self, operation: str) -> Any:
        return lambda **parameters: getattr(self.driver, operation)(self.session(), **parameters)

    def store(self, bucket_id: str, blob_id: str, data: bytes, **more: Any) -> urllib3.BaseHTTPResponse:
        """Store a blob by one request and return the store's answer."""
        plan = self.upload_blob(bucket_id=bucket_id, id=blob_id, content_length=len(data), **more)
        return move(plan.single, data)

    def fetch(self, bucket_id: str, blob_id: str, **more: Any) -> urllib3.BaseHTTPResponse:
        """Fetch a blob and return the store's answer."""
        return move(self.download_blob(bucket_id=bucket_id, id=blob_id, **more))


def left_behind(mock: StorageCaller) -> list[Path]:
    """Return the files of the mock cloud's that are on their way or parts of uploads."""
    assert isinstance(mock.driver, MockStorageDriver)
    folder = mock.driver.cloud.folder
    return [each for name in ("incoming", "parts") for each in (folder / name).glob("*")]


def lab(moto: Moto) -> ProviderTarget:
    """Return the provider that moto is."""
    return ProviderTarget(name="lab", endpoint=moto.endpoint, region="us-east-1")


def move(transfer: Transfer, data: bytes | None = None) -> urllib3.BaseHTTPResponse:
    """Send a transfer as it is written, dot segments and all, and return the whole answer."""
    parts = urlsplit(transfer.url)
    target = transfer.url[transfer.url.index(parts.netloc) + len(parts.netloc) :]
    with urllib3.HTTPConnectionPool(parts.hostname or "", parts.port, timeout=10.0) as pool:
        return pool.urlopen(transfer.method, target, body=data, headers=transfer.headers, retries=False, redirect=False)
