"""The storage worker: its drivers, served from RabbitMQ."""

from __future__ import annotations

from deltacloud.drivers import StorageDriver
from deltacloud.providers.origin import bracketed
from deltacloud.rpc.worker import cli
from deltacloud.rpc.worker.drivers import chosen_drivers, driver_host
from deltacloud.rpc.worker.host import WorkerHost
from deltacloud_storage.settings import StorageSettings


def build(settings: StorageSettings) -> WorkerHost:
    """Return the host of the storage drivers the settings name, serving the bytes of those that cannot themselves.

    Raises:
        OSError: the ops port cannot be had.
    """
    drivers = chosen_drivers("storage", settings)
    serving = {
        driver.bytes_path(): (driver, application)
        for driver in drivers
        if isinstance(driver, StorageDriver) and (application := driver.bytes_app()) is not None
    }
    host = driver_host(drivers, settings, apps={prefix: application for prefix, (_, application) in serving.items()})
    base = settings.transfer_url or f"http://{bracketed(settings.ops_host)}:{host.ops_port}"
    for prefix, (driver, _) in serving.items():
        driver.bytes_at(f"{base.rstrip('/')}{prefix}")
    return host


COMMAND = cli.command(
    "deltacloud-storage",
    StorageSettings,
    build,
    does="Serve the operations of storage drivers (buckets and blobs) to gateways and other callers, from RabbitMQ.",
    example="""
deltacloud-storage --broker amqp://guest:guest@127.0.0.1:5672/
DELTACLOUD_BROKER=amqp://broker/ deltacloud-storage --drivers ec2,mock --max-workers 200 --ops-port 9100
""",
    options=(cli.DRIVERS,),
)
