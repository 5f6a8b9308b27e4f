"""Storage volumes and their snapshots."""

from __future__ import annotations

import msgspec

from deltacloud.catalogue.check import shown
from deltacloud.drivers import Session
from deltacloud.drivers.mockcloud import Changes, fresh_id, now_text
from deltacloud.errors import Conflict
from deltacloud.models import Instance, StorageSnapshot, StorageVolume
from deltacloud_compute.drivers.mock import convert
from deltacloud_compute.drivers.mock.base import MockOperations

DEFAULT_CAPACITY_GB = 1


class VolumeOperations(MockOperations):
    """Storage volumes and their snapshots."""

    def list_storage_volumes(self, session: Session) -> list[StorageVolume]:
        """Return the volumes."""
        with self.cloud.read() as records:
            return records.all(StorageVolume)

    def get_storage_volume(self, session: Session, id: str) -> StorageVolume:
        """Return a volume. Raises not_found."""
        with self.cloud.read() as records:
            return records.get(StorageVolume, id)

    def create_storage_volume(
        self, session: Session, capacity: int | None = None, name: str | None = None
    ) -> StorageVolume:
        """Make a volume of so many GB. Its capacity is a text, where those of the seed data are numbers."""
        capacity_gb = DEFAULT_CAPACITY_GB if capacity is None else capacity
        draft = StorageVolume(id="", name=name, capacity=str(capacity_gb), state="AVAILABLE")
        return self.cloud.create(session, draft, _finish_volume)

    def attach_storage_volume(self, session: Session, id: str, instance_id: str, device: str) -> StorageVolume:
        """Attach a volume to an instance. Raises not_found, and conflict if it is attached already."""
        with self.cloud.change() as changes:
            volume, instance = changes.get(StorageVolume, id), changes.get(Instance, instance_id)
            if volume.instance_id is not None:
                raise Conflict(
                    f"Storage volume {shown(id)} is attached to instance {shown(volume.instance_id)}; detach it first."
                )
            attached = msgspec.structs.replace(volume, instance_id=instance_id, device=device, state="IN-USE")
            changes.put(attached)
            changes.put(convert.with_volume(instance, id, device))
        return attached

    def detach_storage_volume(self, session: Session, id: str) -> StorageVolume:
        """Detach a volume from its instance. Raises not_found, and conflict if it is not attached."""
        with self.cloud.change() as changes:
            volume = changes.get(StorageVolume, id)
            if volume.instance_id is None:
                raise Conflict(f"Storage volume {shown(id)} is not attached to an instance.")
            _forget_volume(changes, volume)
            detached = msgspec.structs.replace(volume, instance_id=None, device=None, state="AVAILABLE")
            changes.put(detached)
        return detached

    def destroy_storage_volume(self, session: Session, id: str) -> None:
        """Destroy a volume, attached or not; one that is not there is no error."""
        with self.cloud.change() as changes:
            volume = changes.find(StorageVolume, id)
            if volume is not None:
                _forget_volume(changes, volume)
                changes.remove(StorageVolume, id)

    def list_storage_snapshots(self, session: Session) -> list[StorageSnapshot]:
        """Return the snapshots."""
        with self.cloud.read() as records:
            return records.all(StorageSnapshot)

    def get_storage_snapshot(self, session: Session, id: str) -> StorageSnapshot:
        """Return a snapshot. Raises not_found."""
        with self.cloud.read() as records:
            return records.get(StorageSnapshot, id)

    def create_storage_snapshot(
        self, session: Session, volume_id: str, name: str | None = None, description: str | None = None
    ) -> StorageSnapshot:
        """Make a snapshot of a volume, which is not looked up."""
        draft = StorageSnapshot(
            id="", name=name, description=description, storage_volume_id=volume_id, state="COMPLETED"
        )
        return self.cloud.create(session, draft, _finish_snapshot)

    def destroy_storage_snapshot(self, session: Session, id: str) -> None:
        """Destroy a snapshot; one that is not there is no error."""
        with self.cloud.change() as changes:
            changes.remove(StorageSnapshot, id)


def _finish_volume(changes: Changes, draft: StorageVolume) -> StorageVolume:
    volume_id = fresh_id(changes, StorageVolume, "volume_")
    volume = msgspec.structs.replace(draft, id=volume_id, name=draft.name or f"Volume{volume_id}", created=now_text())
    changes.put(volume)
    return volume


def _finish_snapshot(changes: Changes, draft: StorageSnapshot) -> StorageSnapshot:
    snapshot_id = fresh_id(changes, StorageSnapshot, "store_snapshot_")
    snapshot = msgspec.structs.replace(draft, id=snapshot_id, created=now_text())
    changes.put(snapshot)
    return snapshot


def _forget_volume(changes: Changes, volume: StorageVolume) -> None:
    instance = changes.find(Instance, volume.instance_id) if volume.instance_id else None
    if instance is not None:
        changes.put(convert.without_volume(instance, volume.id))
