"""The command ``deltacloud-compute``."""

from deltacloud.rpc.worker import launch

launch.patch()

from deltacloud import cli  # noqa: E402 - sockets must be green before anything imports them
from deltacloud_compute.service import COMMAND  # noqa: E402


def main() -> None:
    """Run the command."""
    cli.run(COMMAND)


if __name__ == "__main__":
    main()
