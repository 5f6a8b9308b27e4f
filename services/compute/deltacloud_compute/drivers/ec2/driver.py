"""EC2, and what speaks its query API. Source: Amazon EC2 API reference, version 2016-11-15."""

from __future__ import annotations

from urllib.parse import urlsplit

from deltacloud.drivers import ProviderTarget, Session, aws
from deltacloud.errors import Forbidden
from deltacloud.models import FeatureDeclaration, ProviderInfo
from deltacloud_compute.drivers.ec2 import convert, native, states
from deltacloud_compute.drivers.ec2.hardware_profiles import HardwareProfileOperations
from deltacloud_compute.drivers.ec2.images import ImageOperations
from deltacloud_compute.drivers.ec2.instances import InstanceOperations
from deltacloud_compute.drivers.ec2.keys import KeyOperations
from deltacloud_compute.drivers.ec2.realms import RealmOperations


class Ec2Driver(
    HardwareProfileOperations,
    ImageOperations,
    InstanceOperations,
    KeyOperations,
    RealmOperations,
):
    """EC2. A provider is a region, an operator's endpoint, or the URL or host of an EC2 API."""

    id = "ec2"
    title = "EC2"
    credentials = aws.LABELS
    providers = aws.providers()
    default_provider = aws.DEFAULT_REGION
    takes_urls = True
    states = states.STATES
    anonymous_operations = frozenset({"list_hardware_profiles", "get_hardware_profile"})
    provable_operations = frozenset({"create_instance"})
    features = (
        FeatureDeclaration(name="owner_id", collection="images"),
        *(
            FeatureDeclaration(name=name, collection="instances")
            for name in ("metrics", "user_data", "firewalls", "authentication_key")
        ),
        FeatureDeclaration(name="user_name", collection="instances", constraints={"max_length": "256"}),
        FeatureDeclaration(name="instance_count", collection="instances"),
        FeatureDeclaration(name="attach_snapshot", collection="instances"),
        FeatureDeclaration(name="import_key", collection="keys"),
    )

    def target(self, provider: str) -> ProviderTarget:
        """Read a URL or a host; requests to AWS' own hosts are signed for the region in their name."""
        endpoint = provider if "://" in provider else f"https://{provider}"
        labels = (urlsplit(endpoint).hostname or "").split(".")
        region = next((label for label in labels if label in aws.REGIONS), None)
        return ProviderTarget(name=provider, endpoint=endpoint, region=region, is_trusted=False)

    def check_credentials(self, session: Session) -> None:
        """Do nothing if the cloud knows the caller, even one with next to no rights. Source: DescribeRegions.

        Raises:
            AuthenticationFailed: it does not.
        """
        try:
            with native.calling(session) as ec2:
                native.whole(ec2.describe_regions, "Regions")
        except Forbidden:
            return

    def list_providers(self, session: Session) -> list[ProviderInfo]:
        """Return the regions that are open to the caller. Source: DescribeRegions."""
        with native.calling(session) as ec2:
            found = native.whole(ec2.describe_regions, "Regions")
        return sorted((convert.region(each) for each in found), key=lambda provider: provider.id)
