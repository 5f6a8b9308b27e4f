"""How records of the storage collections look: volumes, snapshots, buckets, blobs."""

from __future__ import annotations

from deltacloud.models import Blob, Bucket, StorageSnapshot, StorageVolume
from deltacloud_gateway.representations.parts import action, actions, linked, reference, text
from deltacloud_gateway.representations.shape import Link, Part, Shape, View
from deltacloud_gateway.representations.xml import Element

VOLUME_ACTIONS = ("attach", "detach", "destroy")


def storage_volume(record: StorageVolume, view: View) -> Shape:
    """Describe a volume; without a name its id stands for it."""
    realm = reference("realm", view, "realms", record.realm_id)
    capacity = text("capacity", record.capacity)
    offered = [
        action(view, "storage_volumes", record.id, name) for name in record.actions or () if name in VOLUME_ACTIONS
    ]
    parts = (
        text("created", record.created, if_set=True),
        Part(
            "capacity",
            xml=lambda: (Element("capacity", {"unit": "GB"}, text=record.capacity),),
            json=capacity.json,
            html=lambda: None if record.capacity is None else f"{record.capacity} GB",
            is_column=True,
        ),
        text("kind", record.kind, if_set=True),
        text("name", record.id if record.name is None else record.name, json=None),
        Part("", json=lambda: {"name": record.name, "description": record.description}),
        text("device", record.device, if_set=True),
        realm,
        text("realm_id", record.realm_id, json=None, if_set=True),
        text("state", record.state, if_set=True),
        _mount(record, view),
        actions(offered, json="plain", if_any=record.actions is None),
    )
    return Shape("storage_volume", record.id, view.url("storage_volumes", record.id), parts)


def _mount(record: StorageVolume, view: View) -> Part:
    holder = record.instance_id
    if holder is None:
        return Part("attached to", json=lambda: {"instance": {}})
    url = view.url("instances", holder)
    return Part(
        "attached to",
        xml=lambda: (
            Element(
                "mount",
                children=[
                    Element("instance", {"href": url, "id": holder}),
                    Element("device", {"name": record.device}),
                ],
            ),
        ),
        json=lambda: {"instance": linked(view, "instances", holder, "instance")},
        html=lambda: Link(holder, url),
        is_column=True,
    )


def storage_snapshot(record: StorageSnapshot, view: View) -> Shape:
    """Describe a snapshot; without a name its id stands for it."""
    parts = (
        text("name", record.id if record.name is None else record.name, json=None),
        text("created", record.created),
        reference("storage_volume", view, "storage_volumes", record.storage_volume_id),
        text("state", record.state, in_xml=False),
    )
    return Shape("storage_snapshot", record.id, view.url("storage_snapshots", record.id), parts)


def bucket(record: Bucket, view: View) -> Shape:
    """Describe a bucket with the ids of its blobs, where they are told."""
    found = [(each, view.url("buckets", record.id, each)) for each in record.blobs or ()]
    blobs = Part(
        "blobs",
        xml=lambda: [Element("blob", {"href": url, "id": each}) for each, url in found],
        json=lambda: {"blob_list": [{"rel": "blob", "href": url, "id": each} for each, url in found]},
        html=lambda: tuple(Link(each, url) for each, url in found),
    )
    parts = (text("name", record.name), text("size", record.size), blobs)
    return Shape("bucket", record.id, view.url("buckets", record.id), parts)


def blob(record: Blob, view: View) -> Shape:
    """Describe a blob; its bytes are at the content's URL, never in the record."""
    url = view.url("buckets", record.bucket_id, record.id)
    owner = view.url("buckets", record.bucket_id)
    parts = (
        Part(
            "bucket",
            xml=lambda: (Element("bucket", text=record.bucket_id),),
            json=lambda: {"bucket": {"rel": "bucket", "href": owner, "id": record.bucket_id}},
            html=lambda: Link(record.bucket_id, owner),
        ),
        text("content_length", record.content_length),
        text("content_type", record.content_type),
        text("last_modified", record.last_modified),
        Part(
            "user metadata",
            xml=lambda: (
                Element(
                    "user_metadata",
                    children=[
                        Element("entry", {"key": name}, text=value, cdata=True)
                        for name, value in record.user_metadata.items()
                    ],
                    layout="block",
                ),
            ),
            json=lambda: {"user_metadata": record.user_metadata},
            html=lambda: tuple(f"{name}: {value}" for name, value in record.user_metadata.items()),
        ),
        Part(
            "content",
            xml=lambda: (Element("content", {"href": f"{url}/content", "rel": "blob_content"}),),
            json=lambda: {"content": None},
            html=lambda: Link("download", f"{url}/content"),
        ),
    )
    return Shape("blob", record.id, url, parts)
