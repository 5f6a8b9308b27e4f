"""Credentials under seal: what opens, what does not, and what is never shown."""

from __future__ import annotations

import base64
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltacloud.drivers.session import Credentials
from deltacloud.errors import AuthenticationFailed, DeltacloudError, Unavailable
from deltacloud.rpc.context import CarriedCredentials
from deltacloud.rpc.deadline import Deadline
from deltacloud.rpc.seal import BadKeyFile, Opener, Sealer, load_or_create_keys, new_key

KEY = new_key()
OPENER = Opener([KEY])
SEALER = Sealer(OPENER.public_keys)
CANARY = "canary-5f1c"

texts = st.text(st.characters(codec="utf-8"), max_size=200)


def soon() -> Deadline:
    return Deadline.after(60)


def seal(
    user: str = "u",
    word: str = "p",
    *,
    sealer: Sealer = SEALER,
    driver: str = "mock",
    method: str = "get_realm",
    request_id: str = "r",
    deadline: Deadline | None = None,
) -> CarriedCredentials:
    return sealer.seal(user, word, driver=driver, method=method, request_id=request_id, deadline=deadline or soon())


def unseal(
    carried: CarriedCredentials,
    opener: Opener = OPENER,
    *,
    driver: str = "mock",
    method: str = "get_realm",
    request_id: str = "r",
    deadline: Deadline | None = None,
) -> Credentials:
    return opener.open(carried, driver=driver, method=method, request_id=request_id, deadline=deadline or soon())


@given(user=texts, password=texts, driver=texts)
def test_what_is_sealed_opens_for_its_driver_and_deadline(user: str, password: str, driver: str) -> None:
    deadline = soon()
    carried = seal(user, password, driver=driver, deadline=deadline)
    opened = unseal(carried, driver=driver, deadline=deadline)
    assert (opened.user, opened.password) == (user, password)


@given(user=texts, password=texts)
def test_it_still_opens_after_a_way_over_the_wire(user: str, password: str) -> None:
    deadline = soon()
    wire = msgspec.json.encode(seal(user, password, deadline=deadline))
    arrived = msgspec.json.decode(msgspec.json.encode(deadline.at), type=float)
    opened = unseal(msgspec.json.decode(wire, type=CarriedCredentials), deadline=Deadline(arrived))
    assert (opened.user, opened.password) == (user, password)


@given(driver=texts, other=texts)
def test_a_seal_for_one_driver_does_not_open_for_another(driver: str, other: str) -> None:
    deadline = soon()
    carried = seal(driver=driver, deadline=deadline)
    if driver != other:
        with pytest.raises(AuthenticationFailed, match="another driver"):
            unseal(carried, driver=other, deadline=deadline)


@given(method=texts, other=texts)
def test_a_seal_for_one_operation_does_not_open_for_another(method: str, other: str) -> None:
    deadline = soon()
    carried = seal(method=method, deadline=deadline)
    if method != other:
        with pytest.raises(AuthenticationFailed, match="another method"):
            unseal(carried, method=other, deadline=deadline)


@given(request=texts, other=texts)
def test_a_seal_for_one_request_does_not_open_for_another(request: str, other: str) -> None:
    deadline = soon()
    carried = seal(request_id=request, deadline=deadline)
    if request != other:
        with pytest.raises(AuthenticationFailed, match="another request_id"):
            unseal(carried, request_id=other, deadline=deadline)


@pytest.mark.parametrize("absent", ["user", "password", "driver", "method", "request_id", "deadline"])
def test_a_box_that_does_not_say_what_it_is_for_is_refused_with_what_it_must_hold(absent: str) -> None:
    deadline = soon()
    content = {"user": "u", "password": "p", "driver": "mock", "method": "get_realm", "request_id": "r"}
    fields = {name: value for name, value in {**content, "deadline": deadline.at}.items() if name != absent}
    sealed = base64.b64encode(SEALER._box.encrypt(msgspec.json.encode(fields))).decode()
    with pytest.raises(AuthenticationFailed, match=f"lacks one of .*{absent}"):
        unseal(CarriedCredentials(sealed=sealed, key_id=SEALER.key_id), deadline=deadline)


@given(later=st.floats(min_value=0.01, max_value=1e9))
def test_a_seal_does_not_serve_a_call_with_a_later_deadline(later: float) -> None:
    deadline = soon()
    carried = seal(deadline=deadline)
    with pytest.raises(AuthenticationFailed, match="another deadline"):
        unseal(carried, deadline=Deadline(deadline.at + later))


def test_a_seal_whose_deadline_has_passed_does_not_open() -> None:
    past = Deadline.after(-1)
    carried = seal(deadline=past)
    with pytest.raises(AuthenticationFailed, match="another deadline"):
        unseal(carried, deadline=past)


@given(position=st.integers(min_value=0), flip=st.integers(min_value=1, max_value=255))
def test_a_changed_bit_anywhere_is_refused(position: int, flip: int) -> None:
    carried = seal("u", CANARY)
    raw = bytearray(base64.b64decode(carried.sealed or ""))
    raw[position % len(raw)] ^= flip
    changed = CarriedCredentials(sealed=base64.b64encode(raw).decode(), key_id=carried.key_id)
    with pytest.raises(AuthenticationFailed, match="cannot be opened"):
        unseal(changed)


@given(sealed=st.text(max_size=300))
def test_noise_is_refused_as_a_seal(sealed: str) -> None:
    carried = CarriedCredentials(sealed=sealed, key_id=SEALER.key_id)
    with pytest.raises(AuthenticationFailed):
        unseal(carried)


@given(content=st.binary(max_size=100))
def test_a_box_of_ours_around_something_else_is_refused(content: bytes) -> None:
    sealed = base64.b64encode(SEALER._box.encrypt(content)).decode()
    with pytest.raises(AuthenticationFailed, match="cannot be opened"):
        unseal(CarriedCredentials(sealed=sealed, key_id=SEALER.key_id))


def test_during_a_rotation_both_keys_open_and_the_first_is_sealed_for() -> None:
    old, new, deadline = new_key(), new_key(), soon()
    before, during = Opener([old]), Opener([new, old])
    for keys in (before.public_keys, during.public_keys):
        carried = seal(sealer=Sealer(keys), deadline=deadline)
        assert unseal(carried, during, deadline=deadline).user == "u"
    assert Sealer(during.public_keys).key_id == Opener([new]).public_keys[0].id


def test_a_seal_for_a_key_not_held_here_says_to_seal_anew() -> None:
    carried = seal(sealer=Sealer(Opener([new_key()]).public_keys))
    with pytest.raises(Unavailable, match=f"holds {SEALER.key_id}.*seal anew"):
        unseal(carried)


def test_plain_credentials_open_only_where_they_are_allowed() -> None:
    plain = CarriedCredentials(user="u", password="")
    opened = unseal(plain, Opener(allow_plain=True))
    assert (opened.user, opened.password) == ("u", "")
    with pytest.raises(AuthenticationFailed, match="must be sealed"):
        unseal(plain)


@pytest.mark.parametrize(
    "carried", [CarriedCredentials(), CarriedCredentials(user="u"), CarriedCredentials(password="p")]
)
def test_half_a_login_is_refused(carried: CarriedCredentials) -> None:
    with pytest.raises(AuthenticationFailed, match="incomplete"):
        unseal(carried, Opener(allow_plain=True))


@pytest.mark.parametrize(
    "carried",
    [
        CarriedCredentials(user=CANARY, password=CANARY),
        CarriedCredentials(sealed=CANARY, key_id=SEALER.key_id),
        CarriedCredentials(sealed="", key_id=CANARY),
        seal(CANARY, CANARY, driver="other"),
        seal(CANARY, CANARY, deadline=Deadline.after(-60)),
    ],
)
def test_no_error_of_opening_shows_what_was_carried(carried: CarriedCredentials) -> None:
    with pytest.raises(DeltacloudError) as caught:
        unseal(carried)
    shown = "".join(traceback.format_exception(caught.value)) + repr(carried) + str(caught.value.to_record())
    assert CANARY not in shown


def test_two_seals_of_the_same_credentials_look_different() -> None:
    deadline = soon()
    assert len({seal(deadline=deadline).sealed for _ in range(10)}) == 10


def test_a_key_file_is_made_once_and_is_the_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "sealing.key"
    made = load_or_create_keys(path)
    assert Opener(load_or_create_keys(path)).public_keys == Opener(made).public_keys
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_processes_that_start_together_agree_on_the_key(tmp_path: Path) -> None:
    path = tmp_path / "sealing.key"
    with ThreadPoolExecutor(16) as pool:
        keys = list(pool.map(lambda _: load_or_create_keys(path), range(64)))
    assert len({bytes(key) for (key,) in keys}) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_key_file_of_two_lines_is_a_rotation(tmp_path: Path) -> None:
    first, second = new_key(), new_key()
    path = tmp_path / "sealing.key"
    path.write_bytes(b"\n".join(base64.b64encode(bytes(key)) for key in (first, second)))
    assert [bytes(key) for key in load_or_create_keys(path)] == [bytes(first), bytes(second)]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "has 0 lines"),
        (b"AAAA\n", "line 1: not a key"),
        (CANARY.encode() * 4, "line 1: not a key"),
        (b"\xff\xfe", "not text"),
        ((base64.b64encode(bytes(KEY)) + b"\n") * 3, "has 3 lines"),
    ],
)
def test_a_wrong_key_file_is_named_but_not_shown(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "sealing.key"
    path.write_bytes(content)
    with pytest.raises(BadKeyFile, match=complaint) as caught:
        load_or_create_keys(path)
    shown = "".join(traceback.format_exception(caught.value))
    assert str(path) in str(caught.value)
    assert CANARY not in shown
    assert base64.b64encode(bytes(KEY)).decode() not in shown


def test_a_key_file_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    with pytest.raises(BadKeyFile, match="No such file or directory"):
        load_or_create_keys(tmp_path / "missing" / "sealing.key")
