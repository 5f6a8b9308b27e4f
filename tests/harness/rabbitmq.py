"""A private RabbitMQ node from the distribution's package: loopback only, no root, any number side by side.

The package's own commands switch to the user `rabbitmq` and share one epmd on every interface, so the server's script
is run directly, with folders, ports, cookie and epmd of its own.
"""

import secrets
import shutil
import subprocess
from pathlib import Path
from typing import Self

from harness import processes
from harness.broker import Address, Broker
from harness.ports import free_port

_PACKAGE = Path("/usr/lib/rabbitmq/lib")
_START_TIMEOUT_S = 90.0
_USER = "tests"

_CONFIGURATION = """\
default_user = {user}
default_pass = {password}
listeners.tcp.1 = 127.0.0.1:{amqp}
management.tcp.ip = 127.0.0.1
management.tcp.port = {management}
vm_memory_high_watermark.absolute = 512MB
disk_free_limit.absolute = 50MB
log.console.level = warning
"""

# Two schedulers that sleep when idle, and the distribution port off the outside interfaces.
_ERLANG_ARGUMENTS = "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"


def server_script() -> Path | None:
    """Return the newest installed `rabbitmq-server` script, None when the package (or Erlang) is absent."""
    if shutil.which("epmd", path=_search_path()) is None:
        return None
    scripts = sorted(_PACKAGE.glob("rabbitmq_server-*/sbin/rabbitmq-server"))
    return scripts[-1] if scripts else None


class PrivateNode:
    """One node and its epmd. A context manager that starts it, and at the end kills it; the folder stays."""

    def __init__(self, folder: Path) -> None:
        self.data_dir = folder / "data"
        self._folder = folder
        self._amqp, self._management, self._distribution, self._epmd = (free_port() for _ in range(4))
        self._password = secrets.token_hex(16)
        self._server: processes.Process | None = None
        self._mapper: processes.Process | None = None

    def __enter__(self) -> Self:
        self._prepare()
        try:
            self.start()
        except BaseException:  # Ctrl-C as well: __exit__ is not called when __enter__ fails
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def broker(self) -> Broker:
        """The broker this node runs."""
        address = Address(
            host="127.0.0.1",
            port=self._amqp,
            management_url=f"http://127.0.0.1:{self._management}",
            username=_USER,
            password=self._password,
        )
        return Broker(address, self)

    def start(self) -> None:
        """Start the node and return when both AMQP and the management API answer. Raises as `Process.wait_until`."""
        script = server_script()
        if script is None:
            raise RuntimeError(f"no rabbitmq-server in {_PACKAGE}: apt-get install rabbitmq-server")
        if self._server is not None and self._server.is_running:
            raise RuntimeError("the node runs already")
        self._start_mapper()
        log = self._folder / "rabbitmq.log"
        self._server = processes.start([str(script)], log=log, env=self._environment())
        self._server.wait_until(processes.listens(self._amqp), timeout_s=_START_TIMEOUT_S)
        self._server.wait_until(processes.answers(f"http://127.0.0.1:{self._management}/"), timeout_s=_START_TIMEOUT_S)

    def stop(self) -> None:
        """Stop the node in good order. Raises TimeoutError."""
        if self._server is not None:
            self._server.terminate(timeout_s=60)

    def kill9(self) -> None:
        """Kill the node with SIGKILL."""
        if self._server is not None:
            self._server.kill9()

    def control(self, *command: str) -> None:
        """Run a command of `rabbitmqctl` on the node. Raises subprocess.CalledProcessError."""
        script = server_script()
        if script is None:
            raise RuntimeError(f"no rabbitmq-server in {_PACKAGE}: apt-get install rabbitmq-server")
        environment = self._environment()
        call = [str(script.with_name("rabbitmqctl")), "-n", environment["RABBITMQ_NODENAME"], *command]
        subprocess.run(call, env=environment, stdout=subprocess.DEVNULL, timeout=60, check=True)

    def close(self) -> None:
        """Kill the node and its epmd. Safe to repeat."""
        for process in (self._server, self._mapper):
            if process is not None:
                process.kill9()

    def _prepare(self) -> None:
        for name in ("home", "data", "log"):
            (self._folder / name).mkdir(parents=True)
        (self._folder / "enabled_plugins").write_text("[rabbitmq_management].\n")
        configuration = self._folder / "rabbitmq.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(
            _CONFIGURATION.format(user=_USER, password=self._password, amqp=self._amqp, management=self._management)
        )

    def _start_mapper(self) -> None:
        """Start epmd before the node does: the one a node starts outlives it."""
        if self._mapper is None or not self._mapper.is_running:
            self._mapper = processes.start(
                ["epmd", "-port", str(self._epmd), "-address", "127.0.0.1"],
                log=self._folder / "epmd.log",
                env={"PATH": _search_path()},
                until=processes.listens(self._epmd),
            )

    def _environment(self) -> dict[str, str]:
        folder = self._folder
        return {
            "PATH": _search_path(),
            "HOME": str(folder / "home"),  # the Erlang cookie's place
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_FEATURE_FLAGS_FILE": str(folder / "feature_flags"),
            "RABBITMQ_NODENAME": f"test{self._amqp}@localhost",
            "RABBITMQ_MNESIA_BASE": str(self.data_dir),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": _ERLANG_ARGUMENTS,
            "ERL_EPMD_PORT": str(self._epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RUNNING_UNDER_SYSTEMD": "1",  # the script then becomes the server: its pid, its SIGTERM
        }


def _search_path() -> str:
    return f"{processes.base_environment().get('PATH', '')}:/usr/sbin:/usr/bin:/sbin:/bin"
