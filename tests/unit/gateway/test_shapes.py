"""How each record is written down, to the byte in XML: `shapes/` holds what clients of the original know."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deltacloud import catalogue
from deltacloud.models import (
    Address,
    Authentication,
    Blob,
    Bucket,
    CommandOutput,
    DriverInfo,
    FeatureDeclaration,
    Firewall,
    FirewallRule,
    HardwareProfile,
    HardwareProperty,
    Image,
    Instance,
    InstanceAddress,
    InstanceState,
    Key,
    Listener,
    LoadBalancer,
    Metric,
    MetricProperty,
    MetricSample,
    Network,
    NetworkInterface,
    ProviderInfo,
    Realm,
    Record,
    RuleSource,
    StorageSnapshot,
    StorageVolume,
    Subnet,
    Transition,
    VolumeMount,
)
from deltacloud_gateway.representations import documents, meta
from deltacloud_gateway.representations.documents import Document
from deltacloud_gateway.representations.shape import View

SHAPES = Path(__file__).parent / "shapes"
DRIVER = DriverInfo(
    id="zcloud",
    name="ZCloud",
    operations=frozenset(rpc for kind in ("compute", "storage") for rpc in catalogue.rpc_operations(kind)),
    features=(
        FeatureDeclaration(name="user_name", collection="instances", constraints={"max_length": "20"}),
        FeatureDeclaration(name="authentication_key", collection="instances"),
    ),
    providers=(
        ProviderInfo(id="east", entrypoints={"compute": "compute.east.example", "blob": "blob.east.example"}),
        ProviderInfo(id="west"),
    ),
    states=(
        InstanceState(name="start", transitions=(Transition(to="up", action="create"),)),
        InstanceState(name="up", transitions=(Transition(to="gone"),)),
        InstanceState(name="gone"),
    ),
)
VIEW = View(driver=DRIVER, base_url="http://dc.example:3001/api")

PROFILE = HardwareProfile(
    id="big",
    name="big",
    properties=(
        HardwareProperty(id="cpu", kind="fixed", value=2, unit="count"),
        HardwareProperty(id="memory", kind="range", value=2048.0, unit="MB", first=1024, last=8192),
        HardwareProperty(id="storage", kind="enum", value=20, unit="GB", entries=(20, 40)),
        HardwareProperty(id="root_type", kind="fixed", value="persistent"),
    ),
)
INSTANCE = Instance(
    id="i-9",
    name="web",
    owner_id="alice",
    image_id="i7",
    realm_id="r1",
    hardware_profile_id="big",
    hardware_overrides={"cpu": "2", "memory": "4096"},
    state="RUNNING",
    actions=("stop", "destroy"),
    can_create_image=True,
    launch_time="2020-01-01T10:00:00Z",
    public_addresses=(InstanceAddress(id="203.0.113.7"), InstanceAddress(id="203.0.113.9", type="vnc", port=5900)),
    private_addresses=(InstanceAddress(id="x", type="unavailable"),),
    firewalls=("f1", "f2"),
    storage_volumes=(VolumeMount(id="v1", device="/dev/sdx"),),
    network_interfaces=("n1",),
    authentication=Authentication(id="mykey"),
)
FIREWALL = Firewall(
    id="f1",
    name="front",
    description="<web>",
    owner_id="77",
    rules=(
        FirewallRule(
            id="R~1",
            allow_protocol="tcp",
            port_from="22",
            port_to="22",
            sources=(
                RuleSource(id="10.0.0.0", type="address", family="ipv4", prefix="8"),
                RuleSource(id="g1", type="group", owner="77"),
            ),
        ),
    ),
)
VOLUME = StorageVolume(
    id="v1",
    created="2020-01-01",
    state="IN-USE",
    capacity=10,
    kind="data",
    realm_id="r1",
    instance_id="i-9",
    device="/dev/sdx",
    actions=("detach", "destroy"),
)
BLOB = Blob(
    id="one",
    bucket_id="b1",
    content_length=11,
    content_type="text/plain",
    last_modified="2020-01-01 10:00:00 +0000",
    user_metadata={"colour": "red"},
)
SAMPLE = MetricSample(id="1577870000", minimum=0.1, maximum=0.9, average=0.5, unit="Percent")

RECORDS: dict[str, Record] = {
    "realm": Realm(id="r1", name="Room & 1", limit="12 servers"),
    "hardware_profile": PROFILE,
    "image": Image(id="i7", name="base", owner_id="alice", architecture="x86_64", hardware_profiles=("big",)),
    "instance": INSTANCE,
    "instance_bare": Instance(id="i-0", state="PENDING"),
    "command_output": CommandOutput(id="i-9", command="uptime", output="up <1> day", public_address="203.0.113.7"),
    "key": Key(id="k1", fingerprint="aa:bb", pem="-----BEGIN-----\nabc"),
    "key_password": Key(id="k2", credential_type="password", username="bob", password="p]]>w"),
    "metric": Metric(
        id="i-9",
        entity="web",
        properties=(MetricProperty(id="cpuUtilization", samples=(SAMPLE,)), MetricProperty(id="diskReadSector")),
    ),
    "address": Address(id="198.51.100.4"),
    "address_used": Address(id="198.51.100.5", instance_id="i-9"),
    "firewall": FIREWALL,
    "load_balancer": LoadBalancer(
        id="lb1",
        created_at="2020-01-01",
        realms=("r1",),
        listeners=(Listener(id="l1", protocol="HTTP", load_balancer_port=80, instance_port=8080),),
        instances=("i-9",),
        public_addresses=("lb1.example",),
    ),
    "network": Network(id="n1", name="lan", address_blocks=("10.0.0.0/8",), subnets=("s1",)),
    "subnet": Subnet(id="s1", name="s1", network_id="n1", address_block="10.1.0.0/16", type="PRIVATE"),
    "network_interface": NetworkInterface(
        id="e0", name="e0", instance_id="i-9", network_id="s1", ip_address="10.1.0.5"
    ),
    "storage_volume": VOLUME,
    "storage_volume_bare": StorageVolume(id="v2"),
    "storage_snapshot": StorageSnapshot(id="s1", created="2020-01-01", state="COMPLETED", storage_volume_id="v1"),
    "bucket": Bucket(id="b1", name="b1", size=2, blobs=("one", "two/2")),
    "blob": BLOB,
}
WHOLE: dict[str, Document] = {
    "firewalls": documents.many("firewalls", [FIREWALL], msgspec.structs.replace(VIEW, is_index=True)),
    "keys": documents.many("keys", [], VIEW),
    "drivers": meta.drivers([DRIVER], VIEW),
    "driver": meta.driver(DRIVER, VIEW),
    "states": meta.instance_states(DRIVER.states),
    "entry": meta.entry(VIEW, "east", {}),
}
DOCUMENTS = {**{name: documents.member(record, VIEW) for name, record in RECORDS.items()}, **WHOLE}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_record_s_xml_has_the_bytes_that_clients_know(name: str) -> None:
    written = DOCUMENTS[name].write("xml")

    assert isinstance(written, bytes)
    assert written.decode() == (SHAPES / f"{name}.xml").read_text()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_record_s_json_has_the_members_that_clients_know(name: str) -> None:
    assert read_json(DOCUMENTS[name]) == json.loads((SHAPES / f"{name}.json").read_text())


def test_every_record_of_the_catalogue_that_is_answered_over_http_is_among_them() -> None:
    answered = {each.record for each in catalogue.COLLECTIONS if each.service != "gateway"}

    assert answered <= {type(record) for record in RECORDS.values()}


def test_hardware_profiles_are_sorted_by_size_in_xml_alone() -> None:
    small = HardwareProfile(
        id="small",
        name="small",
        properties=(
            HardwareProperty(id="cpu", kind="fixed", value=1, unit="count"),
            HardwareProperty(id="memory", kind="fixed", value=613, unit="MB"),
        ),
    )
    listed = documents.many("hardware_profiles", [HardwareProfile(id="opaque", name="opaque"), PROFILE, small], VIEW)
    written = listed.write("xml")

    assert isinstance(written, bytes)
    assert [each.split("'")[0] for each in written.decode().split(" id='")[1:]] == ["small", "big", "opaque"]
    assert [each["id"] for each in read_json(listed)["hardware_profiles"]] == ["opaque", "big", "small"]


def test_links_offer_what_the_driver_has_and_nothing_else() -> None:
    view = View(driver=msgspec.structs.replace(DRIVER, operations=frozenset({"list_keys"})), base_url="http://h/api")

    written = documents.member(Key(id="k1"), view).write("xml")

    assert isinstance(written, bytes)
    assert b"<link" not in written


def test_a_driver_without_subnets_has_its_interfaces_in_networks() -> None:
    operations = DRIVER.operations - {"list_subnets"}
    view = View(driver=msgspec.structs.replace(DRIVER, operations=operations), base_url="http://h/api")

    written = documents.member(NetworkInterface(id="e0", network_id="n1"), view).write("xml")

    assert isinstance(written, bytes)
    assert b"<network href='http://h/api/networks/n1' id='n1' rel='network'>n1</network>" in written


def test_a_login_by_password_shows_user_and_password() -> None:
    features = (FeatureDeclaration(name="authentication_password", collection="instances"),)
    view = View(driver=msgspec.structs.replace(DRIVER, features=features), base_url="http://h/api")
    login = Authentication(id="", username="root", password="pw")

    document = documents.member(Instance(id="i", authentication=login), view)
    written = document.write("xml")

    assert isinstance(written, bytes)
    assert b"<authentication type='password'>\n    <login>\n      <username>root</username>" in written
    assert read_json(document)["instance"]["authentication"] == {"user": "root", "password": "pw"}
    assert "authentication_type" not in read_json(document)["instance"]


def test_the_state_machine_can_be_had_as_a_graph() -> None:
    graph = WHOLE["states"].write("gv")

    assert isinstance(graph, bytes)
    assert b'"start" -> "up" [label="create"];' in graph
    assert b'"up" -> "gone" [label="auto", style="dashed"];' in graph


def read_json(document: Document) -> Any:
    written = document.write("json")
    assert isinstance(written, bytes)
    return json.loads(written)
