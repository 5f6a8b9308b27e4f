"""The registry on RabbitMQ."""

from __future__ import annotations

import click

from deltacloud.rpc.worker import cli
from deltacloud.rpc.worker.host import WorkerHost, worker_name
from deltacloud.settings import refuse
from deltacloud_registry.events import RegistryEvents
from deltacloud_registry.providers_file import OperatorProviders, ProvidersFileError, read
from deltacloud_registry.registry import Registry
from deltacloud_registry.settings import RegistrySettings


def build(settings: RegistrySettings) -> WorkerHost:
    """Return the host of a registry. A mistake in the providers file ends the process with status 2 and its line.

    Raises:
        OSError: the ops port cannot be had.
    """
    try:
        operator = OperatorProviders() if settings.providers is None else read(settings.providers)
    except ProvidersFileError as error:
        refuse(str(error))
    registry = Registry(operator, silent_s=settings.worker_silent_s)
    worker = worker_name()
    events = RegistryEvents(registry, settings, worker=worker)
    return WorkerHost([registry], settings, worker=worker, companions=[events], on_hangup=events.read_again)


COMMAND = cli.command(
    "deltacloud-registry",
    RegistrySettings,
    build,
    does=(
        "Know the drivers, who serves them and the operator's providers, and keep gateways and workers informed."
        " Any number of registries can run: each has the whole picture and stores nothing."
    ),
    example="""
deltacloud-registry --broker amqp://guest:guest@127.0.0.1:5672/
deltacloud-registry --providers /etc/deltacloud/providers.yaml     (read again on SIGHUP)
""",
    options=(
        click.Option(["--providers"], metavar="FILE", help="The operator's providers and the URLs clients may name."),
    ),
)
