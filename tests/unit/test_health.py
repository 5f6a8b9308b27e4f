"""The health check of a container."""

import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from deltacloud.health import check
from harness.ports import free_port


class Service(BaseHTTPRequestHandler):
    """Ready at /ready; elsewhere it says what is missing."""

    def do_GET(self) -> None:
        """Answer."""
        is_ready = self.path == "/ready"
        self.send_response(200 if is_ready else 503)
        self.end_headers()
        self.wfile.write(b"" if is_ready else b"no broker")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_service_that_is_ready_is_healthy(service: str) -> None:
    assert check(f"{service}/ready") is None


def test_a_service_that_is_not_ready_is_quoted(service: str) -> None:
    assert check(f"{service}/other") == "status 503: no broker"


def test_a_service_that_does_not_listen_is_not_healthy() -> None:
    assert "refused" in (check(f"http://127.0.0.1:{free_port()}/ready") or "")


def test_a_proxy_for_the_clouds_is_not_asked_about_the_service(service: str) -> None:
    proxy = f"http://127.0.0.1:{free_port()}"
    environment = dict.fromkeys(("http_proxy", "HTTP_PROXY", "all_proxy"), proxy)

    done = subprocess.run(
        [sys.executable, "-m", "deltacloud.health"],
        env={**environment, "DELTACLOUD_HEALTH_URL": f"{service}/ready"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
