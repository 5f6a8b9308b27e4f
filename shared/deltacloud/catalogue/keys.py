"""keys: credentials for instances."""

from deltacloud.catalogue.build import Builder, need, text
from deltacloud.catalogue.model import Feature
from deltacloud.models import Key

PUBLIC_KEY = text("public_key", "Public key to import instead of making a pair")

COLLECTION = (
    Builder("keys", "key", Key)
    .index(description="List the keys.")
    .show(description="Show one key.")
    .create(need("name", "The key's name", max_length=255, allow_empty=False), PUBLIC_KEY, description="Make a key.")
    .destroy(description="Destroy a key.")
    .done(
        Feature(
            name="import_key",
            collection="keys",
            operation="create",
            parameters=(PUBLIC_KEY,),
            description="Import a public key instead of generating a pair",
        ),
        description="Credentials for logging in to instances.",
    )
)
