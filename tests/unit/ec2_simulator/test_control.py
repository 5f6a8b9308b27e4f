"""What a test can order from the simulator outside the API, and how it starts and ends."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from harness.waiting import wait_until
from simulators.control import ControlError
from simulators.ec2.vendor import image_of, make_client, refusal, run, send, signed
from simulators.process import Running, SimulatorDidNotStartError, start


def test_calls_are_counted_by_action_whatever_becomes_of_them(ec2: Any, simulator: Running) -> None:
    ec2.describe_regions()
    refusal(ec2.describe_instances, InstanceIds=["i-xyz"])
    refusal(make_client(simulator.url, secret="wrong").describe_regions)
    assert simulator.control.calls() == {"DescribeRegions": 2, "DescribeInstances": 1}
    simulator.control.forget_calls()
    assert simulator.control.calls() == {}


def test_throttling_ends_after_the_calls_it_was_ordered_for(simulator: Running) -> None:
    simulator.control.fault(DescribeRegions={"throttle": True, "times": 2})
    patient = make_client(simulator.url, attempts=3)
    assert patient.describe_regions()["Regions"]
    assert simulator.control.calls() == {"DescribeRegions": 3}
    simulator.control.fault(DescribeRegions={"throttle": True})
    assert refusal(make_client(simulator.url).describe_regions) == ("RequestLimitExceeded", 503)


def test_a_lost_answer_leaves_the_machine_behind_and_a_refused_call_does_not(ec2: Any, simulator: Running) -> None:
    image = image_of(ec2, architecture="x86_64", root_device_type="ebs")
    for when, machines in (("before", 0), ("after", 1)):
        simulator.control.fault(RunInstances={"close": True, "when": when, "times": 1})
        with pytest.raises(ConnectionClosedError):
            run(ec2, ImageId=image, ClientToken="lost")
        assert len(simulator.control.instances()) == machines
    assert run(ec2, ImageId=image, ClientToken="lost") == [simulator.control.instances()[0]["id"]]


@pytest.mark.parametrize(("when", "machines"), [("before", 0), ("after", 1)])
def test_an_answer_can_be_late_with_the_machine_made_before_or_after_the_wait(
    ec2: Any, simulator: Running, when: str, machines: int
) -> None:
    image = image_of(ec2, architecture="x86_64", root_device_type="ebs")
    simulator.control.fault(RunInstances={"latency_s": 1.0, "when": when})
    late = threading.Thread(target=run, args=(ec2,), kwargs={"ImageId": image})
    late.start()
    wait_until(lambda: "RunInstances" in simulator.control.calls(), "the call to come")
    wait_until(lambda: len(simulator.control.instances()) == machines, "the machine", every_s=0.01)
    assert late.is_alive()
    late.join()
    assert len(simulator.control.instances()) == 1


@pytest.mark.parametrize(("when", "machines"), [("before", 0), ("after", 1)])
def test_a_hanging_call_keeps_its_caller_waiting_and_nobody_else(
    ec2: Any, simulator: Running, when: str, machines: int
) -> None:
    image = image_of(ec2, architecture="x86_64", root_device_type="ebs")
    simulator.control.fault(RunInstances={"hang_s": 30, "when": when})
    with pytest.raises(ReadTimeoutError):
        run(make_client(simulator.url, read_timeout_s=0.5), ImageId=image)
    assert ec2.describe_regions()["Regions"]
    assert len(simulator.control.instances()) == machines


def test_an_answer_can_be_garbage_or_an_error_page(simulator: Running) -> None:
    plain = make_client(simulator.url)
    simulator.control.fault(**{"*": [{"garbage": True, "times": 1}, {"status": 502, "times": 1}]})
    with pytest.raises(ResponseParserError):
        plain.describe_regions()
    assert refusal(plain.describe_regions) == ("502", 502)
    assert plain.describe_regions()["Regions"]
    assert simulator.control.faults() == {}


def test_an_answer_can_be_cut_short(simulator: Running) -> None:
    simulator.control.fault(DescribeRegions={"truncate": True, "times": 1})
    with pytest.raises(http.client.IncompleteRead):
        send(signed(simulator.url, {"Action": "DescribeRegions"}))
    assert send(signed(simulator.url, {"Action": "DescribeRegions"})) == (200, "DescribeRegionsResponse")


def test_any_error_of_the_service_can_be_ordered(ec2: Any, simulator: Running) -> None:
    simulator.control.fault(RunInstances={"error": "InsufficientInstanceCapacity"})
    assert refusal(lambda: run(ec2)) == ("InsufficientInstanceCapacity", 500)


@pytest.mark.parametrize(
    "fault", [{"hang": 3}, {"close": True, "times": 0}, {"truncate": True, "when": "before"}, {"when": "never"}]
)
def test_an_order_the_simulator_cannot_follow_is_refused(simulator: Running, fault: dict[str, object]) -> None:
    with pytest.raises(ControlError):
        simulator.control.fault(RunInstances=fault)
    with pytest.raises(ControlError):
        simulator.control.settings(boot_minutes=1)
    with pytest.raises(ControlError):
        simulator.control.seed(castles=1)


def test_it_starts_with_what_it_was_told_to_and_ends_on_sigterm() -> None:
    with start("ec2", "--instances", "7", "--images", "1001", "--region", "eu-west-1") as running:
        ec2 = make_client(running.url, region="eu-west-1")
        assert len(ec2.describe_instances()["Reservations"]) == 7
        assert len(ec2.describe_images(MaxResults=1000)["Images"]) == 1000
        assert running.stop() == 0


def test_a_simulator_that_cannot_start_says_so() -> None:
    with pytest.raises(SimulatorDidNotStartError):
        start("ec2", "--key", "no-secret")


def test_it_does_not_outlive_the_process_that_started_it() -> None:
    program = (
        "import json, time; from simulators.process import start; running = start('ec2');"
        "print(json.dumps(running.pid), flush=True); time.sleep(60)"
    )
    tests = str(Path(__file__).resolve().parents[2])
    starter = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": tests}
    )
    assert starter.stdout is not None
    with starter, starter.stdout:
        pid = json.loads(starter.stdout.readline())
        starter.send_signal(signal.SIGKILL)
    wait_until(lambda: not is_alive(pid), "the simulator to end")


def is_alive(pid: int) -> bool:
    try:
        # A process that has ended and was not yet waited for has no command line.
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False
