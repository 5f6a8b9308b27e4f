"""What a driver was proved against and what it cannot do: one file beside the driver, for the suite and the documents.

``conformance.toml`` in the driver's package::

    [cloud.cannot]                       # holds for the cloud itself, on every back end
    "an_unknown_id_is_not_found[destroy_image]" = "destroying an image that is not there is no error"

    [back_ends.simulator]
    title = "the strict EC2 simulator of the tests"

    [back_ends.moto]
    title = "moto 5.2"
    [back_ends.moto.cannot]              # holds for this back end, not for the cloud
    "a_list_longer_than_a_native_page_is_whole[list_keys]" = "moto does not page"

Names of checks are those of the suite, without ``test_``, with or without ``[case]``.
"""

from __future__ import annotations

import tomllib
from importlib.resources import files

import msgspec

from deltacloud.drivers import Driver

FILE = "conformance.toml"


class BackEndNotes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A back end: ``title`` says what it is; ``cannot`` gives, by check, why the back end cannot pass it."""

    title: str
    cannot: dict[str, str] = {}


class CloudNotes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The cloud itself: by check, why it cannot pass, on whatever back end."""

    cannot: dict[str, str] = {}


class Notes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A driver's ``conformance.toml``."""

    cloud: CloudNotes = CloudNotes()
    back_ends: dict[str, BackEndNotes] = {}

    @classmethod
    def of(cls, driver: type[Driver]) -> Notes:
        """Return the notes beside a driver's module; empty ones where there is no file.

        Raises:
            ValueError: the file is not of this form; the text says where.
        """
        package = driver.__module__.rpartition(".")[0] or driver.__module__
        file = files(package) / FILE
        if not file.is_file():
            return cls()
        try:
            return msgspec.convert(tomllib.loads(file.read_text("utf-8")), cls)
        except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            raise ValueError(f"{FILE} of {package}: {error}") from None

    def cannot(self, back_end: str) -> dict[str, str]:
        """Return, by check, why it cannot be passed on a back end: the cloud's reasons and the back end's own.

        Raises:
            KeyError: the file does not name the back end.
        """
        return {**self.cloud.cannot, **self.back_ends[back_end].cannot}
