"""Images and snapshots."""

from __future__ import annotations

from simulators.ec2.actions import IMAGE_ID, LIST_PARAMETERS, SNAPSHOT_ID, Action, by_ids
from simulators.ec2.document import Fields, Value, tag_set, timestamp
from simulators.ec2.filters import Attribute, select_tagged
from simulators.ec2.paging import PageRule, page
from simulators.ec2.parameters import Parameters
from simulators.ec2.records import ACCOUNT, ROOT_DEVICE, Image, Snapshot
from simulators.ec2.state import Region

IMAGE_FILTERS: dict[str, Attribute[Image]] = {
    "architecture": lambda image: image.architecture,
    "description": lambda image: image.description,
    "hypervisor": lambda _: "xen",
    "image-id": lambda image: image.id,
    "image-type": lambda image: image.kind,
    "is-public": lambda image: image.is_public,
    "name": lambda image: image.name,
    "owner-alias": lambda image: image.owner_alias or [],
    "owner-id": lambda image: image.owner_id,
    "root-device-type": lambda image: image.root_device_type,
    "state": lambda _: "available",
    "virtualization-type": lambda image: image.virtualization,
}
IMAGE_PAGES = PageRule(least=1, most=1000)


def describe_images(region: Region, parameters: Parameters) -> Fields:
    """List images; without owners every public one, without a word deprecated ones only to their owner."""
    ids = parameters.strings("ImageId")
    images = by_ids(IMAGE_ID, ids, region.images) if ids else list(region.images.values())
    owned = [image for image in images if _is_owned(image, parameters.strings("Owner"))]
    is_old_shown = bool(ids) or parameters.flag("IncludeDeprecated")
    visible = [image for image in owned if is_old_shown or not image.is_deprecated or image.owner_id == ACCOUNT]
    chosen = select_tagged(visible, parameters, IMAGE_FILTERS)
    shown, token = page(chosen, parameters, IMAGE_PAGES, region.limits, ids)
    return {"imagesSet": [_image_fields(image) for image in shown], "nextToken": token}


def _is_owned(thing: Image | Snapshot, owners: list[str]) -> bool:
    names = {thing.owner_id, thing.owner_alias}
    return not owners or any(owner in names or (owner == "self" and ACCOUNT in names) for owner in owners)


def _image_fields(image: Image) -> Fields:
    snapshot = image.snapshot
    disks: list[Value] = [
        {
            "deviceName": ROOT_DEVICE,
            "ebs": {
                "snapshotId": snapshot.id,
                "volumeSize": snapshot.size_gb,
                "deleteOnTermination": True,
                "volumeType": "gp3",
                "encrypted": False,
            },
        }
        for snapshot in filter(None, [snapshot])
    ]
    return {
        "imageId": image.id,
        "imageLocation": f"{image.owner_alias or image.owner_id}/{image.name}",
        "imageState": "available",
        "imageOwnerId": image.owner_id,
        "imageOwnerAlias": image.owner_alias,
        "creationDate": timestamp(image.created),
        "deprecationTime": timestamp(image.created) if image.is_deprecated else None,
        "isPublic": image.is_public,
        "architecture": image.architecture,
        "imageType": image.kind,
        "name": image.name,
        "description": image.description,
        "rootDeviceType": image.root_device_type,
        "rootDeviceName": ROOT_DEVICE,
        "blockDeviceMapping": disks,
        "virtualizationType": image.virtualization,
        "hypervisor": "xen",
        "platformDetails": "Linux/UNIX",
        "tagSet": tag_set(image.tags),
    }


SNAPSHOT_FILTERS: dict[str, Attribute[Snapshot]] = {
    "description": lambda snapshot: snapshot.description,
    "owner-alias": lambda snapshot: snapshot.owner_alias or [],
    "owner-id": lambda snapshot: snapshot.owner_id,
    "snapshot-id": lambda snapshot: snapshot.id,
    "status": lambda _: "completed",
    "volume-id": lambda snapshot: snapshot.volume_id,
    "volume-size": lambda snapshot: str(snapshot.size_gb),
}
SNAPSHOT_PAGES = PageRule(least=5, most=1000)


def describe_snapshots(region: Region, parameters: Parameters) -> Fields:
    """List snapshots; without owners the public ones too."""
    ids = parameters.strings("SnapshotId")
    snapshots = by_ids(SNAPSHOT_ID, ids, region.snapshots) if ids else region.snapshots.values()
    owned = [snapshot for snapshot in snapshots if _is_owned(snapshot, parameters.strings("Owner"))]
    chosen = select_tagged(owned, parameters, SNAPSHOT_FILTERS)
    shown, token = page(chosen, parameters, SNAPSHOT_PAGES, region.limits, ids)
    return {
        "snapshotSet": [
            {
                "snapshotId": snapshot.id,
                "volumeId": snapshot.volume_id,
                "status": "completed",
                "startTime": timestamp(snapshot.started),
                "progress": "100%",
                "ownerId": snapshot.owner_id,
                "ownerAlias": snapshot.owner_alias,
                "volumeSize": snapshot.size_gb,
                "description": snapshot.description,
                "encrypted": False,
                "tagSet": tag_set(snapshot.tags),
            }
            for snapshot in shown
        ],
        "nextToken": token,
    }


ACTIONS = {
    "DescribeImages": Action(
        run=describe_images, accepts=("ImageId.N", "Owner.N", "IncludeDeprecated", *LIST_PARAMETERS)
    ),
    "DescribeSnapshots": Action(run=describe_snapshots, accepts=("SnapshotId.N", "Owner.N", *LIST_PARAMETERS)),
}
