"""Hardware profiles: the region's instance types, and the names the original knew."""

from __future__ import annotations

import time

import msgspec

from deltacloud.catalogue.check import shown
from deltacloud.drivers import ComputeDriver, Session, SessionCache
from deltacloud.errors import NotFound
from deltacloud.models import HardwareProfile
from deltacloud_compute.drivers.ec2 import convert, errors, native, sizes

DAY_S = 86_400.0
KEPT_REGIONS = 32
PAGE = 100
"""The longest page of DescribeInstanceTypes: a region has ten and more."""


class _Types(msgspec.Struct):
    """A region's profiles and when they were asked for (monotonic seconds); none at first."""

    profiles: dict[str, HardwareProfile] = {}
    asked_at: float = 0.0

    @property
    def is_fresh(self) -> bool:
        return bool(self.profiles) and time.monotonic() - self.asked_at < DAY_S


class HardwareProfileOperations(ComputeDriver):
    """Hardware profiles. A region's are the same for every caller and public, so one caller's list serves all, a day.

    A caller without credentials is shown what the original showed to one: its ten profiles.
    """

    def __init__(self) -> None:
        self._types = SessionCache(size=KEPT_REGIONS, idle_s=DAY_S)

    def list_hardware_profiles(
        self, session: Session, id: str | None = None, architecture: str | None = None
    ) -> list[HardwareProfile]:
        """Return the instance types of the region. Source: DescribeInstanceTypes, once a day."""
        profiles = sizes.ORIGINAL if session.is_anonymous else self._all(session)
        return [
            each
            for each in profiles.values()
            if id in {None, each.id} and (not architecture or convert.has_architecture(each, architecture))
        ]

    def get_hardware_profile(self, session: Session, id: str) -> HardwareProfile:
        """Return an instance type, or one of the original's profiles that the region no longer has.

        Source: DescribeInstanceTypes, unless the list is at hand.

        Raises:
            NotFound: there is none.
            AuthenticationFailed: it is none of the original's, and nobody can be asked without credentials.
        """
        original = sizes.ORIGINAL.get(id)
        if session.is_anonymous and original is not None:
            return original
        known = self._known(session)
        found = (known.profiles.get(id) if known.is_fresh else _one(session, id)) or original
        if found is None:
            raise NotFound(f"There is no hardware profile {shown(id)} in this region.")
        return found

    def _all(self, session: Session) -> dict[str, HardwareProfile]:
        known = self._known(session)
        if not known.is_fresh:
            with native.calling(session) as ec2:
                types = native.whole(ec2.describe_instance_types, "InstanceTypes", MaxResults=PAGE)
            profiles = sorted((convert.hardware_profile(each) for each in types), key=lambda profile: profile.id)
            known.profiles, known.asked_at = {each.id: each for each in profiles}, time.monotonic()
        return known.profiles

    def _known(self, session: Session) -> _Types:
        where = msgspec.json.encode(session.provider).decode()
        return self._types.get(self._types.key(where), _Types)


def _one(session: Session, id: str) -> HardwareProfile | None:
    try:
        with native.calling(session, errors.PROFILE_CODES) as ec2:
            found = native.whole(ec2.describe_instance_types, "InstanceTypes", InstanceTypes=[id])
    except NotFound:
        return None
    return next((convert.hardware_profile(each) for each in found), None)
