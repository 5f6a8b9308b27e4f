"""blobs: named bytes in buckets. Their bytes move by transfers, never by RPC."""

from deltacloud.catalogue.build import ID, Builder, need, text
from deltacloud.catalogue.model import Parameter
from deltacloud.models import Blob, Transfer, UploadPlan

BUCKET = Parameter(name="bucket_id", required=True, in_path=True, max_length=1024, description="The bucket's id")
METADATA = text("metadata", "The blob's attributes, name to value", type="map")
CONTENT_TYPE = text("content_type", "MIME type of the bytes", max_length=255)
CONDITIONS = text(
    "conditions", "If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since as the client sent them", type="map"
)
HEADERS = text(
    "headers", "Content-Encoding, Content-Disposition, Cache-Control, Content-MD5 to store with it", type="map"
)
UPLOAD = need("upload_id", "The upload, from its plan", max_length=8192)

COLLECTION = (
    Builder("blobs", "blob", Blob, service="storage", base="/buckets/{bucket_id}")
    .show(BUCKET, capability="blob", description="Show what is known of a blob.")
    .other(
        "content",
        "GET",
        "/buckets/{bucket_id}/{id}/content",
        BUCKET,
        ID,
        text("range", "Byte range as in HTTP, bytes=0-99", rpc_only=True),
        Parameter(name="conditions", type="map", rpc_only=True, description=CONDITIONS.description),
        rpc="download_blob",
        capability="blob",
        result=Transfer,
        description="Read a blob's bytes: the transfer that fetches them.",
    )
    .other(
        "create",
        "PUT",
        "/buckets/{bucket_id}/{id}",
        BUCKET,
        ID,
        Parameter(
            name="content_length", type="integer", minimum=0, rpc_only=True, description="Bytes; absent: unknown"
        ),
        Parameter(name="content_type", rpc_only=True, max_length=255, description=CONTENT_TYPE.description),
        Parameter(name="metadata", type="map", rpc_only=True, description=METADATA.description),
        Parameter(name="headers", type="map", rpc_only=True, description=HEADERS.description),
        Parameter(name="conditions", type="map", rpc_only=True, description=CONDITIONS.description),
        rpc="upload_blob",
        capability="create_blob",
        result=UploadPlan,
        effect="idempotent",
        description="Store a blob: the plan by which its bytes are sent.",
    )
    .rpc_only(
        "sign_part",
        BUCKET,
        ID,
        UPLOAD,
        Parameter(name="number", type="integer", required=True, minimum=1, maximum=10_000, description="Part number"),
        Parameter(name="content_length", type="integer", required=True, minimum=0, description="Bytes of the part"),
        capability="create_blob",
        effect="read",
        result=Transfer,
        description="The transfer that sends one part of an upload.",
    )
    .rpc_only(
        "finish_upload",
        BUCKET,
        ID,
        UPLOAD,
        need("parts", "The parts that were sent, in order", type="parts"),
        capability="create_blob",
        effect="idempotent",
        result=Blob,
        description="Make the parts of an upload the blob.",
    )
    .rpc_only(
        "abort_upload",
        BUCKET,
        ID,
        UPLOAD,
        capability="create_blob",
        effect="idempotent",
        description="Forget an upload and its parts.",
    )
    .other(
        "create_form",
        "POST",
        "/buckets/{bucket_id}",
        BUCKET,
        need("blob_id", "The blob's name", max_length=1024, allow_empty=False),
        Parameter(
            name="blob_data", type="binary", required=True, aliases=("blob",), description="The bytes, a file or text"
        ),
        text("meta_params", "How many meta_nameN, meta_valueN follow", type="integer"),
        rpc="upload_blob",
        capability="create_blob",
        result=UploadPlan,
        status=201,
        effect="idempotent",
        description="Store a blob from a form.",
    )
    .other(
        "metadata",
        "HEAD",
        "/buckets/{bucket_id}/{id}",
        BUCKET,
        ID,
        rpc="get_blob",
        capability="blob_metadata",
        result=Blob,
        status=204,
        description="Read a blob's attributes, as headers.",
    )
    .other(
        "update",
        "POST",
        "/buckets/{bucket_id}/{id}",
        BUCKET,
        ID,
        Parameter(name="metadata", type="map", rpc_only=True, description=METADATA.description),
        rpc="update_blob",
        capability="update_blob_metadata",
        result=Blob,
        status=204,
        effect="idempotent",
        description="Replace a blob's attributes, sent as headers.",
    )
    .destroy(BUCKET, capability="delete_blob", description="Destroy a blob.")
    .done(parent="buckets", description="Named bytes in buckets.")
)
