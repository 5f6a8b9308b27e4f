"""The command lines of the workers and of the registry: options that are settings, a help that teaches."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

from deltacloud import logging
from deltacloud.cli import CONTEXT, epilog
from deltacloud.rpc.worker.host import WorkerHost
from deltacloud.rpc.worker.settings import HostSettings
from deltacloud.settings import PREFIX, read, refuse

H = TypeVar("H", bound=HostSettings)

BROKER = click.Option(["--broker"], metavar="AMQP_URL", help="The message broker.")
LOG_LEVEL = click.Option(["--log-level"], metavar="LEVEL", help="debug, info, warning or error.")
OPS_HOST = click.Option(["--ops-host"], metavar="ADDRESS", help="Where health and metrics are served.")
OPS_PORT = click.Option(["--ops-port"], metavar="PORT", help="Port of health and metrics; 0 picks a free one.")
MAX_WORKERS = click.Option(["--max-workers"], metavar="N", help="Calls of one service that run at once.")
DRIVERS = click.Option(["--drivers"], metavar="NAMES", help="Drivers to serve, separated by commas; default: all.")

COMMON = (BROKER, LOG_LEVEL, OPS_HOST, OPS_PORT, MAX_WORKERS)
"""Options of every process that serves calls. An option beats the environment."""


def command(
    name: str,
    settings: type[H],
    build: Callable[[H], WorkerHost],
    *,
    does: str,
    example: str,
    options: tuple[click.Option, ...] = (),
) -> click.Command:
    """Return the command that reads the settings, builds the host and runs it.

    Args:
        name: the program's name, also in its logs.
        settings: the settings class; options are fields of it.
        build: makes the host.
        does: what the program does, for its help.
        example: example command lines, for its help.
        options: options beside :data:`COMMON`.
    """

    def callback(**given: str | None) -> None:
        chosen = read(settings, **given)
        need_broker(chosen)
        logging.configure(chosen.log_level, service=name)
        try:
            host = build(chosen)
        except OSError as error:
            refuse(
                f"setting {PREFIX}OPS_PORT: cannot listen at {chosen.ops_host} port {chosen.ops_port}:"
                f" {error.strerror or error}"
            )
        host.run()

    return click.Command(
        name,
        callback=callback,
        params=[*COMMON, *options],
        help=does,
        epilog=epilog(example, settings),
        context_settings=CONTEXT,
    )


def need_broker(settings: HostSettings) -> str:
    """Return the broker's URL; without one the process ends with status 2 and says how to give it."""
    if settings.broker is None:
        refuse(
            f"setting {PREFIX}BROKER is missing: give --broker or the variable,"
            " for example amqp://user:password@localhost:5672/"
        )
    return settings.broker
