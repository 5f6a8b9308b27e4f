"""Three drivers that are the mock cloud's but for one thing each, and a fourth with false excuses; the suite on each.

Not collected with the other tests, since they must fail: test_broken_drivers.py runs them.
"""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from conformance.mock_subject import compute_subject
from deltacloud.drivers import Session
from deltacloud.errors import NotFound
from deltacloud.models import Image, Instance
from deltacloud.testing import DriverConformance, Subject
from deltacloud_compute.drivers.mock.driver import MockDriver

NATIVE_PAGE = 25
QUICK = ("throttle", "garbage", "close")
"""Faults that need no waiting: what is broken here has nothing to do with time."""

EXCUSES = {"an_unknown_id_is_not_found[get_key]": "it once was so", "pigs_fly": "no wings"}


class BoastfulDriver(MockDriver):
    """Declares that instances have the name the caller chose, and forgets the name."""

    def create_instance(
        self,
        session: Session,
        *,
        image_id: str,
        name: str | None = None,
        realm_id: str | None = None,
        hwp_id: str | None = None,
        keyname: str | None = None,
        metrics: str | None = None,
    ) -> Instance:
        where = {"realm_id": realm_id, "hwp_id": hwp_id, "keyname": keyname, "metrics": metrics}
        made = super().create_instance(session, image_id=image_id, name="unnamed", **where)
        return msgspec.structs.replace(made, name=name)


class HastyDriver(MockDriver):
    """Reads the first native page of images and takes it for the list."""

    def list_images(
        self, session: Session, architecture: str | None = None, owner_id: str | None = None
    ) -> list[Image]:
        return super().list_images(session, architecture=architecture, owner_id=owner_id)[:NATIVE_PAGE]


class TalkativeDriver(MockDriver):
    """Tells in an error who asked, with the password."""

    def get_key(self, session: Session, id: str):
        try:
            return super().get_key(session, id=id)
        except NotFound as error:
            raise NotFound(f"{error.message} Asked as {session.credentials.password}.") from error


class OnMock(DriverConformance):
    @pytest.fixture
    def subject(self, tmp_path: Path) -> Iterator[Subject]:
        driver = self.driver(tmp_path)
        yield compute_subject(driver, tmp_path, kinds=QUICK)
        driver.cloud.close()


class TestBoastful(OnMock):
    driver = BoastfulDriver


class TestHasty(OnMock):
    driver = HastyDriver


class TestTalkative(OnMock):
    driver = TalkativeDriver


class TestExcused(OnMock):
    """An honest driver with an excuse too many, and one for nothing."""

    driver = MockDriver

    @pytest.fixture
    def subject(self, tmp_path: Path) -> Iterator[Subject]:
        driver = MockDriver(tmp_path)
        honest = compute_subject(driver, tmp_path, kinds=QUICK)
        yield dataclasses.replace(honest, cannot={**honest.cannot, **EXCUSES})
        driver.cloud.close()
