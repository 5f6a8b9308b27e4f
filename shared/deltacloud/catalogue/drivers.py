"""drivers: the clouds this server can drive."""

from deltacloud.catalogue.build import Builder
from deltacloud.catalogue.model import Operation
from deltacloud.models import DriverInfo, ProviderInfo
from deltacloud.providers.picture import Picture

COLLECTION = (
    Builder("drivers", "driver", DriverInfo, service="gateway")
    .index(description="List the drivers, with their providers.")
    .show(description="Show one driver; its providers are asked of the cloud where it can tell them.")
    .done(description="The clouds this server can drive, and the providers of each.")
)

LIST_PROVIDERS = Operation(
    name="providers",
    collection="drivers",
    rpc="list_providers",
    service="compute",
    http_method=None,
    capability="providers",
    result=ProviderInfo,
    is_list=True,
    description="Ask the cloud for its regions or data centers.",
)

CHECK_CREDENTIALS = Operation(
    name="check_credentials",
    collection="drivers",
    rpc="check_credentials",
    service="compute",
    http_method=None,
    capability="check_credentials",
    description="Answer nothing if the cloud accepts the credentials, else authentication_failed.",
)

GET_PICTURE = Operation(
    name="picture",
    collection="drivers",
    rpc="get_picture",
    service="registry",
    http_method=None,
    capability="picture",
    result=Picture,
    description="The registry's present picture: drivers alive, providers, policy, sealing keys.",
)
