"""The edge of an operation: counted, timed, logged, and no defect's text ever leaves it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from deltacloud.errors import BackendError, InvalidRequest, NotFound
from deltacloud.models import Image
from deltacloud.rpc import edge
from deltacloud.rpc.context import Context
from deltacloud.rpc.envelope import decode_reply, encode_call
from deltacloud.rpc.names import need_operation

CANARY = "canary-0d9e"
CONTEXT = Context(request_id="request-7", provider="p")


class Callee:
    service = "compute.edgy"

    def __init__(self, answer: Callable[[], Any]) -> None:
        self._answer = answer

    def call(
        self, method: str, context: Context, parameters: Mapping[str, Any], *, is_redelivered: bool = False
    ) -> Any:
        return self._answer()


def fail(error: BaseException) -> Callable[[], Any]:
    def answer() -> Any:
        raise error

    return answer


def count(operation: str, code: str) -> float:
    labels = {"service": "compute.edgy", "operation": operation, "code": code}
    return REGISTRY.get_sample_value("deltacloud_calls_total", labels) or 0


def in_flight() -> float:
    return REGISTRY.get_sample_value("deltacloud_calls_in_flight", {"service": "compute.edgy"}) or 0


def run(answer: Callable[[], Any], method: str = "get_image") -> Any:
    return edge.run(Callee(answer), method, CONTEXT, {"id": CANARY})


def test_a_call_is_counted_when_it_is_answered_and_in_flight_until_then() -> None:
    before, seen = count("get_image", "ok"), []
    assert run(lambda: seen.append(in_flight())) is None
    assert seen == [1]
    assert in_flight() == 0
    assert count("get_image", "ok") == before + 1


def test_an_error_is_counted_by_its_code_and_raised_as_it_is() -> None:
    before, error = count("get_image", "not_found"), NotFound("gone")
    with pytest.raises(NotFound) as caught:
        run(fail(error))
    assert caught.value is error
    assert count("get_image", "not_found") == before + 1
    assert in_flight() == 0


def test_a_defect_becomes_a_backend_error_that_names_the_request() -> None:
    with pytest.raises(BackendError, match="under request id 'request-7'") as caught:
        run(fail(KeyError(CANARY)))
    assert (caught.value.driver, caught.value.provider) == ("edgy", "p")
    assert CANARY not in str(caught.value.to_record())
    assert caught.value.__suppress_context__


def test_a_defect_is_logged_with_its_place_but_without_its_text() -> None:
    with capture_logs() as lines, pytest.raises(BackendError):
        run(fail(KeyError(CANARY)))
    (line,) = [line for line in lines if line["log_level"] == "error"]
    assert line["error"] == "KeyError"
    assert line["request_id"] == "request-7"
    assert "test_edge.py" in line["raised_at"][-1]
    assert CANARY not in str(lines)


def test_names_that_callers_invent_do_not_become_labels() -> None:
    before = count("unknown", "ok")
    run(lambda: None, method=CANARY)
    assert count("unknown", "ok") == before + 1
    assert count(CANARY, "ok") == 0


@pytest.mark.parametrize("signal", [KeyboardInterrupt, SystemExit])
def test_what_is_to_end_the_process_goes_through(signal: type[BaseException]) -> None:
    with pytest.raises(signal):
        run(fail(signal()))
    assert in_flight() == 0


def answer_of(answer: Callable[[], Any], body: bytes) -> Any:
    reply = edge.answer(Callee(answer), "get_image", body)
    return decode_reply(need_operation("compute.edgy", "get_image"), reply)


def test_a_body_is_answered_with_a_body() -> None:
    assert answer_of(lambda: Image(id="i"), encode_call(CONTEXT, {"id": "i"})) == Image(id="i")


def test_a_body_that_is_no_call_is_answered_with_an_error() -> None:
    with pytest.raises(InvalidRequest):
        answer_of(lambda: None, b"noise")


def test_a_result_that_cannot_be_encoded_is_a_defect() -> None:
    with pytest.raises(BackendError, match="request-7"):
        answer_of(object, encode_call(CONTEXT, {"id": "i"}))


def test_an_error_keeps_its_details_in_a_body() -> None:
    error = NotFound("gone", details={"a": "b"}, retry_after_s=2)
    with pytest.raises(NotFound) as caught:
        answer_of(fail(error), encode_call(CONTEXT, {"id": "i"}))
    assert msgspec.structs.astuple(caught.value.to_record()) == msgspec.structs.astuple(error.to_record())
