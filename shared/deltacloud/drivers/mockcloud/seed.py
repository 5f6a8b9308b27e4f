"""What a new mock cloud holds: the seed data of Apache Deltacloud 1.1.3's mock driver."""

from __future__ import annotations

import hashlib

from deltacloud.drivers.mockcloud.blobs import BlobStore, StoredBlob
from deltacloud.drivers.mockcloud.pem import fake_private_key
from deltacloud.drivers.mockcloud.records import Changes
from deltacloud.models import (
    Address,
    Authentication,
    Bucket,
    Image,
    Instance,
    InstanceAddress,
    Key,
    Network,
    NetworkInterface,
    Record,
    StorageSnapshot,
    StorageVolume,
    Subnet,
)

OWNER = "mockuser"


def _image(id: str, owner_id: str, description: str, architecture: str) -> Image:
    return Image(
        id=id,
        name=id,
        owner_id=owner_id,
        description=description,
        architecture=architecture,
        state="AVAILABLE",
        creation_time="Thu Oct 25 14:27:53 CEST 2012",
    )


def _instance(id: str, name: str, image_id: str, *, host: str, profile: str, **more: object) -> Instance:
    fields: dict[str, object] = {"realm_id": "us", "can_create_image": True, **more}
    return Instance(
        id=id,
        name=name,
        owner_id=OWNER,
        image_id=image_id,
        hardware_profile_id=profile,
        state="RUNNING",
        public_addresses=(InstanceAddress(id=f"{host}.{id}.public.com", type="hostname"),),
        private_addresses=(InstanceAddress(id=f"{host}.{id}.private.com", type="hostname"),),
        **fields,  # type: ignore[arg-type]
    )


def _volume(id: str, instance_id: str | None = None, device: str | None = None) -> StorageVolume:
    return StorageVolume(
        id=id,
        realm_id="us",
        capacity=1,
        created="Thu Jul 30 14:35:11 UTC 2009",
        state="IN-USE" if instance_id else "AVAILABLE",
        instance_id=instance_id,
        device=device,
    )


def _snapshot(id: str, volume_id: str) -> StorageSnapshot:
    return StorageSnapshot(
        id=id, storage_volume_id=volume_id, state="COMPLETED", created="Wed Jul 29 18:15:24 UTC 2009"
    )


def _subnet(id: str, network_id: str, address_block: str) -> Subnet:
    return Subnet(id=id, name=id, network_id=network_id, address_block=address_block, type="PRIVATE")


RECORDS: tuple[Record, ...] = (
    _image("img1", "fedoraproject", "Fedora 10", "x86_64"),
    _image("img2", "fedoraproject", "Fedora 10", "i386"),
    _image("img3", OWNER, "JBoss", "i386"),
    _instance(
        "inst0",
        "Mock Instance With Profile Change",
        "img1",
        host="img1",
        profile="m1-large",
        hardware_overrides={"memory": "12288"},
        network_interfaces=(),
    ),
    _instance("inst1", "MockUserInstance", "img3", host="img1", profile="m1-small", network_interfaces=("nic1",)),
    _instance("inst2", "AnotherInstance", "img1", host="img1", profile="m1-large"),
    _instance(
        "inst3",
        "",
        "img3",
        host="img3",
        profile="m1-small",
        realm_id="eu",
        can_create_image=False,
        authentication=Authentication(id=""),
        network_interfaces=("nicinst3",),
    ),
    *(Address(id=f"192.168.0.{last}") for last in range(1, 5)),
    _volume("vol1"),
    _volume("vol2"),
    _volume("vol3", instance_id="inst1", device="/dev/sda1"),
    _snapshot("snap1", "vol1"),
    _snapshot("snap2", "vol2"),
    _snapshot("snap3", "vol2"),
    Network(id="net1", name="network1", address_blocks=("192.168.0.0/16",), subnets=("subnet1", "subnet2")),
    Network(id="net2", name="network2", address_blocks=("10.0.0.0/8",), subnets=("subnet3", "subnet4")),
    _subnet("subnet1", "net1", "192.168.1.0/24"),
    _subnet("subnet2", "net1", "192.168.2.0/24"),
    _subnet("subnet3", "net2", "10.1.0.0/16"),
    _subnet("subnet4", "net2", "10.2.0.0/16"),
    NetworkInterface(id="nic1", name="nic1", instance_id="inst1", network_id="subnet1", ip_address="192.168.1.2"),
    NetworkInterface(
        id="nicinst3", name="nicinst3", instance_id="inst3", network_id="net1", ip_address="192.168.2.189"
    ),
    Bucket(id="bucket1", name="bucket1"),
    Bucket(id="bucket2", name="bucket2"),
)

BLOBS: tuple[tuple[str, str, str, bytes, str, dict[str, str]], ...] = (
    ("bucket1", "blob1", "text/plain", b"content of blob 1", "2010-09-23 16:44:54 +0100", {"SOMENEWKEY": "NEWVALUE"}),
    (
        "bucket1",
        "blob2",
        "text/html",
        b"<html><head></head><body>content of blob 2</body></html>",
        "2010-09-23 16:55:05 +0100",
        {"VERSION": "1.2"},
    ),
    ("bucket1", "blob3", "text/plain", b"content of blob 3", "2010-08-14 02:14:31 +0100", {}),
    (
        "bucket2",
        "blob4",
        "application/octet-stream",
        b"content of blob 4",
        "2010-09-21 06:17:24 +0100",
        {"some": "value"},
    ),
    ("bucket2", "blob5", "application/pdf", b"content of blob 5", "2009-07-21 11:12:13 +0100", {}),
)
"""Bucket, id, content type, bytes, last modified, attributes."""


def seed(changes: Changes, blobs: BlobStore) -> None:
    """Fill a new mock cloud."""
    for record in RECORDS:
        changes.put(record)
    changes.put(
        Key(
            id="test-key",
            fingerprint="5e:ce:b6:dc:59:3b:5c:93:f8:2e:9d:20:ce:60:ca:f5:0b:8a:66:93",
            pem=fake_private_key(),
        )
    )
    for bucket_id, blob_id, content_type, content, last_modified, metadata in BLOBS:
        file = f"seed-{blob_id}"
        blobs.keep(file, content)
        stored = StoredBlob(
            id=blob_id,
            bucket_id=bucket_id,
            content_type=content_type,
            content_length=len(content),
            last_modified=last_modified,
            etag=hashlib.md5(content, usedforsecurity=False).hexdigest(),
            user_metadata=metadata,
            file=file,
        )
        changes.put(stored, parent=bucket_id)
