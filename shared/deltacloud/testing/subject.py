"""What the author of a driver tells the suite: the driver, a back end, and what the back end lets a test do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from deltacloud.drivers import Credentials, Driver, SessionCache
from deltacloud.models import Record
from deltacloud.providers.picture import ProviderEntry

if TYPE_CHECKING:
    from deltacloud.testing.cloud import Cloud

FaultKind = Literal["throttle", "throttle_once", "hang", "garbage", "close", "slow", "lost_answer"]
"""What a back end can be told to do to every native call.

``throttle`` refuses each with the cloud's own word for "too many requests"; ``throttle_once`` only the next.
``hang`` never answers. ``garbage`` answers what is not its protocol. ``close`` ends the connection instead of
answering. ``slow`` answers rightly after a second. ``lost_answer`` does what it is asked and then closes the
connection instead of answering.
"""

Values = Mapping[str, Any] | Callable[["Cloud"], Mapping[str, Any]]
"""Parameters of an operation, or what finds them."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A driver and the back end it is tried against.

    Attributes:
        driver: the driver.
        credentials: a pair that the back end accepts.
        wrong_credentials: pairs it refuses; without them, the right user with another password.
        secrets: further texts that may appear nowhere (a session token within the user name).
        provider: a provider's name, or the operator's entry that leads to the back end; without one, the default.
        values: by create operation, parameters the suite cannot make up (``{"create_instance": {"image_id": …}}``).
            It makes up names and descriptions, and makes the resources that ``<singular>_id`` parameters ask for.
        features: by feature, parameters to try it with where the suite cannot make them up.
        observe: by feature, what the back end says of it for an instance, where no record shows it; the answer
            contains the value that was asked for.
        fill: by list operation, what makes more records than a native page holds and returns the ids of some of
            them; :func:`by_creating` is one. ``get_bucket`` makes more blobs than a page in the bucket it is given.
        faults: by kind, what makes a context in which native calls fail so.
        unknown_ids: by singular (``instance``), a well-formed id that does not exist.
        odd_ids: ids that no resource can have, to see that the driver refuses them and does not stumble.
        cannot: by check (``test_…`` without ``test_``, with or without ``[case]``), why this cloud or back end cannot
            pass it. It is run all the same, and must fail: a gap that has closed is reported.
        cache: native clients, kept between checks where building one takes long; by default each check has its own.
        deadline_s: seconds given to a call.
        settle_s: seconds a change of state may take.
    """

    driver: Driver
    credentials: Credentials
    wrong_credentials: tuple[Credentials, ...] = ()
    secrets: tuple[str, ...] = ()
    provider: str | ProviderEntry | None = None
    values: Mapping[str, Values] = field(default_factory=dict)
    features: Mapping[str, Values] = field(default_factory=dict)
    observe: Mapping[str, Callable[[Record], Any]] = field(default_factory=dict)
    fill: Mapping[str, Callable[..., Iterable[str]]] = field(default_factory=dict)
    faults: Mapping[FaultKind, Callable[[], AbstractContextManager[Any]]] = field(default_factory=dict)
    unknown_ids: Mapping[str, str] = field(default_factory=dict)
    odd_ids: tuple[str, ...] = ("no/such", "no such", "%2e%2e", "naïve", "<x>&'\"", "x" * 1000)
    cannot: Mapping[str, str] = field(default_factory=dict)
    cache: SessionCache = field(default_factory=SessionCache)
    deadline_s: float = 30.0
    settle_s: float = 20.0

    def refused_credentials(self) -> tuple[Credentials, ...]:
        """Return pairs that the back end must refuse."""
        user, password = self.credentials.user, self.credentials.password
        return self.wrong_credentials or (Credentials(user, f"canary{len(password)}{password[::-1]}"),)

    def reason_for(self, check: str, case: str | None) -> str | None:
        """Return why this back end cannot pass a check, ``None`` where it can."""
        return self.cannot.get(f"{check}[{case}]") or self.cannot.get(check)


def by_creating(singular: str, count: int) -> Callable[[Cloud], list[str]]:
    """Return what fills a list by so many creates: for clouds whose native pages are short, or that have none."""

    def fill(cloud: Cloud) -> list[str]:
        return [cloud.make(singular).id for _ in range(count)]

    return fill
