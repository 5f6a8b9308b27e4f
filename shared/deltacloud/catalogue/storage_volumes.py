"""storage_volumes: block devices."""

from deltacloud.catalogue.build import Builder, need, text
from deltacloud.catalogue.model import Feature
from deltacloud.models import StorageVolume

NAME = text("name", "The volume's name", max_length=255)
DESCRIPTION = text("description", "What it is for", max_length=1024)

COLLECTION = (
    Builder("storage_volumes", "storage_volume", StorageVolume)
    .index(description="List the volumes.")
    .show(description="Show one volume.")
    .create(
        text("snapshot_id", "Snapshot to fill it from"),
        text("capacity", "GB, default 1", type="integer", minimum=1, maximum=1_000_000),
        text("realm_id", "The realm"),
        NAME,
        DESCRIPTION,
        description="Make a volume.",
    )
    .action(
        "attach",
        need("instance_id", "The instance"),
        need("device", "Device name on it"),
        effect="other",
        description="Attach a volume to an instance.",
    )
    .action("detach", effect="other", description="Detach a volume from its instance.")
    .destroy(description="Destroy a volume.")
    .done(
        Feature(
            name="volume_name",
            collection="storage_volumes",
            operation="create",
            parameters=(NAME,),
            description="A name for the volume",
        ),
        Feature(
            name="volume_description",
            collection="storage_volumes",
            operation="create",
            parameters=(DESCRIPTION,),
            description="A description for the volume",
        ),
        description="Block devices that can be attached to instances.",
    )
)
