"""images: what instances are made from."""

from deltacloud.catalogue.build import Builder, need, text
from deltacloud.catalogue.model import Feature
from deltacloud.models import Image

NAME = text("name", "Name of the new image", max_length=255)
DESCRIPTION = text("description", "What the new image is for", max_length=1024)
OWNER = text("owner_id", "Only images of this owner; self is the caller")

COLLECTION = (
    Builder("images", "image", Image)
    .index(text("architecture", "Only images of this architecture"), OWNER, description="List the images.")
    .show(capability="image", description="Show one image.")
    .create(need("instance_id", "The instance to make it from"), NAME, DESCRIPTION, description="Make an image.")
    .destroy(description="Destroy an image.")
    .done(
        Feature(
            name="owner_id",
            collection="images",
            operation="index",
            parameters=(OWNER,),
            description="Filter images by owner",
        ),
        Feature(
            name="image_name",
            collection="images",
            operation="create",
            parameters=(NAME,),
            description="A name for the created image",
        ),
        Feature(
            name="image_description",
            collection="images",
            operation="create",
            parameters=(DESCRIPTION,),
            description="A description for the created image",
        ),
        description="Templates that instances are made from.",
    )
)
