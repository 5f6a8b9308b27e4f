"""The regions of AWS as providers."""

from __future__ import annotations

from deltacloud.drivers.session import ProviderTarget
from deltacloud.models import ProviderInfo

DEFAULT_REGION = "us-east-1"
REGIONS = (
    *("us-east-1", "us-east-2", "us-west-1", "us-west-2"),
    *("af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3"),
    *("ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4"),
    *("ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1"),
    *("eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2"),
    *("eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1"),
    *("mx-central-1", "sa-east-1", "us-gov-east-1", "us-gov-west-1", "cn-north-1", "cn-northwest-1"),
)
"""The public regions, China's and the US government's included (accounts there are separate)."""

_HOSTS = {"ec2": "ec2", "s3": "s3", "elb": "elasticloadbalancing", "mon": "monitoring"}


def providers() -> tuple[ProviderInfo, ...]:
    """Return the regions as built-in providers, each with the addresses of its services."""
    return tuple(ProviderInfo(id=region, entrypoints=_entrypoints(region)) for region in REGIONS)


def region_of(target: ProviderTarget) -> str:
    """Return the region to sign for: the target's own, else the region it is named after, else the default."""
    if target.region:
        return target.region
    name = (target.name or "").lower()
    return name if name in REGIONS else DEFAULT_REGION


def _entrypoints(region: str) -> dict[str, str]:
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return {kind: f"https://{host}.{region}.{domain}" for kind, host in _HOSTS.items()}
