"""The compute worker: its drivers, served from RabbitMQ."""

from __future__ import annotations

from deltacloud.rpc.worker import cli
from deltacloud.rpc.worker.drivers import chosen_drivers, driver_host
from deltacloud.rpc.worker.host import WorkerHost
from deltacloud.rpc.worker.settings import WorkerSettings


def build(settings: WorkerSettings) -> WorkerHost:
    """Return the host of the compute drivers the settings name."""
    return driver_host(chosen_drivers("compute", settings), settings)


COMMAND = cli.command(
    "deltacloud-compute",
    WorkerSettings,
    build,
    does="Serve the operations of compute drivers (machines) to gateways and other callers, from RabbitMQ.",
    example="""
deltacloud-compute --broker amqp://guest:guest@127.0.0.1:5672/
DELTACLOUD_BROKER=amqp://broker/ deltacloud-compute --drivers ec2,mock --max-workers 200 --ops-port 9100
""",
    options=(cli.DRIVERS,),
)
