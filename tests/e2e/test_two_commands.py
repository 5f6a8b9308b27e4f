"""What a stranger types first: `git clone`, `make run`, and the line that `make run` prints."""

import fcntl
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import requests

from harness import processes
from harness.ports import free_port
from harness.processes import Process
from harness.requirements import Requirement, need

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
INSTALL_S = 300.0
START_S = 3.0
TRIES = 3
FIRST = "first.log"
OF_THE_INDEX = re.compile(r"(PIP|UV|SSL)_\w+|\w+_CA_BUNDLE|(https?|all|no)_proxy", re.IGNORECASE)
"""Variables that say how this machine reaches the package index; of all others the clone gets few."""


class Clone(msgspec.Struct, frozen=True, kw_only=True):
    """A checkout in which `make run` was typed once; `first_log` is what it said."""

    folder: Path
    installer: str
    env: dict[str, str]
    first_log: str

    def make_run(self, port: int, options: str = "", *, log: str = "again.log", timeout_s: float = 30.0) -> Process:
        """Type `make run` and return when it answers."""
        return processes.start(
            ["make", "run", f"ARGS=-p {port} {options}".rstrip()],
            log=self.folder.parent / log,
            env=self.env,
            cwd=self.folder,
            until=processes.answers(f"http://127.0.0.1:{port}/api"),
            timeout_s=timeout_s,
        )


@pytest.fixture(params=["uv", "pip"])
def clone(request: pytest.FixtureRequest, session_folder: Path) -> Clone:
    """A fresh clone with the installer named, made once for all processes of the session, since it takes long."""
    installer = request.param
    if installer == "uv":
        need(Requirement.UV)
    folder = session_folder / f"make-run-{installer}"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / FIRST).exists():
            _clone_and_run(installer, folder)
    return _clone(installer, folder, (folder / FIRST).read_text())


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def served(clone: Clone, port: int) -> Iterator[str]:
    """What `make run` printed, while it serves."""
    with clone.make_run(port, log=f"{port}.log") as server:
        server.wait_until(processes.logs("curl "))
        yield server.log_text()


def test_one_command_installs_into_a_folder_at_the_root(clone: Clone) -> None:
    assert "Installing Deltacloud into .venv" in clone.first_log
    assert "Starting Deltacloud API :: mock :: http://localhost:" in clone.first_log
    assert (clone.folder / ".venv/bin/deltacloudd").exists()


def test_the_install_is_by_uv_where_it_is_there_and_else_by_pip(clone: Clone) -> None:
    is_of_uv = "uv = " in (clone.folder / ".venv/pyvenv.cfg").read_text()

    assert is_of_uv == (clone.installer == "uv")


def test_nothing_is_left_in_the_checkout_that_git_would_see(clone: Clone) -> None:
    asked = ["git", "status", "--porcelain"]
    status = subprocess.run(asked, cwd=clone.folder, capture_output=True, text=True, check=True)

    assert status.stdout == ""


def test_it_says_where_to_point_a_browser(served: str) -> None:
    found = re.search(r"Open (\S+) in a browser", served)

    assert found is not None
    page = requests.get(found[1], headers={"Accept": "text/html"}, timeout=10)
    assert page.headers["Content-Type"] == "text/html"
    assert "<h1>" in page.text


def test_the_curl_line_that_it_prints_works_when_pasted(served: str) -> None:
    [line] = re.findall(r"^ +(curl .+)$", served, re.MULTILINE)

    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == 0
    assert "<instance " in done.stdout


def test_a_second_run_installs_nothing_and_answers_within_three_seconds(clone: Clone, port: int) -> None:
    seconds, before = [], _installed(clone.folder)
    for number in range(TRIES):
        begin = time.monotonic()
        with clone.make_run(port, log=f"again{number}.log") as again:
            seconds.append(time.monotonic() - begin)
            assert "Installing" not in again.log_text()
    assert min(seconds) <= START_S
    assert _installed(clone.folder) == before


def test_options_are_passed_on(clone: Clone, port: int) -> None:
    with clone.make_run(port, "-i ec2 -P eu-west-1", log="ec2.log") as server:
        entry = requests.get(f"http://127.0.0.1:{port}/api?format=json", timeout=10)
        server.wait_until(processes.logs(f":: ec2 :: eu-west-1 :: http://localhost:{port}/api"))

    assert entry.headers["X-Deltacloud-Driver"] == "ec2"
    assert entry.headers["X-Deltacloud-Provider"] == "eu-west-1"


def _clone_and_run(installer: str, folder: Path) -> None:
    subprocess.run(["git", "clone", "--quiet", ROOT, folder / "deltacloud"], check=True, capture_output=True)
    server = _clone(installer, folder, "").make_run(free_port(), log="installing.log", timeout_s=INSTALL_S)
    with server:
        server.wait_until(processes.logs("curl "))
        (folder / FIRST).write_text(server.log_text())


def _clone(installer: str, folder: Path, first_log: str) -> Clone:
    env = {name: value for name, value in os.environ.items() if OF_THE_INDEX.fullmatch(name)}
    env |= {"DELTACLOUD_MOCK_STORAGE": str(folder / "mock")}
    env |= {"PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "", "VIRTUAL_ENV": ""}
    if installer == "pip":
        env["PATH"] = _path_without("uv", folder / "bin")
    return Clone(folder=folder / "deltacloud", installer=installer, env=env, first_log=first_log)


def _path_without(program: str, mirror: Path) -> str:
    """Return the PATH as it is on a machine without a program: folders that hold it are mirrored but for it."""
    kept = []
    for number, entry in enumerate(os.environ["PATH"].split(os.pathsep)):
        folder = Path(entry)
        if (folder / program).exists():
            folder = mirror / str(number)
            if not folder.exists():
                folder.mkdir(parents=True)
                for each in Path(entry).iterdir():
                    if each.name not in {program, f"{program}x"}:
                        (folder / each.name).symlink_to(each)
        kept.append(str(folder))
    path = os.pathsep.join(kept)
    assert shutil.which(program, path=path) is None
    return path


def _installed(folder: Path) -> dict[str, int]:
    """Return the distributions in the clone's environment and when each was written."""
    found = (folder / ".venv").glob("lib/python*/site-packages/*.dist-info")
    return {each.name: each.stat().st_mtime_ns for each in found}
