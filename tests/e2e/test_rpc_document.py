"""docs/rpc.md: its worked calls are run as they stand there, and its tables are what the code declares."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deltacloud.testing import contract
from e2e.rpc_page import DOCS, NODE, PYTHON, URL
from harness import processes
from harness.broker import Broker
from harness.fleet import Fleet, ready
from harness.requirements import NODE_MODULES, Requirement, need

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.xdist_group("rpc-document")]

MACHINES = [f"inst{number} RUNNING" for number in range(4)]
"""The mock cloud's machines of its user, as every worked call prints them."""


@pytest.fixture(scope="module")
def fleet(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A registry and a mock worker, whose operator allows plain credentials as the page's nameko call needs."""
    plain = {"DELTACLOUD_ALLOW_PLAIN_CREDENTIALS": "true"}
    with broker.new_vhost() as vhost, Fleet(broker.url(vhost), tmp_path_factory.mktemp("fleet"), env=plain) as made:
        ready(made.registry(), made.compute())
        yield made


def run(fleet: Fleet, command: list[str], program: str, folder: Path, **env: str) -> list[str]:
    """Run a program of the page, which names a broker of this machine, at the test's; return what it printed."""
    assert URL in program
    file = folder / "pasted"
    file.write_text(program.replace(URL, fleet.broker), "utf-8")
    done = subprocess.run(
        [*command, str(file)],
        env=processes.base_environment() | env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_page_has_the_calls_it_promises():
    assert [name.partition(",")[0] for name in PYTHON] == ["Python"] * 3
    assert list(NODE) == ["Node"]


@pytest.mark.parametrize("title", PYTHON)
def test_a_call_in_python_works_when_pasted(title, fleet, tmp_path):
    printed = run(fleet, [sys.executable], PYTHON[title], tmp_path)

    assert [line for line in printed if not line.startswith("not_found ")] == MACHINES


def test_an_error_is_shown_by_its_code(fleet, tmp_path):
    shown = [
        run(fleet, [sys.executable], PYTHON[title], tmp_path)[-1] for title in PYTHON if "nowhere" in PYTHON[title]
    ]

    assert [line.partition(" ")[0] for line in shown] == ["not_found", "not_found"]


def test_a_call_in_node_works_when_pasted(fleet, tmp_path):
    need(Requirement.NODE)

    assert run(fleet, ["node"], NODE["Node"], tmp_path, NODE_PATH=str(NODE_MODULES)) == MACHINES


def test_the_tables_are_what_the_code_declares():
    assert contract.main([str(DOCS), "--check"]) == 0


def test_a_page_that_drifted_is_told_and_left_alone(tmp_path, capsys):
    page = tmp_path / "rpc.md"
    text = (DOCS / "rpc.md").read_text("utf-8").replace("| `no_worker` |", "| `nobody` |")
    page.write_text(text, "utf-8")

    assert contract.main([str(tmp_path), "--check"]) == 1
    assert "python -m deltacloud.testing.contract" in capsys.readouterr().err
    assert page.read_text("utf-8") == text


def test_a_page_that_drifted_is_filled_in_again(tmp_path):
    page = tmp_path / "rpc.md"
    page.write_text((DOCS / "rpc.md").read_text("utf-8").replace("| `no_worker` |", "| `nobody` |"), "utf-8")

    assert contract.main([str(tmp_path)]) == 0
    assert page.read_text("utf-8") == (DOCS / "rpc.md").read_text("utf-8")


def test_a_page_without_a_place_for_a_table_is_refused(tmp_path):
    (tmp_path / "rpc.md").write_text("# Nothing\n", "utf-8")

    with pytest.raises(LookupError, match="no place for 'context'"):
        contract.main([str(tmp_path)])
