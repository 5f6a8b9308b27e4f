"""The mock drivers pass the conformance suite against the mock cloud, in a folder of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.mock_subject import compute_subject, storage_subject
from deltacloud.drivers.mockcloud import MockCloud
from deltacloud.testing import DriverConformance, Subject
from deltacloud_compute.drivers.mock.driver import MockDriver
from deltacloud_storage.drivers.mock.driver import MockStorageDriver


class TestMockCompute(DriverConformance):
    driver = MockDriver

    @pytest.fixture
    def subject(self, tmp_path: Path) -> Iterator[Subject]:
        driver = MockDriver(tmp_path)
        yield compute_subject(driver, tmp_path)
        driver.cloud.close()


class TestMockStorage(DriverConformance):
    driver = MockStorageDriver

    @pytest.fixture
    def subject(self, tmp_path: Path) -> Iterator[Subject]:
        driver = MockStorageDriver(MockCloud(tmp_path))
        yield storage_subject(driver, tmp_path)
        driver.cloud.close()
