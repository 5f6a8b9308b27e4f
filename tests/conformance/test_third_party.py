"""A third party's driver passes the suite as it is shipped, with as few words as it takes to say where the cloud is."""

import pytest

from deltacloud.drivers import Credentials
from deltacloud.testing import DriverConformance, Subject
from third_party.acme.acme_deltacloud.driver import AcmeDriver


class TestAcme(DriverConformance):
    driver = AcmeDriver

    @pytest.fixture
    def subject(self) -> Subject:
        return Subject(driver=AcmeDriver(), credentials=Credentials("member", "beep"))
