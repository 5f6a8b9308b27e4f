"""The command ``deltacloudd``: the original's options, and everything in one process."""

from __future__ import annotations

import click

from deltacloud import cli, logging
from deltacloud.drivers.loading import BrokenDriver, available
from deltacloud.drivers.mockcloud.settings import MockSettings
from deltacloud.settings import read, refuse
from deltacloud_gateway import server
from deltacloud_gateway import service as gateway
from deltacloud_registry.providers_file import ProvidersFileError
from deltacloudd import embedded
from deltacloudd.settings import Settings

EXAMPLES = """
deltacloudd                                         the mock cloud, to look around
deltacloudd -i ec2 -P eu-west-1 -p 4000             EC2 in Ireland for requests that name no other cloud
deltacloudd --providers providers.yaml              with endpoints of your own
deltacloudd --broker amqp://guest:guest@127.0.0.1/  serve HTTP here; workers elsewhere do the work
"""
ANYBODY = """\
Warning: API_USER and API_PASSWORD are set and are used for every request,
so anybody who reaches this server can use that account.
"""


def _list_drivers(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo("Available drivers:\n")
        click.echo("\n".join(_installed()))
        click.echo()
        context.exit()


@click.command(
    "deltacloudd",
    help="Serve one REST API over every cloud, at http://localhost:3001/api: all parts in one process, no broker.",
    epilog=cli.epilog(EXAMPLES, Settings, MockSettings),
    context_settings=cli.CONTEXT,
)
@click.option(
    "-i", "--driver", "default_driver", metavar="NAME", help="Driver of requests that name none: mock, ec2, …"
)
@click.option("-P", "--provider", "default_provider", metavar="NAME", help="Provider of requests that name none.")
@click.option("-r", "--hostname", "--host", "host", metavar="ADDRESS", help="Address to serve at.  [localhost]")
@click.option("-p", "--port", metavar="PORT", help="Port to serve at; 0 picks a free one.  [3001]")
@click.option("-l", "--drivers", is_flag=True, expose_value=False, is_eager=True, callback=_list_drivers,
              help="List the drivers and end.")  # fmt: skip
@click.option("--broker", metavar="AMQP_URL", help="Serve HTTP here and have workers behind this broker do the work.")
@click.option("--providers", metavar="FILE", help="The operator's providers, and the URLs clients may name.")
@click.option("--log-level", metavar="LEVEL", help="debug, info, warning or error.  [warning]")
def command(**given: str | None) -> None:
    """Read the settings and serve."""
    settings = read(Settings, **given)
    logging.configure(settings.log_level, service="deltacloudd")
    try:
        settings = embedded.settled(settings)
        if settings.broker is not None:
            server.run(gateway.run(settings, settings.broker, on_start=lambda: _greet(settings)))
        _check_driver(settings.default_driver)
        server.run(embedded.run(settings, lambda: _greet(settings)))
    except (BrokenDriver, ProvidersFileError) as error:
        refuse(str(error))
    except OSError as error:
        refuse(f"cannot serve at {settings.host}:{settings.port}: {error.strerror or error}")
    except ValueError as error:
        refuse(str(error))


def _installed() -> list[str]:
    return sorted({*available("compute"), *available("storage")})


def _check_driver(name: str) -> None:
    if name not in _installed():
        refuse(f"there is no driver '{name}'; installed are {', '.join(_installed())} (-l lists them)")


def _greet(settings: Settings) -> None:
    address = embedded.url(settings)
    provider = f" :: {settings.default_provider}" if settings.default_provider else ""
    click.echo(f"Starting Deltacloud API :: {settings.default_driver}{provider} :: {address}/api")
    if settings.api_user is not None and settings.api_password is not None:
        click.echo(ANYBODY, nl=False)
    click.echo(f"Open {address}/api in a browser, or try next:")
    click.echo(f"  curl -u mockuser:mockpassword -H 'X-Deltacloud-Driver: mock' '{address}/api/instances?format=xml'")


def main() -> None:
    """Run the command."""
    cli.run(command)


if __name__ == "__main__":
    main()
