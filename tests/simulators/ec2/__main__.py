"""``python -m simulators.ec2``: serve a region of EC2 on 127.0.0.1."""

from __future__ import annotations

import argparse
import threading

from simulators.ec2 import DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY
from simulators.ec2.app import Ec2
from simulators.ec2.signature import Key, Verifier
from simulators.ec2.state import Settings
from simulators.serving import serve


def _options() -> argparse.Namespace:
    usual = Settings()
    parser = argparse.ArgumentParser(prog="simulators.ec2", description="A strict EC2 for tests.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument(
        "--key",
        action="append",
        type=Key.parse,
        metavar="ACCESS_KEY:SECRET[:SESSION_TOKEN]",
        help="keys to accept (may be repeated)",
    )
    parser.add_argument("--region", default="us-east-1", help="the region it is, and signatures must name")
    parser.add_argument("--boot-seconds", type=float, default=usual.boot_seconds, help="how long a change takes")
    parser.add_argument("--page-size", type=int, help="longest page, whatever the caller asks for")
    parser.add_argument("--sparse-pages", action="store_true", help="an empty page before the first of a list")
    parser.add_argument("--terminated-seconds", type=float, default=usual.terminated_seconds)
    parser.add_argument("--instance-limit", type=int, default=usual.instance_limit)
    parser.add_argument("--instances", type=int, default=0, help="how many machines to start with")
    parser.add_argument("--images", type=int, default=0, help="how many images to add to the usual ones")
    parser.add_argument("--until-eof", action="store_true", help="end when standard input does")
    return parser.parse_args()


def main() -> None:
    """Serve until told to stop."""
    options = _options()
    stopping = threading.Event()
    settings = Settings(
        boot_seconds=options.boot_seconds,
        page_size=options.page_size,
        sparse_pages=options.sparse_pages,
        terminated_seconds=options.terminated_seconds,
        instance_limit=options.instance_limit,
    )
    keys = options.key or [Key(DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY)]
    application = Ec2(
        Verifier(keys, options.region),
        options.region,
        settings,
        {"instances": options.instances, "images": options.images},
        stopping,
    )
    serve(application, options.port, stopping, until_eof=options.until_eof)


if __name__ == "__main__":
    main()
