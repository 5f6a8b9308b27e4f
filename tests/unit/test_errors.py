"""The error tree and its life on the wire."""

import pytest

from deltacloud import errors


@pytest.mark.parametrize("code", errors.BY_CODE)
def test_every_error_crosses_the_wire_unchanged(code):
    sent = errors.BY_CODE[code](
        "what to do", driver="ec2", provider="eu-west-1", retry_after_s=2.0, details={"capability": "images"}
    )

    received = errors.DeltacloudError.from_record(sent.to_record())

    assert type(received) is type(sent)
    assert received.to_record() == sent.to_record()


def test_an_unknown_code_is_our_defect_and_keeps_its_text():
    received = errors.DeltacloudError.from_record(errors.ErrorRecord(code="from_the_future", message="hello"))

    assert type(received) is errors.BackendError
    assert received.message == "hello"


def test_codes_are_unique():
    classes = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)]

    assert len({each.code for each in classes if each is not errors.DeltacloudError}) == len(classes) - 1


def test_the_tree_in_the_docstring_is_the_tree():
    drawn = errors.__doc__
    for error in errors.BY_CODE.values():
        assert f"{error.__name__} " in drawn
        assert f"{error.http_status} {error.code}" in drawn


def test_a_location_that_is_known_is_not_overwritten():
    error = errors.NotFound("x", provider="a").located("mock", "b")

    assert (error.driver, error.provider) == ("mock", "a")
