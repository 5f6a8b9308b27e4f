"""How EC2 is asked for lists: whole, filtered by the cloud, in the fewest calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from deltacloud.drivers import Session, aws
from deltacloud.errors import DeltacloudError, ProviderError
from deltacloud_compute.drivers.ec2 import errors

PAGE = 1000
"""The longest page of most lists. EC2 refuses any page size together with ids."""

_PATTERN = re.compile(r"([*?\\])")


def calling(session: Session, codes: Mapping[str, type[DeltacloudError]] | None = None) -> AbstractContextManager[Any]:
    """Give EC2's client, acting for the session's caller; see :func:`deltacloud.drivers.aws.calling`."""
    return aws.calling(session, "ec2", {**errors.CODES, **(codes or {})})


def whole(call: Callable[..., Any], key: str, **parameters: Any) -> list[dict[str, Any]]:
    """Return all of a list, page after page; a page may be short or empty and still not be the last.

    Args:
        call: the client's method.
        key: the member of its answer that is the list.
        parameters: the call's.

    Raises:
        ProviderError: an answer has no such list, or the pages go in circles.
    """
    found: list[dict[str, Any]] = []
    seen: set[str] = set()
    answer = call(**parameters)
    while True:
        if key not in answer:
            raise errors.not_of_its_protocol(key)
        found += answer[key]
        token = answer.get("NextToken")
        if not token:
            return found
        if token in seen:
            raise ProviderError("The cloud's pages do not end: one names itself as the next.")
        seen.add(token)
        answer = call(**parameters, NextToken=token)


def filters(**wanted: str | tuple[str, ...] | None) -> list[dict[str, Any]]:
    """Return EC2's filters; dashes in their names are underscores here. Values are taken as they are, not as patterns.

    ``None`` filters nothing; several values are alternatives.
    """
    given = {name: (values,) if isinstance(values, str) else values for name, values in wanted.items()}
    return [
        {"Name": name.replace("_", "-"), "Values": [_PATTERN.sub(r"\\\1", value) for value in values]}
        for name, values in given.items()
        if values is not None
    ]
