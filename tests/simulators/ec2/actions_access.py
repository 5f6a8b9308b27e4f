"""Key pairs, security groups and tags."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Mapping

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization as keys
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from simulators.ec2.actions import (
    GROUP_ID,
    IMAGE_ID,
    INSTANCE_ID,
    KEY_ID,
    LIST_PARAMETERS,
    SNAPSHOT_ID,
    SUBNET_ID,
    TAG_PARAMETERS,
    VPC_ID,
    Action,
    IdKind,
    by_ids,
    read_tags,
    tags_for,
)
from simulators.ec2.document import Fields, Value, tag_set, timestamp
from simulators.ec2.errors import ApiError, invalid_value, missing_parameter
from simulators.ec2.filters import FILTER_PARAMETERS, Attribute, Tagged, select_tagged
from simulators.ec2.paging import PageRule, page
from simulators.ec2.parameters import Parameters
from simulators.ec2.records import ACCOUNT, Group, KeyPair, new_id
from simulators.ec2.state import Region

MAX_NAME = 255
KEY_FILTERS: dict[str, Attribute[KeyPair]] = {
    "key-name": lambda key: key.name,
    "key-pair-id": lambda key: key.id,
    "fingerprint": lambda key: key.fingerprint,
}


def describe_key_pairs(region: Region, parameters: Parameters) -> Fields:
    """List the key pairs: the one list without pages."""
    names, ids = parameters.strings("KeyName"), parameters.strings("KeyPairId")
    for name in names:
        if name not in region.keys:
            raise ApiError("InvalidKeyPair.NotFound", f"The key pair '{name}' does not exist")
    by_ids(KEY_ID, ids, {key.id: key for key in region.keys.values()})
    wanted = [key for key in region.keys.values() if not (names or ids) or key.name in names or key.id in ids]
    return {
        "keySet": [
            {**_key_fields(key), "keyType": key.kind, "createTime": timestamp(key.created)}
            for key in select_tagged(wanted, parameters, KEY_FILTERS)
        ]
    }


def create_key_pair(region: Region, parameters: Parameters) -> Fields:
    """Make a key pair and give its private half, this once."""
    kind = parameters.text("KeyType") or "rsa"
    if kind not in {"rsa", "ed25519"}:
        raise invalid_value(f"Value ({kind}) for parameter KeyType is invalid.")
    name = _free_key_name(region, parameters)
    private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
    if kind == "rsa":
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    else:
        private = ed25519.Ed25519PrivateKey.generate()
    secret = keys.NoEncryption()
    der = private.private_bytes(keys.Encoding.DER, keys.PrivateFormat.PKCS8, secret)
    form = keys.PrivateFormat.TraditionalOpenSSL if kind == "rsa" else keys.PrivateFormat.OpenSSH
    pem = private.private_bytes(keys.Encoding.PEM, form, secret)
    # The service marks keys it made itself by the digest of the private half.
    print_ = hashlib.sha1(der, usedforsecurity=False).hexdigest()
    key = _register(region, parameters, name, kind, print_)
    return {**_key_fields(key), "keyMaterial": pem.decode()}


def import_key_pair(region: Region, parameters: Parameters) -> Fields:
    """Register a public key in OpenSSH's form."""
    name = _free_key_name(region, parameters)
    try:
        material = base64.b64decode(parameters.demanded("PublicKeyMaterial"), validate=True)
        public = keys.load_ssh_public_key(material)
    except (ValueError, UnsupportedAlgorithm):
        raise ApiError("InvalidKey.Format", "Key is not in valid OpenSSH public key format") from None
    if not isinstance(public, rsa.RSAPublicKey | ed25519.Ed25519PublicKey):
        raise ApiError("InvalidKey.Format", "Key is neither RSA nor ED25519")
    kind = "rsa" if isinstance(public, rsa.RSAPublicKey) else "ed25519"
    der = public.public_bytes(keys.Encoding.DER, keys.PublicFormat.SubjectPublicKeyInfo)
    key = _register(region, parameters, name, kind, hashlib.md5(der, usedforsecurity=False).hexdigest())
    return _key_fields(key)


def delete_key_pair(region: Region, parameters: Parameters) -> Fields:
    """Forget a key pair; one that is not there is no error."""
    name, key_id = parameters.text("KeyName"), parameters.text("KeyPairId")
    if not name and not key_id:
        raise missing_parameter("KeyName")
    found = next((key for key in region.keys.values() if key.name == name or key.id == key_id), None)
    if found is not None:
        del region.keys[found.name]
    return {"return": True, "keyPairId": found.id if found else None}


def _free_key_name(region: Region, parameters: Parameters) -> str:
    name = parameters.demanded("KeyName")
    if len(name) > MAX_NAME or not name.isascii():
        raise invalid_value("Value for parameter KeyName is invalid. Expecting up to 255 ASCII characters")
    if name in region.keys:
        raise ApiError("InvalidKeyPair.Duplicate", f"The keypair '{name}' already exists.")
    return name


def _register(region: Region, parameters: Parameters, name: str, kind: str, digest: str) -> KeyPair:
    tags = tags_for("key-pair", parameters, {"key-pair"})
    region.keys[name] = KeyPair(
        number=next(region.numbers),
        id=new_id("key"),
        name=name,
        kind=kind,
        fingerprint=":".join(digest[place : place + 2] for place in range(0, len(digest), 2)),
        created=time.time(),
        tags=tags,
    )
    return region.keys[name]


def _key_fields(key: KeyPair) -> Mapping[str, Value]:
    return {
        "keyName": key.name,
        "keyFingerprint": key.fingerprint,
        "keyPairId": key.id,
        "tagSet": tag_set(key.tags),
    }


GROUP_FILTERS: dict[str, Attribute[Group]] = {
    "description": lambda group: group.description,
    "group-id": lambda group: group.id,
    "group-name": lambda group: group.name,
    "owner-id": lambda _: ACCOUNT,
    "vpc-id": lambda group: group.vpc_id,
}
GROUP_PAGES = PageRule(least=5, most=1000)


def describe_security_groups(region: Region, parameters: Parameters) -> Fields:
    """List the security groups with their rules."""
    ids, names = parameters.strings("GroupId"), parameters.strings("GroupName")
    groups = by_ids(GROUP_ID, ids, region.groups) if ids else []
    groups += [group_named(region, name) for name in names]
    wanted = groups if ids or names else region.groups.values()
    chosen = select_tagged(wanted, parameters, GROUP_FILTERS)
    shown, token = page(chosen, parameters, GROUP_PAGES, region.limits, [*ids, *names])
    return {"securityGroupInfo": [_group_fields(region, group) for group in shown], "nextToken": token}


def group_named(region: Region, name: str) -> Group:
    """Give the group of the default VPC with a name. Raises InvalidGroup.NotFound."""
    for group in region.groups.values():
        if group.name == name:
            return group
    raise ApiError(
        "InvalidGroup.NotFound",
        f"The security group '{name}' does not exist in default VPC '{region.vpc_id}'",
    )


def create_security_group(region: Region, parameters: Parameters) -> Fields:
    """Make a security group in the default VPC."""
    name, description = parameters.demanded("GroupName"), parameters.demanded("GroupDescription")
    vpc_id = parameters.text("VpcId") or region.vpc_id
    by_ids(VPC_ID, [vpc_id], {region.vpc_id: region})
    if len(name) > MAX_NAME or name.startswith("sg-"):
        raise invalid_value(f"Value ({name}) for parameter GroupName is invalid.")
    # Names are one whatever their case.
    if any(group.name.lower() == name.lower() for group in region.groups.values()):
        raise ApiError("InvalidGroup.Duplicate", f"The security group '{name}' already exists for VPC '{vpc_id}'")
    tags = tags_for("security-group", parameters, {"security-group"})
    group = region.add_group(name, description, vpc_id)
    group.tags.update(tags)
    return {
        "groupId": group.id,
        "securityGroupArn": _group_arn(region, group),
        "tagSet": tag_set(group.tags),
    }


def _group_arn(region: Region, group: Group) -> str:
    return f"arn:aws:ec2:{region.name}:{ACCOUNT}:security-group/{group.id}"


def _group_fields(region: Region, group: Group) -> Fields:
    everywhere: Value = [{"ipProtocol": "-1", "ipRanges": [{"cidrIp": "0.0.0.0/0"}]}]
    among_members: Value = [{"ipProtocol": "-1", "groups": [{"userId": ACCOUNT, "groupId": group.id}]}]
    return {
        "ownerId": ACCOUNT,
        "groupId": group.id,
        "groupName": group.name,
        "groupDescription": group.description,
        "vpcId": group.vpc_id,
        "securityGroupArn": _group_arn(region, group),
        "ipPermissions": among_members if group is region.default_group else [],
        "ipPermissionsEgress": everywhere,
        "tagSet": tag_set(group.tags),
    }


def create_tags(region: Region, parameters: Parameters) -> Fields:
    """Set tags on resources that exist; all or none."""
    kinds: dict[str, tuple[IdKind, Mapping[str, Tagged]]] = {
        "i": (INSTANCE_ID, region.instances),
        "ami": (IMAGE_ID, region.images),
        "sg": (GROUP_ID, region.groups),
        "snap": (SNAPSHOT_ID, region.snapshots),
        "subnet": (SUBNET_ID, region.subnets),
        "key": (KEY_ID, {key.id: key for key in region.keys.values()}),
    }
    targets: list[Tagged] = []
    for one in parameters.strings("ResourceId"):
        prefix = one.partition("-")[0]
        if prefix not in kinds:
            raise ApiError("InvalidID", f"The ID '{one}' is not valid")
        targets += by_ids(kinds[prefix][0], [one], kinds[prefix][1])
    tags = read_tags(parameters)
    for target in targets:
        target.tags.update(tags)
    return {"return": True}


ACTIONS = {
    "DescribeKeyPairs": Action(run=describe_key_pairs, accepts=("KeyName.N", "KeyPairId.N", *FILTER_PARAMETERS)),
    "CreateKeyPair": Action(
        run=create_key_pair, accepts=("KeyName", "KeyType", *TAG_PARAMETERS), requires=("KeyName",)
    ),
    "ImportKeyPair": Action(
        run=import_key_pair,
        accepts=("KeyName", "PublicKeyMaterial", *TAG_PARAMETERS),
        requires=("KeyName", "PublicKeyMaterial"),
    ),
    "DeleteKeyPair": Action(run=delete_key_pair, accepts=("KeyName", "KeyPairId")),
    "DescribeSecurityGroups": Action(
        run=describe_security_groups, accepts=("GroupId.N", "GroupName.N", *LIST_PARAMETERS)
    ),
    "CreateSecurityGroup": Action(
        run=create_security_group,
        accepts=("GroupName", "GroupDescription", "VpcId", *TAG_PARAMETERS),
        requires=("GroupName", "GroupDescription"),
    ),
    "CreateTags": Action(
        run=create_tags, accepts=("ResourceId.N", "Tag.N.Key", "Tag.N.Value"), requires=("ResourceId", "Tag")
    ),
}
