"""Where a call goes: the operator's providers, the driver's own, and URLs under the policy."""

from __future__ import annotations

import msgspec
import pytest

from deltacloud.drivers import ComputeDriver, ProviderTarget
from deltacloud.errors import ForbiddenProvider, Unavailable, UnknownProvider
from deltacloud.models import ProviderInfo
from deltacloud.providers.holder import SILENT_S, PictureHolder
from deltacloud.providers.picture import Picture, ProviderEntry
from deltacloud.providers.resolve import KEPT_S, ProviderResolver, precheck


class Regional(ComputeDriver):
    id = "regional"
    title = "Regional"
    providers = (ProviderInfo(id="east", entrypoints={"ec2": "ec2.east.example"}), ProviderInfo(id="west"))
    default_provider = "east"


class Anywhere(ComputeDriver):
    id = "anywhere"
    title = "Anywhere"
    takes_urls = True

    def target(self, provider: str) -> ProviderTarget:
        url, _, region = provider.partition(";")
        return ProviderTarget(name=provider, endpoint=url, region=region or None)


class Pair(ComputeDriver):
    id = "pair"
    title = "Pair"
    takes_urls = True

    def target(self, provider: str) -> ProviderTarget:
        hosts = dict(part.split("=", 1) for part in provider.split(";"))
        return ProviderTarget(name=provider, endpoints={kind: f"http://{host}" for kind, host in hosts.items()})


class Easy(ComputeDriver):
    id = "easy"
    title = "Easy"
    any_provider = True


LAB = ProviderEntry(name="Lab", endpoint="http://127.0.0.1:5555", region="us-east-1", ca_pem="PEM", options={"a": "b"})
PICTURE = Picture(
    issued_at=1.0,
    providers={"regional": {"Lab": LAB, "WEST": ProviderEntry(name="WEST", endpoint="http://west.lab:1")}},
    allow=("https://*.cloud.example:5000", "http://10.20.0.0/16"),
)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Dns:
    def __init__(self) -> None:
        self.addresses = ["192.0.2.7"]
        self.asked = 0

    def __call__(self, host: str, port: int) -> list[str]:
        assert host
        assert port
        self.asked += 1
        return self.addresses


def resolver(picture: Picture = PICTURE, dns: Dns | None = None, clock: Clock | None = None) -> ProviderResolver:
    holder = PictureHolder()
    holder.update(picture)
    return ProviderResolver(holder, resolve=dns or Dns(), clock=clock or Clock())


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_without_a_provider_the_drivers_default_is_used(nothing: str | None) -> None:
    assert resolver()(Regional(), nothing).name == "east"


def test_a_driver_without_providers_needs_none() -> None:
    assert resolver()(Easy(), None) == ProviderTarget()


def test_the_operators_provider_is_found_without_case_and_trusted_as_written() -> None:
    target = resolver()(Regional(), "LAB")
    assert target == ProviderTarget(
        name="Lab", endpoint="http://127.0.0.1:5555", region="us-east-1", ca_pem="PEM", options={"a": "b"}
    )
    assert target.is_trusted
    assert target.addresses == {}


def test_the_operators_provider_overrides_the_built_in_one_of_that_name() -> None:
    assert resolver()(Regional(), "west").endpoint == "http://west.lab:1"


def test_a_default_provider_can_be_overridden_too() -> None:
    entry = ProviderEntry(name="east", endpoint="http://127.0.0.1:1")
    picture = msgspec.structs.replace(PICTURE, providers={"regional": {"east": entry}})
    assert resolver(picture)(Regional(), None).endpoint == "http://127.0.0.1:1"


def test_a_built_in_provider_is_found_without_case_and_named_as_the_cloud_names_it() -> None:
    assert resolver()(Regional(), "EAST") == ProviderTarget(name="east")


def test_an_operators_provider_belongs_to_its_driver_alone() -> None:
    with pytest.raises(UnknownProvider):
        resolver()(Anywhere(), "lab")


def test_a_driver_that_takes_any_name_gets_it_as_it_is() -> None:
    assert resolver()(Easy(), "Whatever") == ProviderTarget(name="Whatever")


def test_an_unknown_provider_is_refused_with_those_there_are() -> None:
    with pytest.raises(UnknownProvider, match=r"'regional' has no provider 'north'.*Lab, WEST, east, west"):
        resolver()(Regional(), "north")


def test_a_driver_that_takes_no_urls_knows_no_provider_that_is_one() -> None:
    with pytest.raises(UnknownProvider) as caught:
        resolver()(Regional(), "https://user:canary@a.cloud.example:5000")
    assert "canary" not in str(caught.value.to_record())


def test_an_allowed_url_gives_an_untrusted_target_pinned_to_its_addresses() -> None:
    target = resolver()(Anywhere(), "https://A.cloud.example:5000/v3;RegionOne")
    assert target.region == "RegionOne"
    assert not target.is_trusted
    assert target.addresses == {"a.cloud.example": ("192.0.2.7",)}
    assert target.allow == PICTURE.allow


def test_a_driver_cannot_declare_a_clients_url_trusted() -> None:
    assert ProviderTarget(endpoint="http://x").is_trusted
    assert not resolver()(Anywhere(), "https://a.cloud.example:5000").is_trusted


@pytest.mark.parametrize(
    "provider",
    [
        "http://127.0.0.1", "http://169.254.169.254/latest", "https://other.example:5000", "ftp://a.cloud.example:5000",
        "a.cloud.example", "https://a.cloud.example:5000@127.0.0.1", "http://[::1]", "file:///etc/passwd", "127.1:80",
    ],
)  # fmt: skip
def test_a_url_that_is_not_allowed_is_forbidden(provider: str) -> None:
    with pytest.raises(ForbiddenProvider):
        resolver()(Anywhere(), provider)


def test_every_address_of_a_provider_that_names_several_is_checked() -> None:
    assert resolver()(Pair(), "ec2=10.20.0.1;s3=10.20.0.2").addresses == {
        "10.20.0.1": ("10.20.0.1",),
        "10.20.0.2": ("10.20.0.2",),
    }
    with pytest.raises(ForbiddenProvider):
        resolver()(Pair(), "ec2=10.20.0.1;s3=127.0.0.1")


def test_a_name_that_is_rebound_to_loopback_is_refused_when_it_is_looked_up_again() -> None:
    dns, clock = Dns(), Clock()
    resolve = resolver(dns=dns, clock=clock)
    first = resolve(Anywhere(), "https://a.cloud.example:5000")
    dns.addresses = ["127.0.0.1"]
    assert resolve(Anywhere(), "https://a.cloud.example:5000") == first
    assert dns.asked == 1
    clock.now += KEPT_S
    with pytest.raises(ForbiddenProvider):
        resolve(Anywhere(), "https://a.cloud.example:5000")


def test_a_url_the_operator_no_longer_allows_is_refused_at_once() -> None:
    holder = PictureHolder()
    holder.update(PICTURE)
    resolve = ProviderResolver(holder, resolve=Dns(), clock=Clock())
    resolve(Anywhere(), "https://a.cloud.example:5000")
    holder.update(msgspec.structs.replace(PICTURE, issued_at=2.0, allow=()))
    with pytest.raises(ForbiddenProvider):
        resolve(Anywhere(), "https://a.cloud.example:5000")


def test_remembered_urls_are_bounded() -> None:
    resolve = resolver()
    for number in range(600):
        resolve(Anywhere(), f"https://a{number}.cloud.example:5000")
    assert len(resolve._checked) <= 256


def test_before_the_first_picture_an_operators_provider_is_a_matter_of_time() -> None:
    resolve = resolver(Picture())
    assert resolve(Regional(), "west").name == "west"
    with pytest.raises(Unavailable):
        resolve(Regional(), "lab")


def test_a_gateway_refuses_early_what_needs_no_dns_and_leaves_the_rest_to_the_worker() -> None:
    for harmless in (None, "lab", "https://a.cloud.example:5000", "http://x.example;RegionOne", "ec2=10.0.0.1"):
        precheck(PICTURE, "anywhere", harmless)
    precheck(Picture(), "anywhere", "http://127.0.0.1")
    for url in ("http://127.0.0.1", "https://other.example", "ftp://a.cloud.example"):
        with pytest.raises(ForbiddenProvider):
            precheck(PICTURE, "anywhere", url)


def test_the_newest_picture_is_kept_whatever_the_order_of_arrival() -> None:
    holder = PictureHolder()
    newer, older = Picture(issued_at=9.0), Picture(issued_at=5.0)
    assert holder.update(newer)
    assert not holder.update(older)
    assert holder.current is newer


def test_a_registry_with_a_fast_clock_does_not_outlive_itself() -> None:
    clock = Clock()
    holder = PictureHolder(clock)
    holder.update(Picture(issued_at=9.0))
    clock.now += SILENT_S
    assert holder.update(Picture(issued_at=5.0))


def test_waiting_for_a_picture_ends_with_the_first_one() -> None:
    holder = PictureHolder()
    assert not holder.wait(0.0)
    holder.update(Picture(issued_at=1.0))
    assert holder.wait(0.0)
