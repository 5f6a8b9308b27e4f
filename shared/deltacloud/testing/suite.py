"""The suite as one class."""

from __future__ import annotations

from deltacloud.testing.checks.blobs import BlobChecks
from deltacloud.testing.checks.creates import CreateChecks
from deltacloud.testing.checks.credentials import CredentialChecks
from deltacloud.testing.checks.declarations import DeclarationChecks
from deltacloud.testing.checks.faults import FaultChecks
from deltacloud.testing.checks.features import FeatureChecks
from deltacloud.testing.checks.ids import IdChecks
from deltacloud.testing.checks.instances import InstanceChecks
from deltacloud.testing.checks.lists import ListChecks
from deltacloud.testing.checks.secrets import SecretChecks


class DriverConformance(
    DeclarationChecks,
    ListChecks,
    IdChecks,
    CreateChecks,
    InstanceChecks,
    FeatureChecks,
    CredentialChecks,
    FaultChecks,
    SecretChecks,
    BlobChecks,
):
    """Everything a driver of compute or of storage must hold; what its class does not declare is not checked."""
