"""Credentials under seal: only the workers can read what crosses the broker.

A seal is an X25519 sealed box (libsodium's ``crypto_box_seal``) around JSON ``{"user", "password", "driver", "method",
"request_id", "deadline", "parameters"}``, in base64. The box names the call it was made for, so that one taken from a
recorded message opens for no other driver, operation or request, and not later. The public keys are in the picture;
callers seal for the first of them.

A key file has one or two lines, each 32 bytes in base64. The first line is the key that callers seal for, both open.
A rotation is three restarts of all workers: new key in the second line; lines swapped; old key removed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from deltacloud.drivers.session import Credentials
from deltacloud.errors import AuthenticationFailed, Unavailable
from deltacloud.providers.picture import SealingKey
from deltacloud.rpc.context import CarriedCredentials
from deltacloud.rpc.deadline import Deadline

KEY_BYTES = 32
MAX_KEYS = 2
CLOCK_STEP_S = 0.001
"""How far a deadline may be rounded on its way."""


class BadKeyFile(Exception):
    """The file of private keys cannot be used; the text says which, why and what to do, and shows nothing of it."""


class _Content(msgspec.Struct, frozen=True, kw_only=True):
    user: str
    password: str
    driver: str
    method: str
    request_id: str
    deadline: float
    parameters: dict[str, Any] = {}


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_Content)


class Sealer:
    """Seals credentials for the first of some public keys.

    Args:
        keys: the picture's ``sealing_keys``.

    Raises:
        ValueError: there is no key, or the first is not 32 bytes in base64.
    """

    def __init__(self, keys: Sequence[SealingKey]) -> None:
        if not keys:
            raise ValueError("no sealing key is known")
        self.key_id = keys[0].id
        self._box = SealedBox(PublicKey(base64.b64decode(keys[0].public, validate=True)))

    def seal(
        self,
        user: str,
        password: str,
        *,
        driver: str,
        method: str,
        request_id: str,
        deadline: Deadline,
        parameters: Mapping[str, Any] | None = None,
    ) -> CarriedCredentials:
        """Return the credentials sealed for one call: a driver's method, under this request id, until the deadline.

        ``parameters`` are those of the call that are secret as well; sealed here, they are left out of the call itself.
        """
        content = _Content(
            user=user,
            password=password,
            driver=driver,
            method=method,
            request_id=request_id,
            deadline=deadline.at,
            parameters=dict(parameters or {}),
        )
        sealed = base64.b64encode(self._box.encrypt(_ENCODER.encode(content))).decode()
        return CarriedCredentials(sealed=sealed, key_id=self.key_id)


class Opener:
    """Opens what callers sent as credentials; a :class:`deltacloud.rpc.dispatch.Opener`.

    Args:
        keys: private keys, the one to seal for first; none where nothing is sealed.
        allow_plain: whether credentials may come unsealed.
    """

    def __init__(self, keys: Sequence[PrivateKey] = (), *, allow_plain: bool = False) -> None:
        self.public_keys = tuple(_public(key) for key in keys)
        self._boxes = {public.id: SealedBox(key) for public, key in zip(self.public_keys, keys, strict=True)}
        self._allow_plain = allow_plain

    def open(
        self, carried: CarriedCredentials, *, driver: str, method: str, request_id: str, deadline: Deadline
    ) -> Credentials:
        """Return the credentials.

        Raises:
            AuthenticationFailed: they are incomplete, plain where that is not allowed, not a box of ours, made for
                another driver, method, request or deadline. The text repeats nothing of them.
            Unavailable: they are sealed for a key that is not held here.
        """
        if carried.sealed is None:
            return self._plain(carried)
        content = self._unseal(carried.sealed, carried.key_id)
        for what, made_for, found in (
            ("driver", content.driver, driver),
            ("method", content.method, method),
            ("request_id", content.request_id, request_id),
        ):
            if made_for != found:
                raise AuthenticationFailed(f"The credentials are sealed for another {what} than the call's.")
        if deadline.at > content.deadline + CLOCK_STEP_S or Deadline(content.deadline).has_passed:
            raise AuthenticationFailed(
                "The credentials are sealed for another deadline than the call's; seal them anew."
            )
        return Credentials(content.user, content.password, content.parameters)

    def _plain(self, carried: CarriedCredentials) -> Credentials:
        if carried.user is None or carried.password is None:
            raise AuthenticationFailed("The call's credentials are incomplete: give sealed and key_id.")
        if not self._allow_plain:
            raise AuthenticationFailed(
                "Credentials must be sealed here, with a key of the registry's picture; an operator may allow plain"
                " ones with DELTACLOUD_ALLOW_PLAIN_CREDENTIALS=true."
            )
        return Credentials(carried.user, carried.password)

    def _unseal(self, sealed: str, key_id: str | None) -> _Content:
        box = self._boxes.get(key_id or "")
        if box is None:
            raise Unavailable(
                "The credentials are sealed for a key this worker does not hold;"
                f" it holds {', '.join(self._boxes) or 'none'}. Read the registry's picture again and seal anew.",
                retry_after_s=1,
            )
        try:
            return _DECODER.decode(box.decrypt(base64.b64decode(sealed, validate=True)))
        except (binascii.Error, CryptoError, msgspec.DecodeError, TypeError, ValueError):
            raise AuthenticationFailed(
                "The sealed credentials cannot be opened, or the box lacks one of user, password, driver, method,"
                " request_id and deadline."
            ) from None


def new_key() -> PrivateKey:
    """Return a new private key, in memory only: enough for a single worker."""
    return PrivateKey.generate()


def load_or_create_keys(path: Path) -> tuple[PrivateKey, ...]:
    """Return the private keys in a file; where there is none, make it (mode 0600) with one new key.

    Any number of processes may do so at once and agree on the key.

    Raises:
        BadKeyFile: it cannot be read or made, or its lines are not keys.
    """
    try:
        if not path.exists():
            _create(path)
        lines = path.read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise BadKeyFile(f"Key file {path} cannot be used: {reason}.") from None
    if not 1 <= len(lines) <= MAX_KEYS:
        raise BadKeyFile(f"Key file {path} has {len(lines)} lines; it must have one key, or two during a rotation.")
    return tuple(_private(line, f"Key file {path}, line {number}") for number, line in enumerate(lines, 1))


def _create(path: Path) -> None:
    """Write a new key beside the path and link it there: whoever links first wins, nobody reads half a file."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(bytes(new_key())) + b"\n")
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _private(line: str, where: str) -> PrivateKey:
    try:
        raw = base64.b64decode(line, validate=True)
    except binascii.Error:
        raw = b""
    if len(raw) != KEY_BYTES:
        raise BadKeyFile(f"{where}: not a key, which is {KEY_BYTES} bytes in base64.")
    return PrivateKey(raw)


def _public(key: PrivateKey) -> SealingKey:
    raw = bytes(key.public_key)
    return SealingKey(id=hashlib.sha256(raw).hexdigest()[:16], public=base64.b64encode(raw).decode())
