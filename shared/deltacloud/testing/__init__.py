"""The conformance suite: what any driver must hold, ours or a third party's. Needs ``deltacloud[testing]``.

In a test module of the driver's own::

    from deltacloud.testing import DriverConformance, Subject

    class TestAcme(DriverConformance):
        driver = AcmeDriver

        @pytest.fixture
        def subject(self) -> Subject:
            return Subject(driver=AcmeDriver(), credentials=Credentials("member", "badge"))

pytest then runs every check that applies to what the class declares, through the dispatcher and the wire's encoding,
against the back end the subject leads to. A check for which the subject offers no means is skipped as "not proved".
A check that the cloud or the back end cannot pass is named in ``Subject.cannot`` with the reason; it is run, and must
fail for as long as it is named. ``pytest -ra`` lists both.
"""

import pytest

pytest.register_assert_rewrite(*(f"{__name__}.{part}" for part in ("checks", "cloud", "machines", "transfers")))

from deltacloud.testing.checks.blobs import by_storing  # noqa: E402
from deltacloud.testing.cloud import Cloud  # noqa: E402 - after the rewriting of asserts is set up
from deltacloud.testing.notes import Notes  # noqa: E402
from deltacloud.testing.subject import FaultKind, Subject, by_creating  # noqa: E402
from deltacloud.testing.suite import DriverConformance  # noqa: E402

__all__ = ["Cloud", "DriverConformance", "FaultKind", "Notes", "Subject", "by_creating", "by_storing"]
