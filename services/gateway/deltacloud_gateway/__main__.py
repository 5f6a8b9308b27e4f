"""The command ``deltacloud-gateway``."""

from __future__ import annotations

import click

from deltacloud import cli, logging
from deltacloud.settings import PREFIX, read, refuse
from deltacloud_gateway import server, service
from deltacloud_gateway.settings import GatewaySettings

EXAMPLES = """
deltacloud-gateway --broker amqp://guest:guest@127.0.0.1:5672/
DELTACLOUD_BROKER=amqp://broker/ deltacloud-gateway -r 0.0.0.0 -p 3001 -i ec2 -P eu-west-1
"""


@click.command(
    "deltacloud-gateway",
    help="Serve the REST API, and have its operations done by the workers behind a message broker.",
    epilog=cli.epilog(EXAMPLES, GatewaySettings),
    context_settings=cli.CONTEXT,
)
@click.option("--broker", metavar="AMQP_URL", help="The message broker.")
@click.option("-i", "--driver", "default_driver", metavar="NAME", help="Driver of requests that name none.")
@click.option("-P", "--provider", "default_provider", metavar="NAME", help="Provider of requests that name none.")
@click.option("-r", "--hostname", "--host", "host", metavar="ADDRESS", help="Address to serve at.")
@click.option("-p", "--port", metavar="PORT", help="Port to serve at.")
@click.option("--log-level", metavar="LEVEL", help="debug, info, warning or error.")
def command(**given: str | None) -> None:
    """Read the settings and serve."""
    settings = read(GatewaySettings, **given)
    if settings.broker is None:
        refuse(f"setting {PREFIX}BROKER is missing: give --broker or the variable (amqp://user:password@host:5672/)")
    logging.configure(settings.log_level, service="gateway")
    try:
        server.run(service.run(settings, settings.broker))
    except OSError as error:
        refuse(f"cannot serve at {settings.host}:{settings.port}: {error.strerror or error}")
    except ValueError as error:
        refuse(str(error))


def main() -> None:
    """Run the command."""
    cli.run(command)


if __name__ == "__main__":
    main()
