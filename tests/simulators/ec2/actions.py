"""What an action is, and what several of them share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from simulators.ec2.document import Fields
from simulators.ec2.errors import ApiError, invalid_value
from simulators.ec2.filters import FILTER_PARAMETERS
from simulators.ec2.paging import PAGE_PARAMETERS
from simulators.ec2.parameters import Parameters
from simulators.ec2.state import Region

LIST_PARAMETERS = (*FILTER_PARAMETERS, *PAGE_PARAMETERS)
TAG_PARAMETERS = (
    "TagSpecification.N.ResourceType",
    "TagSpecification.N.Tag.N.Key",
    "TagSpecification.N.Tag.N.Value",
)
MAX_TAGS, MAX_TAG_KEY, MAX_TAG_VALUE = 50, 128, 256

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """An action of the API: what runs it, the parameters it takes (``N`` for a place) and must have."""

    run: Callable[[Region, Parameters], Fields]
    accepts: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IdKind:
    """How ids of a kind of resource look, and the codes of the errors about them."""

    prefix: str
    noun: str
    malformed: str
    not_found: str


INSTANCE_ID = IdKind("i", "instance ID", "InvalidInstanceID.Malformed", "InvalidInstanceID.NotFound")
IMAGE_ID = IdKind("ami", "image id", "InvalidAMIID.Malformed", "InvalidAMIID.NotFound")
GROUP_ID = IdKind("sg", "security group", "InvalidGroupId.Malformed", "InvalidGroup.NotFound")
SUBNET_ID = IdKind("subnet", "subnet ID", "InvalidSubnetID.Malformed", "InvalidSubnetID.NotFound")
SNAPSHOT_ID = IdKind("snap", "snapshot", "InvalidSnapshotID.Malformed", "InvalidSnapshot.NotFound")
VPC_ID = IdKind("vpc", "vpc ID", "InvalidVpcID.Malformed", "InvalidVpcID.NotFound")
KEY_ID = IdKind("key", "key pair", "InvalidKeyPair.Malformed", "InvalidKeyPair.NotFound")


def by_ids(kind: IdKind, ids: Iterable[str], known: Mapping[str, Thing]) -> list[Thing]:
    """Give the resources with these ids; one that is malformed or unknown fails the call."""
    ids = list(ids)
    for one in ids:
        if not re.fullmatch(rf"{kind.prefix}-([0-9a-f]{{8}}|[0-9a-f]{{17}})", one):
            raise ApiError(kind.malformed, f'Invalid id: "{one}" (expecting "{kind.prefix}-...")')
    unknown = [one for one in ids if one not in known]
    if unknown:
        many = "s" if len(unknown) > 1 else ""
        does = "do" if many else "does"
        raise ApiError(kind.not_found, f"The {kind.noun}{many} '{', '.join(unknown)}' {does} not exist")
    return [known[one] for one in ids]


def tags_for(kind: str, parameters: Parameters, allowed: Iterable[str]) -> dict[str, str]:
    """Give the tags a creating call sets on resources of a kind. Refuses kinds it does not create."""
    tags: dict[str, str] = {}
    for one in parameters.structures("TagSpecification"):
        wanted = one.demanded("ResourceType")
        if wanted not in allowed:
            raise invalid_value(f"'{wanted}' is not a valid taggable resource type for this operation.")
        given = read_tags(one)
        if wanted == kind:
            tags.update(given)
    return tags


def read_tags(parameters: Parameters) -> dict[str, str]:
    """Give the tags of a ``Tag.N`` list, within the limits of the service."""
    tags: dict[str, str] = {}
    for one in parameters.structures("Tag"):
        key, value = one.demanded("Key"), one.text("Value") or ""
        if key in tags:
            raise invalid_value(f"Duplicate tag key '{key}' specified.")
        if key.lower().startswith("aws:"):
            raise invalid_value("Tag keys starting with 'aws:' are reserved for internal use")
        if len(key) > MAX_TAG_KEY:
            raise invalid_value("Tag key exceeds the maximum length of 128 characters")
        if len(value) > MAX_TAG_VALUE:
            raise invalid_value("Tag value exceeds the maximum length of 256 characters")
        tags[key] = value
    if len(tags) > MAX_TAGS:
        raise ApiError("TagLimitExceeded", "More than 50 tags were specified")
    return tags
