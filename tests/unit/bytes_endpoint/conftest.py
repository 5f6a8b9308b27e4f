"""The mock cloud's storage driver, its bytes over a real WSGI server."""

import pytest

from deltacloud.drivers.mockcloud import MockCloud
from deltacloud_storage.drivers.mock.driver import MockStorageDriver
from harness.embedded import serving
from harness.storage import StorageCaller


@pytest.fixture
def mock(tmp_path):
    cloud = MockCloud(tmp_path / "mock")
    caller = StorageCaller(MockStorageDriver(cloud), "mockuser", "mockpassword")
    with serving(caller.driver.bytes_app()) as url:
        caller.driver.bytes_at(f"{url}/")
        yield caller
    cloud.close()
