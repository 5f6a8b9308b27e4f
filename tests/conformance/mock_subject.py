"""The mock drivers as subjects of the conformance suite."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deltacloud.catalogue import COLLECTIONS
from deltacloud.drivers import Credentials
from deltacloud.testing import Notes, Subject, by_creating, by_storing
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


def faults(folder: Path, kinds) -> dict:
    """The mock cloud's own faults, for every operation."""

    def fault(kind):
        @contextmanager
        def during() -> Iterator[None]:
            file = folder / "faults.json"
            file.write_text(json.dumps({"*": FAULTS[kind]}))
            yield
            file.unlink()

        return during

    return {kind: fault(kind) for kind in kinds}


def subject_of(driver, folder: Path, kinds=tuple(FAULTS), **more) -> Subject:
    """A mock driver over a folder of its own."""
    return Subject(
        driver=driver,
        credentials=Credentials("mockuser", "mockpassword"),
        wrong_credentials=(Credentials("mockuser", "canary-wrong"), Credentials("canary-nobody", "mockpassword")),
        faults=faults(folder, kinds),
        settle_s=5,
        **more,
    )


def compute_subject(driver: MockDriver, folder: Path, **more) -> Subject:
    """The compute driver; all its lists are as long as they can be."""
    return subject_of(
        driver,
        folder,
        values={"create_instance": {"image_id": "img1"}, "create_subnet": {"address_block": "10.0.0.0/24"}},
        fill={
            f"list_{each.name}": by_creating("instance" if each.name == "metrics" else each.singular, MANY)
            for each in COLLECTIONS
            if each.service == "compute" and each.name not in {"realms", "hardware_profiles"}
        },
        cannot=Notes.of(MockDriver).cannot("mock"),
        **more,
    )


def storage_subject(driver: MockStorageDriver, folder: Path) -> Subject:
    """The storage driver; its bytes are served by the suite, as their host would."""
    return subject_of(
        driver,
        folder,
        fill={"list_buckets": by_creating("bucket", MANY), "get_bucket": by_storing(MANY)},
        cannot=Notes.of(MockStorageDriver).cannot("mock"),
    )
