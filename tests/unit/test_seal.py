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


@given(user=texts, password=texts, driver=texts)
def test_what_is_sealed_opens_for_its_driver_and_deadline(user: str, password: str, driver: str) -> None:
    deadline = soon()
    carried = SEALER.seal(user, password, driver=driver, deadline=deadline)
    opened = OPENER.open(carried, driver=driver, deadline=deadline)
    assert (opened.user, opened.password) == (user, password)


@given(user=texts, password=texts)
def test_it_still_opens_after_a_way_over_the_wire(user: str, password: str) -> None:
    deadline = soon()
    wire = msgspec.json.encode(SEALER.seal(user, password, driver="mock", deadline=deadline))
    arrived = msgspec.json.decode(msgspec.json.encode(deadline.at), type=float)
    opened = OPENER.open(msgspec.json.decode(wire, type=CarriedCredentials), driver="mock", deadline=Deadline(arrived))
    assert (opened.user, opened.password) == (user, password)


@given(driver=texts, other=texts)
def test_a_seal_for_one_driver_does_not_open_for_another(driver: str, other: str) -> None:
    deadline = soon()
    carried = SEALER.seal("u", "p", driver=driver, deadline=deadline)
    if driver != other:
        with pytest.raises(AuthenticationFailed, match="another driver"):
            OPENER.open(carried, driver=other, deadline=deadline)


@given(later=st.floats(min_value=0.01, max_value=1e9))
def test_a_seal_does_not_serve_a_call_with_a_later_deadline(later: float) -> None:
    deadline = soon()
    carried = SEALER.seal("u", "p", driver="mock", deadline=deadline)
    with pytest.raises(AuthenticationFailed, match="another deadline"):
        OPENER.open(carried, driver="mock", deadline=Deadline(deadline.at + later))


def test_a_seal_whose_deadline_has_passed_does_not_open() -> None:
    past = Deadline.after(-1)
    carried = SEALER.seal("u", "p", driver="mock", deadline=past)
    with pytest.raises(AuthenticationFailed, match="another deadline"):
        OPENER.open(carried, driver="mock", deadline=past)


@given(position=st.integers(min_value=0), flip=st.integers(min_value=1, max_value=255))
def test_a_changed_bit_anywhere_is_refused(position: int, flip: int) -> None:
    carried = SEALER.seal("u", CANARY, driver="mock", deadline=soon())
    raw = bytearray(base64.b64decode(carried.sealed or ""))
    raw[position % len(raw)] ^= flip
    changed = CarriedCredentials(sealed=base64.b64encode(raw).decode(), key_id=carried.key_id)
    with pytest.raises(AuthenticationFailed, match="cannot be opened"):
        OPENER.open(changed, driver="mock", deadline=soon())


@given(sealed=st.text(max_size=300))
def test_noise_is_refused_as_a_seal(sealed: str) -> None:
    carried = CarriedCredentials(sealed=sealed, key_id=SEALER.key_id)
    with pytest.raises(AuthenticationFailed):
        OPENER.open(carried, driver="mock", deadline=soon())


@given(content=st.binary(max_size=100))
def test_a_box_of_ours_around_something_else_is_refused(content: bytes) -> None:
    sealed = base64.b64encode(SEALER._box.encrypt(content)).decode()
    with pytest.raises(AuthenticationFailed, match="cannot be opened"):
        OPENER.open(CarriedCredentials(sealed=sealed, key_id=SEALER.key_id), driver="mock", deadline=soon())


def test_during_a_rotation_both_keys_open_and_the_first_is_sealed_for() -> None:
    old, new, deadline = new_key(), new_key(), soon()
    before, during = Opener([old]), Opener([new, old])
    for keys in (before.public_keys, during.public_keys):
        carried = Sealer(keys).seal("u", "p", driver="mock", deadline=deadline)
        assert during.open(carried, driver="mock", deadline=deadline).user == "u"
    assert Sealer(during.public_keys).key_id == Opener([new]).public_keys[0].id


def test_a_seal_for_a_key_not_held_here_says_to_seal_anew() -> None:
    carried = Sealer(Opener([new_key()]).public_keys).seal("u", "p", driver="mock", deadline=soon())
    with pytest.raises(Unavailable, match=f"holds {SEALER.key_id}.*seal anew"):
        OPENER.open(carried, driver="mock", deadline=soon())


def test_plain_credentials_open_only_where_they_are_allowed() -> None:
    plain = CarriedCredentials(user="u", password="")
    opened = Opener(allow_plain=True).open(plain, driver="mock", deadline=soon())
    assert (opened.user, opened.password) == ("u", "")
    with pytest.raises(AuthenticationFailed, match="must be sealed"):
        OPENER.open(plain, driver="mock", deadline=soon())


@pytest.mark.parametrize(
    "carried", [CarriedCredentials(), CarriedCredentials(user="u"), CarriedCredentials(password="p")]
)
def test_half_a_login_is_refused(carried: CarriedCredentials) -> None:
    with pytest.raises(AuthenticationFailed, match="incomplete"):
        Opener(allow_plain=True).open(carried, driver="mock", deadline=soon())


@pytest.mark.parametrize(
    "carried",
    [
        CarriedCredentials(user=CANARY, password=CANARY),
        CarriedCredentials(sealed=CANARY, key_id=SEALER.key_id),
        CarriedCredentials(sealed="", key_id=CANARY),
        SEALER.seal(CANARY, CANARY, driver="other", deadline=Deadline.after(60)),
        SEALER.seal(CANARY, CANARY, driver="mock", deadline=Deadline.after(-60)),
    ],
)
def test_no_error_of_opening_shows_what_was_carried(carried: CarriedCredentials) -> None:
    with pytest.raises(DeltacloudError) as caught:
        OPENER.open(carried, driver="mock", deadline=soon())
    shown = "".join(traceback.format_exception(caught.value)) + repr(carried) + str(caught.value.to_record())
    assert CANARY not in shown


def test_two_seals_of_the_same_credentials_look_different() -> None:
    deadline = soon()
    assert len({SEALER.seal("u", "p", driver="mock", deadline=deadline).sealed for _ in range(10)}) == 10


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
