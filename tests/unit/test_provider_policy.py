"""Which URLs a client may name as a provider, attacked from every side we know."""

from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltacloud.errors import ForbiddenProvider, Unavailable, UnknownProvider
from deltacloud.providers.policy import Pattern, Policy
from deltacloud.providers.ranges import GUARDED

OPEN_NAME = "https://*.cloud.example:5000"
OPEN_BLOCK = "http://10.20.0.0/16:8774"
EVERYTHING = (
    "http://0.0.0.0/0:80", "https://0.0.0.0/0", "http://[::/0]:80", "https://[::]/0", "http://*.example", "https://*.example",
    "http://10.20.0.0/16:8774",
)  # fmt: skip
"""As open as a list can be made without naming a guarded address."""


SPELLINGS = """
    127.0.0.1 127.1 127.0.1 2130706433 0x7f.1 0x7f000001 0x7f.0.0.1 017700000001 0177.0.0.1 127.0.0.1. 0.0.0.0 0 0x
    [::] [::1] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::127.0.0.1] [::ffff:0:127.0.0.1]
    [64:ff9b::7f00:1] [64:ff9b::127.0.0.1] [64:ff9b:1::7f00:1] [2002:7f00:1::] [fe80::1] [fe80::1%25eth0] [::1%25lo]
    169.254.169.254 2852039166 0xa9fea9fe [::ffff:a9fe:a9fe] [fd00:ec2::254] 100.100.100.200 168.63.129.16
    224.0.0.1 255.255.255.255 [ff02::1] 256.0.0.1 1.2.3.4.5 127.0.0.1%2f %31%32%37.0.0.1 127.0.0.1%00
    \u2460\u2461\u2466.0.0.1 127\u30020\u30020\u30021 \uff11\uff12\uff17.0.0.1
    localhost LOCALHOST localhost. metadata
"""

MALFORMED_URLS = """
    https://user@a.cloud.example:5000 https://a.cloud.example:5000@127.0.0.1 https://127.0.0.1#@a.cloud.example:5000
    https://a.cloud.example:5000\\@127.0.0.1 https://127.0.0.1\\.cloud.example:5000 https:/a.cloud.example:5000
    https:a.cloud.example:5000 //a.cloud.example:5000 https:// https:///v3 https://:5000 a.cloud.example
    https://a.cloud.example: https://a.cloud.example:0 https://a.cloud.example:65536 https://a.cloud.example:+5000
    https://a.cloud.example:\u096b\u0966\u0966\u0966 https://a.cloud.example:5000?x https://a..cloud.example:5000
    https://a.cloud.example..:5000 https://.cloud.example:5000 https://-a.cloud.example:5000 https://[::1
    https://\u00e4.cloud.example:5000 https://a\u3002cloud.example:5000 https://a%2ecloud.example:5000
    ftp://a.cloud.example:5000 file:///etc/passwd gopher://a.cloud.example:5000 unix:///var/run/docker.sock
    https+unix://a.cloud.example:5000 javascript:alert(1)
"""

MALFORMED_PATTERNS = """
    * https://* https://*.* https://a.* https://. a.cloud.example ftp://a.example https://a.example/v3
    https://a.example/ https://u@a.example https://a.example:0 https://a.example:99999 https://a.example:*
    http://10.20.0.0/33 http://10.20.1.0/16 http://127.1 http://0x7f.1 http://2130706433 http://0x7f000001
    http://10.0.0.* http://[fd00::/129] http://[fd00::]/8/8 http://[::ffff:10.0.0.0]/104 https://\u00e4.example
    https://a..example https://-a.example http://[fe80::1%25eth0] http://a.example/16
"""


class Names:
    """A DNS of the test's own, which counts what it is asked."""

    def __init__(self, **hosts: list[str] | OSError) -> None:
        self.hosts = {name.replace("_", "."): found for name, found in hosts.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[str]:
        assert port
        self.asked.append(host)
        found = self.hosts.get(host, OSError(socket.EAI_NONAME, "no such name"))
        if isinstance(found, OSError):
            raise found
        return found


def policy(*allow: str, **hosts: list[str] | OSError) -> Policy:
    return Policy(allow, resolve=Names(**hosts))


def test_a_url_that_fits_a_name_pattern_gives_the_addresses_of_its_host() -> None:
    checked = policy(OPEN_NAME, keystone_cloud_example=["192.0.2.7", "192.0.2.8"])
    assert checked.check("https://keystone.cloud.example:5000/v3") == ("192.0.2.7", "192.0.2.8")


def test_a_url_with_an_address_in_an_allowed_block_gives_that_address_without_asking_the_dns() -> None:
    names = Names()
    assert Policy([OPEN_BLOCK], resolve=names).check("http://10.20.255.1:8774/v2.1") == ("10.20.255.1",)
    assert names.asked == []


def test_a_name_whose_addresses_all_lie_in_an_allowed_block_is_allowed() -> None:
    checked = policy(OPEN_BLOCK, nova_internal=["10.20.1.1", "10.20.1.2"])
    assert checked.check("http://nova.internal:8774") == ("10.20.1.1", "10.20.1.2")


@pytest.mark.parametrize("addresses", [["10.20.1.1", "10.21.1.1"], ["10.20.1.1", "127.0.0.1"], ["10.20.1.1", "::1"]])
def test_one_address_outside_the_allowed_blocks_refuses_the_whole_name(addresses: list[str]) -> None:
    with pytest.raises(ForbiddenProvider):
        policy(OPEN_BLOCK, nova_internal=addresses).check("http://nova.internal:8774")


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"], ["169.254.169.254"], ["192.0.2.7", "169.254.169.254"], ["0.0.0.1"], ["::0"], ["::1"],
        ["fe80::1"],
        ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"], ["64:ff9b::a9fe:a9fe"], ["2002:7f00:1::"], ["::127.0.0.1"],
        ["::ffff:10.0.0.1"], ["64:ff9b::a00:1"], ["2002:c0a8:101::1"], ["fd00:ec2::254"], ["100.100.100.200"],
        ["224.0.0.1"], ["255.255.255.255"], ["2001::1"], ["not an address"], ["fe80::1%eth0"], [],
    ],
)  # fmt: skip
def test_an_allowed_name_that_leads_to_a_guarded_address_is_refused(addresses: list[str]) -> None:
    with pytest.raises((ForbiddenProvider, UnknownProvider)):
        policy(OPEN_NAME, evil_cloud_example=addresses).check("https://evil.cloud.example:5000")


def test_an_allowed_name_may_lead_to_a_private_address_because_private_clouds_live_there() -> None:
    assert policy(OPEN_NAME, a_cloud_example=["10.1.2.3"]).check("https://a.cloud.example:5000") == ("10.1.2.3",)


@pytest.mark.parametrize(
    "host",
    SPELLINGS.split(),
)
@pytest.mark.parametrize("scheme", ["http", "https", "HTTP"])
def test_no_spelling_of_a_guarded_address_passes_a_list_that_does_not_name_it(scheme: str, host: str) -> None:
    checked = policy(*EVERYTHING, localhost=["127.0.0.1"], metadata=["169.254.169.254"])
    with pytest.raises(ForbiddenProvider):
        checked.check(f"{scheme}://{host}/latest/meta-data")


@pytest.mark.parametrize(
    "url",
    [
        *MALFORMED_URLS.split(),
        "",
        "https://a.cloud.example:5000 ",
        " https://a.cloud.example:5000",
        "https://a b.cloud.example:5000",
        "https://a.cloud.example:5000/\r\nHost: b",
        "https://a.cloud.example:5000/\x00",
        "https://a.cloud.example:5000/" + "x" * 3000,
        "https://" + "a" * 64 + ".cloud.example:5000",
        "https://" + "a." * 150 + "cloud.example:5000",
    ],
)
def test_what_two_parsers_could_read_differently_is_refused(url: str) -> None:
    checked = Policy([OPEN_NAME, *EVERYTHING], resolve=lambda _host, _port: ["192.0.2.7"])
    with pytest.raises(ForbiddenProvider):
        checked.check(url)
    with pytest.raises(ForbiddenProvider):
        checked.precheck(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://a.cloud.example:5000", "https://a.cloud.example", "https://a.cloud.example:443", "https://a.cloud.example:5001",
        "https://cloud.example:5000", "https://a.b.cloud.example:5000", "https://acloud.example:5000",
        "https://a.cloud.example.evil.test:5000", "https://a.cloud-example:5000", "https://a.cloudxexample:5000",
    ],
)  # fmt: skip
def test_scheme_port_and_every_label_must_fit_the_pattern(url: str) -> None:
    names = Names()
    with pytest.raises(ForbiddenProvider):
        Policy([OPEN_NAME], resolve=names).check(url)
    assert names.asked == []


@pytest.mark.parametrize(
    "url", ["https://A.Cloud.Example:5000", "HTTPS://a.cloud.example.:5000/v3", "https://a.cloud.example:05000/"]
)
def test_case_and_the_dot_of_the_root_do_not_matter(url: str) -> None:
    assert policy("https://*.CLOUD.example.:5000", a_cloud_example=["192.0.2.7"]).check(url) == ("192.0.2.7",)


def test_a_star_inside_a_label_stays_inside_it() -> None:
    checked = Policy(["https://api-*.cloud.example"], resolve=lambda _host, _port: ["192.0.2.7"])
    assert checked.check("https://api-1.cloud.example/")
    for host in ("api-.cloud.example", "api-1.x.cloud.example", "xapi-1.cloud.example"):
        with pytest.raises(ForbiddenProvider):
            checked.check(f"https://{host}")


def test_a_foreign_name_is_taken_in_its_ascii_form() -> None:
    checked = Policy(["https://*.xn--bcher-kva.example"], resolve=lambda _host, _port: ["192.0.2.7"])
    assert checked.check("https://a.xn--bcher-kva.example") == ("192.0.2.7",)


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("http://127.0.0.0/8:5000", "http://127.9.9.9:5000"),
        ("http://169.254.169.254", "http://169.254.169.254/latest"),
        ("http://[::1]:5000", "http://[::1]:5000"),
        ("http://127.0.0.1:5000", "http://[::ffff:127.0.0.1]:5000"),
        ("http://[64:ff9b::7f00:1]", "http://[64:ff9b::7f00:1]"),
        ("http://10.0.0.0/8", "http://[::ffff:10.1.2.3]"),
    ],
)
def test_a_guarded_address_that_is_listed_explicitly_is_reached(pattern: str, url: str) -> None:
    assert policy(pattern).check(url)


def test_a_mapped_address_is_connected_to_as_the_ipv4_address_it_is() -> None:
    assert policy("http://10.0.0.0/8").check("http://[::ffff:10.1.2.3]") == ("10.1.2.3",)


def test_a_name_that_leads_to_a_listed_loopback_is_reached_at_the_listed_port_only() -> None:
    checked = policy("http://127.0.0.1:5000", "http://*.lab.example:6000", a_lab_example=["127.0.0.1"])
    assert checked.check("http://a.lab.example:5000") == ("127.0.0.1",)
    with pytest.raises(ForbiddenProvider):
        checked.check("http://a.lab.example:6000")


def test_a_wide_block_does_not_list_the_guarded_addresses_inside_it() -> None:
    with pytest.raises(ForbiddenProvider):
        policy("http://126.0.0.0/7:80").check("http://127.0.0.1")
    with pytest.raises(ForbiddenProvider):
        policy("http://100.64.0.0/10").check("http://100.100.100.200")


def test_the_name_localhost_does_not_open_loopback() -> None:
    with pytest.raises(ForbiddenProvider):
        policy("http://localhost:5000", localhost=["127.0.0.1"]).check("http://localhost:5000")


def test_the_dns_is_asked_once_a_check_so_that_a_second_answer_cannot_differ() -> None:
    names = Names(a_cloud_example=["192.0.2.7"])
    Policy([OPEN_NAME], resolve=names).check("https://a.cloud.example:5000")
    assert names.asked == ["a.cloud.example"]


def test_equal_answers_in_another_order_are_equal() -> None:
    first = policy(OPEN_NAME, a_cloud_example=["192.0.2.9", "2001:db8::1", "192.0.2.10"])
    second = policy(OPEN_NAME, a_cloud_example=["192.0.2.10", "192.0.2.9", "2001:db8::1", "192.0.2.9"])
    url = "https://a.cloud.example:5000"
    assert first.check(url) == second.check(url) == ("192.0.2.9", "192.0.2.10", "2001:db8::1")


def test_a_precheck_asks_no_dns_and_refuses_what_no_answer_could_save() -> None:
    names = Names()
    checked = Policy([OPEN_NAME], resolve=names)
    checked.precheck("https://a.cloud.example:5000")
    for url in ("https://other.example:5000", "http://127.0.0.1", "https://a.cloud.example"):
        with pytest.raises(ForbiddenProvider):
            checked.precheck(url)
    assert names.asked == []


def test_an_allowed_name_without_addresses_is_unknown_and_a_silent_dns_is_a_matter_of_time() -> None:
    busy = OSError(socket.EAI_AGAIN, "try again")
    checked = policy(OPEN_NAME, busy_cloud_example=busy)
    with pytest.raises(UnknownProvider, match=r"none\.cloud\.example"):
        checked.check("https://none.cloud.example:5000")
    with pytest.raises(Unavailable):
        checked.check("https://busy.cloud.example:5000")


def test_names_nobody_listed_are_refused_alike_whether_they_exist_or_not() -> None:
    checked = policy(OPEN_BLOCK, there_internal=["10.99.0.1"])
    texts = []
    for host in ("there.internal", "gone.internal"):
        with pytest.raises(ForbiddenProvider) as caught:
            checked.check(f"http://{host}:8774")
        texts.append(caught.value.message.replace(host, "HOST"))
    assert texts[0] == texts[1]
    assert "10.99" not in texts[0]


def test_a_refusal_never_repeats_a_password() -> None:
    with pytest.raises(ForbiddenProvider) as caught:
        policy(OPEN_NAME).check("https://user:canary@a.cloud.example:5000")
    assert "canary" not in f"{caught.value.to_record()}"


@pytest.mark.parametrize(
    "pattern",
    [
        *MALFORMED_PATTERNS.split(),
        "",
        "https://a b.example",
    ],
)
def test_a_pattern_that_could_be_misunderstood_is_refused_with_its_text(pattern: str) -> None:
    with pytest.raises(ValueError, match="allow pattern"):
        Policy([pattern])


def test_the_port_of_a_pattern_is_its_schemes_own_when_none_is_written() -> None:
    assert (Pattern.parse("http://a.example").port, Pattern.parse("https://[fd12::/32]").port) == (80, 443)


guarded_addresses = st.sampled_from(GUARDED).flatmap(
    lambda network: st.integers(int(network[0]), int(network[-1])).map(type(network[0]))
)


@given(address=guarded_addresses)
def test_no_guarded_address_passes_any_list_that_does_not_name_its_range(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    checked = Policy(EVERYTHING, resolve=lambda _host, _port: [str(address)])
    literal = f"[{address}]" if address.version == 6 else str(address)
    for url in (f"http://{literal}/", "http://evil.example/"):
        with pytest.raises(ForbiddenProvider):
            checked.check(url)


@given(
    hidden=st.sampled_from(["127.0.0.0/8", "169.254.0.0/16", "10.0.0.0/8", "192.168.0.0/16", "0.0.0.0/8"]),
    pick=st.integers(0, 2**16 - 1),
)
def test_no_ipv6_form_of_a_forbidden_ipv4_address_passes(hidden: str, pick: int) -> None:
    number = int(ipaddress.ip_network(hidden)[pick])
    forms = (0xFFFF << 32, 0x64FF9B << 96, 0xFFFF << 48, 0)
    hiding = [ipaddress.IPv6Address(prefix | number) for prefix in forms]
    hiding.append(ipaddress.IPv6Address(0x2002 << 112 | number << 80))
    for address in hiding:
        with pytest.raises(ForbiddenProvider):
            Policy(["http://[::/0]:80", "http://*.example"], resolve=lambda _h, _p, it=address: [str(it)]).check(
                "http://evil.example"
            )


@given(
    text=st.text(max_size=80) | st.from_regex(r"https?://[0-9a-fx.:\[\]@%*]{1,40}(:[0-9]{1,6})?(/.*)?", fullmatch=True)
)
def test_any_text_is_either_refused_or_leads_only_to_allowed_addresses(text: str) -> None:
    checked = Policy(["http://198.51.100.0/24:80", "http://*.example"], resolve=lambda _host, _port: ["198.51.100.7"])
    try:
        addresses = checked.check(text)
    except ForbiddenProvider:
        return
    assert all(ipaddress.ip_address(each) in ipaddress.ip_network("198.51.100.0/24") for each in addresses)


labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)


@given(host=st.lists(labels, min_size=1, max_size=4).map(".".join))
def test_a_star_never_spans_a_dot(host: str) -> None:
    checked = Policy(["https://*.cloud.example"], resolve=lambda _host, _port: ["192.0.2.7"])
    url = f"https://{host}.cloud.example"
    if "." in host:
        with pytest.raises(ForbiddenProvider):
            checked.check(url)
    else:
        assert checked.check(url) == ("192.0.2.7",)
