"""An EC2 that pages, takes its time and refuses as the service does, and the driver that calls it."""

from collections.abc import Iterator

import pytest

from harness.driver_calls import DriverCalls
from harness.strict_ec2 import TEMPORARY, new_caller
from simulators.ec2 import DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY
from simulators.process import Running, start


@pytest.fixture(scope="session")
def process() -> Iterator[Running]:
    keys = [f"{DEFAULT_ACCESS_KEY}:{DEFAULT_SECRET_KEY}", ":".join(TEMPORARY)]
    options = [option for key in keys for option in ("--key", key)]
    with start("ec2", "--boot-seconds", "0.2", *options) as running:
        yield running


@pytest.fixture
def cloud(process: Running) -> Running:
    """The simulator as it was at its start, counting from zero."""
    process.control.reset()
    return process


@pytest.fixture
def call(cloud: Running) -> DriverCalls:
    return new_caller(cloud)


@pytest.fixture
def warm(call: DriverCalls, cloud: Running) -> DriverCalls:
    """A driver whose client is built, for tests that measure time."""
    call("check_credentials")
    cloud.control.forget_calls()
    return call


@pytest.fixture
def image_id(call: DriverCalls, cloud: Running) -> str:
    """An image that boots a t2.micro from a disk that stays."""
    return _image(call, cloud, "x86_64", "persistent")


@pytest.fixture
def transient_image_id(call: DriverCalls, cloud: Running) -> str:
    return _image(call, cloud, "i386", "transient")


def _image(call: DriverCalls, cloud: Running, architecture: str, root_type: str) -> str:
    images = call("list_images", owner_id="amazon", architecture=architecture)
    cloud.control.forget_calls()
    return next(image.id for image in images if image.root_type == root_type)
