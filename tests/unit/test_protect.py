"""What is done to credentials before a call leaves the process."""

from __future__ import annotations

from contextlib import nullcontext

import msgspec
import pytest

from deltacloud.errors import AuthenticationFailed, Unavailable
from deltacloud.providers.picture import SealingKey
from deltacloud.rpc.context import CarriedCredentials, Context, usable_request_id
from deltacloud.rpc.deadline import Deadline
from deltacloud.rpc.names import need_operation
from deltacloud.rpc.protect import Protector
from deltacloud.rpc.seal import Opener, new_key

PLAIN = Context(credentials=CarriedCredentials(user="u", password="p"), request_id="r")
OPENER = Opener([new_key()])


CREATE = need_operation("compute.mock", "create_instance")
PARAMETERS = {"image_id": "img1", "user_data": "Y2FuYXJ5", "password": "canary"}


def protect(protector: Protector, context: Context = PLAIN, service: str = "compute.mock") -> Context:
    protected, _ = protector.protect(CREATE, context, PARAMETERS, service, Deadline.after(60))
    return protected


def test_the_key_of_the_moment_is_sealed_for() -> None:
    other = Opener([new_key()])
    picture: list[tuple[SealingKey, ...]] = [OPENER.public_keys]
    protector = Protector(lambda: picture[0])
    for opener in (OPENER, other, OPENER):
        picture[0] = opener.public_keys
        protected = protect(protector)
        assert protected.credentials
        assert protected.credentials.key_id == opener.public_keys[0].id
        assert (protected.credentials.user, protected.credentials.password) == (None, None)


def test_the_rest_of_the_context_stays() -> None:
    assert protect(Protector(lambda: OPENER.public_keys)).request_id == "r"


@pytest.mark.parametrize("unusable", ["", "two\nlines", "x" * 129])
def test_a_sealed_call_without_a_usable_request_id_gets_one_that_its_seal_is_bound_to(unusable: str) -> None:
    deadline = Deadline.after(60)
    given = msgspec.structs.replace(PLAIN, request_id=unusable)

    context, _ = Protector(lambda: OPENER.public_keys).protect(CREATE, given, {}, "compute.mock", deadline)

    assert context.credentials is not None
    assert usable_request_id(context.request_id) not in {None, unusable}
    for request_id, expected in ((context.request_id, nullcontext()), (unusable, pytest.raises(AuthenticationFailed))):
        with expected:
            OPENER.open(
                context.credentials, driver="mock", method="create_instance", request_id=request_id, deadline=deadline
            )


def test_credentials_that_are_sealed_already_stay_as_they_are() -> None:
    sealed = Context(credentials=CarriedCredentials(sealed="c2VhbGVk", key_id="k"))
    assert protect(Protector(tuple), sealed) is sealed


def test_a_call_without_credentials_needs_no_key() -> None:
    context = Context(request_id="r")
    protector = Protector(tuple)
    assert not protector.needs_key(context)
    assert protect(protector, context) is context


def test_without_a_key_plain_credentials_are_refused_unless_allowed() -> None:
    assert Protector(tuple).needs_key(PLAIN)
    with pytest.raises(Unavailable, match="nothing was started"):
        protect(Protector(tuple))
    assert protect(Protector(tuple, allow_plain=True)) is PLAIN


def test_where_a_key_is_known_even_allowed_plain_credentials_are_sealed() -> None:
    protected = protect(Protector(lambda: OPENER.public_keys, allow_plain=True))
    assert protected.credentials
    assert protected.credentials.sealed


def test_a_service_without_a_driver_gets_no_credentials() -> None:
    assert protect(Protector(lambda: OPENER.public_keys), service="registry").credentials is None


def test_secret_parameters_leave_under_the_same_seal_and_no_other_way() -> None:
    deadline = Deadline.after(60)

    context, rest = Protector(lambda: OPENER.public_keys).protect(CREATE, PLAIN, PARAMETERS, "compute.mock", deadline)

    assert rest == {"image_id": "img1"}
    assert context.credentials is not None
    opened = OPENER.open(
        context.credentials, driver="mock", method="create_instance", request_id="r", deadline=deadline
    )
    assert opened.parameters == {"user_data": "Y2FuYXJ5", "password": "canary"}


def test_where_nothing_is_sealed_the_parameters_stay_as_they_are() -> None:
    deadline = Deadline.after(60)

    _, rest = Protector(tuple, allow_plain=True).protect(CREATE, PLAIN, PARAMETERS, "compute.mock", deadline)

    assert rest == PARAMETERS
