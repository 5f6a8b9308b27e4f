"""buckets: containers of blobs."""

from deltacloud.catalogue.build import Builder, need, text
from deltacloud.catalogue.model import Feature
from deltacloud.models import Bucket

LOCATION = text("location", "Where to put it", aliases=("bucket_location",))

COLLECTION = (
    Builder("buckets", "bucket", Bucket, service="storage")
    .index(description="List the buckets.")
    .show(description="Show one bucket with the ids of its blobs.")
    .create(
        need("name", "The bucket's name", max_length=255, allow_empty=False), LOCATION, description="Make a bucket."
    )
    .destroy(capability="delete_bucket", description="Destroy an empty bucket.")
    .done(
        Feature(
            name="bucket_location",
            collection="buckets",
            operation="create",
            parameters=(LOCATION,),
            description="Where to put the bucket",
        ),
        description="Containers of blobs.",
    )
)
