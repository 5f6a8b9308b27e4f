"""storage_snapshots: volumes as they were."""

from deltacloud.catalogue.build import Builder, need, text
from deltacloud.models import StorageSnapshot

COLLECTION = (
    Builder("storage_snapshots", "storage_snapshot", StorageSnapshot)
    .index(description="List the snapshots.")
    .show(description="Show one snapshot.")
    .create(
        need("volume_id", "The volume"),
        text("name", "The snapshot's name", max_length=255),
        text("description", "What it is for", max_length=1024),
        description="Make a snapshot of a volume.",
    )
    .destroy(description="Destroy a snapshot.")
    .done(description="Volumes as they were at one moment.")
)
