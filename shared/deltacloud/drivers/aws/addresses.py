"""Where a request to a client-named provider may go."""

from __future__ import annotations

from deltacloud.drivers.session import ProviderTarget
from deltacloud.errors import ProviderError


def checked_addresses(target: ProviderTarget, host: str) -> tuple[str, ...]:
    """Return the addresses of a host that passed the operator's policy; none for a trusted provider, which needs none.

    Raises:
        ProviderError: the provider is not trusted and the host was never checked.
    """
    if target.is_trusted:
        return ()
    addresses = target.addresses.get(host, ())
    if not addresses:
        raise ProviderError(f"The cloud sent us to '{host}', whose address was not checked; nothing was sent.")
    return addresses
