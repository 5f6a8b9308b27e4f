"""realms: where resources live."""

from deltacloud.catalogue.build import Builder
from deltacloud.models import Realm

COLLECTION = (
    Builder("realms", "realm", Realm)
    .index(description="List the realms.")
    .show(description="Show one realm.")
    .done(description="Places where resources live: zones, data centers, clusters.")
)
