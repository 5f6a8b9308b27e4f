"""The command lines of the workers and of the registry: options that are settings, a help that teaches."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

import click
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from deltacloud import logging
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
        epilog=f"\b\nExamples:\n{_indent(example)}\n\n\b\nEnvironment (an option beats it):\n{environment(settings)}",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    )


def run(program: click.Command) -> None:
    """Run a command; a wrong option ends the process with status 2 and one line."""
    sys.argv[0] = program.name or sys.argv[0]  # the name that refusals begin with
    try:
        program.main(prog_name=program.name, standalone_mode=False)
    except click.exceptions.Exit as end:
        raise SystemExit(end.exit_code) from None
    except click.ClickException as error:
        refuse(f"{error.format_message()} (--help lists the options)")


def need_broker(settings: HostSettings) -> str:
    """Return the broker's URL; without one the process ends with status 2 and says how to give it."""
    if settings.broker is None:
        refuse(
            f"setting {PREFIX}BROKER is missing: give --broker or the variable,"
            " for example amqp://user:password@localhost:5672/"
        )
    return settings.broker


def environment(settings: type[BaseSettings]) -> str:
    """Return a line for each setting: its variable, what it means, its default."""
    width = max(len(name) for name in settings.model_fields) + len(PREFIX) + 2
    return "\n".join(
        f"  {PREFIX + name.upper():<{width}}{_meaning(field)}" for name, field in settings.model_fields.items()
    )


def _meaning(field: FieldInfo) -> str:
    default = "" if field.default in (None, (), "") else f" [{field.default}]"
    return f"{field.description or ''}{default}"


def _indent(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.strip().splitlines())
