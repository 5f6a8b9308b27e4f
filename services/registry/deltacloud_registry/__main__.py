"""``deltacloud-registry``: knows the drivers, who serves them, and the operator's providers."""

from __future__ import annotations

from deltacloud.rpc.worker.launch import patch

patch()

from pathlib import Path  # noqa: E402 - nothing may be imported before the sockets are green

import click  # noqa: E402

from deltacloud import logging, settings  # noqa: E402
from deltacloud.rpc.worker.host import WorkerHost, worker_name  # noqa: E402
from deltacloud_registry.events import RegistryEvents  # noqa: E402
from deltacloud_registry.providers_file import OperatorProviders, ProvidersFileError, read  # noqa: E402
from deltacloud_registry.registry import Registry  # noqa: E402
from deltacloud_registry.settings import RegistrySettings  # noqa: E402

LEVELS = ("debug", "info", "warning", "error")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--broker", metavar="AMQP_URL", help="RabbitMQ, as amqp://user:password@host:5672/vhost [DELTACLOUD_BROKER]"
)
@click.option(
    "--providers",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The operator's providers and allowed URLs, read again on SIGHUP [DELTACLOUD_PROVIDERS]",
)
@click.option("--log-level", type=click.Choice(LEVELS), help="How much to log [DELTACLOUD_LOG_LEVEL]")
@click.option("--ops-port", type=int, metavar="PORT", help="Port of health and metrics [DELTACLOUD_OPS_PORT]")
def main(broker: str | None, providers: Path | None, log_level: str | None, ops_port: int | None) -> None:
    """Serve the picture of drivers, providers and live workers to all parts of a Deltacloud.

    Any number of registries can run; each has the whole picture and stores nothing.
    """
    given = settings.read(RegistrySettings, broker=broker, providers=providers, log_level=log_level, ops_port=ops_port)
    if given.broker is None:
        settings.refuse("no broker: give --broker or DELTACLOUD_BROKER, such as amqp://user:password@127.0.0.1:5672/")
    logging.configure(given.log_level, service="registry")
    registry = Registry(_operator(given.providers), silent_s=given.worker_silent_s)
    name = worker_name()
    events = RegistryEvents(registry, given, worker=name)
    try:
        host = WorkerHost([registry], given, worker=name, companions=[events])
    except OSError as error:
        settings.refuse(
            f"setting DELTACLOUD_OPS_PORT: cannot listen at {given.ops_host}:{given.ops_port}: {error.strerror}"
        )
    host.run()


def _operator(path: Path | None) -> OperatorProviders:
    if path is None:
        return OperatorProviders()
    try:
        return read(path)
    except ProvidersFileError as error:
        settings.refuse(str(error))


if __name__ == "__main__":
    main()
