"""The mock drivers pass the conformance suite against the mock cloud, in a folder of the test's own."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deltacloud.catalogue import COLLECTIONS
from deltacloud.drivers import Credentials
from deltacloud.drivers.mockcloud import MockCloud
from deltacloud.testing import DriverConformance, Notes, Subject, by_creating, by_storing
from deltacloud_compute.drivers.mock.driver import MockDriver
from deltacloud_storage.drivers.mock.driver import MockStorageDriver

MANY = 30
FAULTS = {
    "throttle": {"error": "throttled", "retry_after_s": 3},
    "hang": {"hang": True},
    "garbage": {"error": "provider_error"},
    "close": {"error": "unavailable"},
    "slow": {"latency_s": 1.0},
    "lost_answer": {"hang": True, "when": "after"},
}


def faults(folder: Path) -> dict:
    """The mock cloud's own faults, for every operation."""

    def fault(kind):
        @contextmanager
        def during() -> Iterator[None]:
            file = folder / "faults.json"
            file.write_text(json.dumps({"*": FAULTS[kind]}))
            yield
            file.unlink()

        return during

    return {kind: fault(kind) for kind in FAULTS}


def subject_of(driver, folder: Path, **more) -> Subject:
    return Subject(
        driver=driver,
        credentials=Credentials("mockuser", "mockpassword"),
        wrong_credentials=(Credentials("mockuser", "canary-wrong"), Credentials("canary-nobody", "mockpassword")),
        faults=faults(folder),
        cannot=Notes.of(type(driver)).cannot("mock"),
        settle_s=5,
        **more,
    )


class TestMockCompute(DriverConformance):
    driver = MockDriver

    @pytest.fixture
    def subject(self, tmp_path: Path) -> Iterator[Subject]:
        driver = MockDriver(tmp_path)
        yield subject_of(
            driver,
            tmp_path,
            values={"create_instance": {"image_id": "img1"}, "create_subnet": {"address_block": "10.0.0.0/24"}},
            fill={
                f"list_{each.name}": by_creating("instance" if each.name == "metrics" else each.singular, MANY)
                for each in COLLECTIONS
                if each.service == "compute" and each.name not in {"realms", "hardware_profiles"}
            },
        )
        driver.cloud.close()


class TestMockStorage(DriverConformance):
    driver = MockStorageDriver

    @pytest.fixture
    def subject(self, tmp_path: Path) -> Iterator[Subject]:
        driver = MockStorageDriver(MockCloud(tmp_path))
        yield subject_of(driver, tmp_path, fill={"list_buckets": by_creating("bucket", MANY), "get_bucket": by_storing(MANY)})
        driver.cloud.close()
