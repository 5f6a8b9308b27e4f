"""Made-up key material that has the look of the real thing."""

from __future__ import annotations

import random
import string

LETTERS = string.ascii_letters + string.digits + "=/+"
FULL_LINES, LINE, LAST_LINE = 21, 75, 68


def fake_private_key() -> str:
    """Return a text that looks like a PEM private key and opens nothing."""
    lengths = [*[LINE] * FULL_LINES, LAST_LINE]
    lines = ["".join(random.choices(LETTERS, k=length)) for length in lengths]  # noqa: S311 - opens nothing
    return "\n".join(["-----BEGIN RSA PRIVATE KEY-----", *lines]) + "-----END RSA PRIVATE KEY-----"


def fake_fingerprint() -> str:
    """Return 20 random pairs of hexadecimal digits, joined by colons."""
    return random.randbytes(20).hex(":")  # noqa: S311 - stands for no key
