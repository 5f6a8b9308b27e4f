"""The conformance suite finds what is wrong with a driver, and nothing else."""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree  # noqa: ICN001 - what the module is called

DRIVERS = Path(__file__).with_name("broken") / "drivers.py"
ROOT = Path(__file__).parents[2]


def failing(suite: str, folder: Path) -> dict[str, str]:
    """Run the suite on a broken driver; give the checks that fail, and what they say."""
    report = folder / "report.xml"
    command = [sys.executable, "-m", "pytest", f"{DRIVERS}::{suite}", f"--junitxml={report}", "-p", "no:cacheprovider"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert report.exists(), done.stdout + done.stderr
    cases = list(ElementTree.parse(report).getroot().iter("testcase"))  # noqa: S314 - written by pytest just now
    assert len(cases) > 300, f"only {len(cases)} checks ran: {done.stdout}"
    parts = [(case.get("name", ""), part) for case in cases for part in case]
    return {name: part.get("message", "") for name, part in parts if part.tag in {"failure", "error"}}


def test_a_driver_that_forgets_what_its_feature_promises_fails_that_feature_alone(tmp_path):
    [(check, reason)] = failing("TestBoastful", tmp_path).items()

    assert check == "test_a_feature_does_what_it_declares[user_name]"
    assert "['name'] was given, and the record has {'name': 'unnamed'}" in reason


def test_a_driver_that_loses_the_second_page_fails_the_check_of_whole_lists_alone(tmp_path):
    [(check, reason)] = failing("TestHasty", tmp_path).items()

    assert check == "test_a_list_longer_than_a_native_page_is_whole[list_images]"
    assert "of 30 are missing" in reason


def test_a_driver_that_tells_a_secret_in_an_error_fails_the_check_of_secrets_alone(tmp_path):
    [(check, reason)] = failing("TestTalkative", tmp_path).items()

    assert check == "test_no_secret_is_in_an_error_a_log_or_a_reply[get_key]"
    assert "a secret is in an error" in reason
    assert "mockpassword" not in reason


def test_an_excuse_that_is_no_longer_needed_or_never_was_fails(tmp_path):
    failed = failing("TestExcused", tmp_path)

    assert set(failed) == {"test_an_unknown_id_is_not_found[get_key]", "test_declared_gaps_name_checks_that_exist"}
    assert "it once was so" in failed["test_an_unknown_id_is_not_found[get_key]"]
    assert "pigs_fly" in failed["test_declared_gaps_name_checks_that_exist"]
