"""hardware_profiles: sizes of machines."""

from deltacloud.catalogue.build import Builder, text
from deltacloud.models import HardwareProfile

COLLECTION = (
    Builder("hardware_profiles", "hardware_profile", HardwareProfile)
    .index(text("architecture", "Only profiles of this architecture"), description="List the hardware profiles.")
    .show(description="Show one hardware profile.")
    .done(description="Sizes of machines; a property is fixed, a range or an enumeration.")
)
