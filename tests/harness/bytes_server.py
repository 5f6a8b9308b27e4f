"""A program: the mock cloud's bytes on a worker's ops port. Arguments: the port and the folder."""

from deltacloud.rpc.worker import launch

launch.patch()

import sys  # noqa: E402 - sockets must be green before anything imports them
from pathlib import Path  # noqa: E402

import eventlet  # noqa: E402

from deltacloud.drivers.mockcloud import MockCloud  # noqa: E402
from deltacloud.rpc.worker.ops import OpsServer  # noqa: E402
from deltacloud_storage.drivers.mock.driver import MockStorageDriver  # noqa: E402


def main(port: str, folder: str) -> None:
    """Serve until the process is ended."""
    app = MockStorageDriver(MockCloud(Path(folder))).bytes_app()
    OpsServer("127.0.0.1", int(port), problems=list, apps={"/bytes": app}).start()
    while True:
        eventlet.sleep(3600)


if __name__ == "__main__":
    main(*sys.argv[1:])
