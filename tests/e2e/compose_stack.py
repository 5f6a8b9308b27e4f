"""The compose stack as an operator runs it: built, started, scaled, asked about, taken down."""

import json
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path

from harness.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
TARGETS = ("registry", "compute", "storage", "gateway")
UP_S = 240.0


def compose_command() -> list[str]:
    """Return `docker compose` where it is, else `docker-compose`."""
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    return ["docker", "compose"] if plugin.returncode == 0 else [shutil.which("docker-compose") or "docker-compose"]


def run(*command: str, stdin: str | None = None, timeout: float = 300.0, env: dict[str, str] | None = None) -> str:
    """Run a command and return what it printed; raise with all it said when it fails."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout, check=False, env=env)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


class Stack:
    """One project of the compose file, on a port of its own, with volumes of its own."""

    def __init__(self, project: str, environment: dict[str, str]) -> None:
        self.project = project
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = {**environment, "DELTACLOUD_PORT": str(self.port)}
        self._compose = [*compose_command(), "-p", project, "-f", str(ROOT / "deploy/compose.yml")]

    @staticmethod
    def build() -> None:
        """Build the images; on the host's network, so that a proxy or mirror configured there is reached."""
        for target in TARGETS:
            image = f"deltacloud/{target}:local"
            dockerfile = str(ROOT / "deploy/Dockerfile")
            run(
                "docker", "build", "--quiet", "--network", "host", "--file", dockerfile,
                "--target", target, "--tag", image, str(ROOT), timeout=900,
            )  # fmt: skip

    def compose(self, *arguments: str, timeout: float = UP_S) -> str:
        """Run a compose command on this project."""
        return run(*self._compose, *arguments, env=self._environment, timeout=timeout)

    def up(self, *arguments: str) -> None:
        """Start the stack and wait until the gateway is ready."""
        self.compose("up", "--detach", "--no-build", *arguments)
        self.wait_until_ready()

    def down(self) -> None:
        """Remove everything of this project."""
        self.compose("down", "--volumes", "--timeout", "5")

    def wait_until_ready(self, seconds: float = UP_S) -> None:
        """Wait for the gateway's 200 on /health/ready."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(f"{self.url}/health/ready", timeout=2) as response:  # noqa: S310 - our own URL
                    if response.status == 200:
                        return
            except OSError:
                time.sleep(0.5)
        raise TimeoutError(self.compose("logs", "--tail", "30"))

    def containers(self, service: str) -> list[str]:
        """Return the ids of a service's containers."""
        return self.compose("ps", "-q", service).split()

    def inspect(self, service: str) -> list[dict]:
        """Return what the engine knows of a service's containers."""
        return json.loads(run("docker", "inspect", *self.containers(service)))

    def python_as(self, user: str, program: str) -> str:
        """Run a Python program inside the stack's network, with the secrets of a broker user, as docs/rpc.md says."""
        volume = f"{self.project}_secrets-{user}:/run/deltacloud/secrets:ro"
        return run(
            "docker", "run", "--rm", "--interactive", "--network", f"{self.project}_default", "--volume", volume,
            "deltacloud/compute:local", "python", "-", stdin=program,
        )  # fmt: skip
