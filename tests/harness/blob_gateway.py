"""A program: the gateway on a port, with the mock cloud's storage and S3 behind it, all in this process.

Arguments: the port, the folder of the mock cloud, and the URL of an S3 server (provider ``lab``).
"""

import asyncio
import sys
from pathlib import Path

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.embed import Server

from deltacloud.drivers.mockcloud import MockCloud
from deltacloud.providers.picture import ProviderEntry
from deltacloud_gateway.settings import GatewaySettings
from deltacloud_storage.drivers.ec2.driver import S3Driver
from deltacloud_storage.drivers.mock.driver import MockStorageDriver
from harness.embedded import gateway, serving


def main(port: str, folder: str, s3: str) -> None:
    """Serve until the process is ended."""
    mock = MockStorageDriver(MockCloud(Path(folder)))
    lab = {"ec2": {"lab": ProviderEntry(name="lab", endpoint=s3, region="us-east-1")}}
    settings = GatewaySettings(body_timeout_s=3.0)
    with serving(mock.bytes_app()) as url, gateway([mock, S3Driver()], settings, lab) as app:
        mock.bytes_at(url)
        server = Server(app, port=int(port), interface=Interfaces.ASGI, log_level=LogLevels.warning)
        asyncio.run(server.serve())


if __name__ == "__main__":
    main(*sys.argv[1:])
