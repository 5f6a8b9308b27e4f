"""The operator's providers file: what it means, and which line a mistake is on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deltacloud.providers.picture import ProviderEntry
from deltacloud_registry.providers_file import OperatorProviders, ProvidersFileError, read

DESIGNED = """\
providers:
  ec2:
    lab: {endpoint: "http://127.0.0.1:5555", region: us-east-1}       # every native service at one address
    corp: {endpoints: {ec2: "https://ec2.corp.example", s3: "https://s3.corp.example"}, region: corp-1,
           ca_file: corp.pem}
  openstack:
    lab: {endpoint: "http://127.0.0.1:5000/v3", region: RegionOne}
allow:                                                                 # URLs a client may name itself as a provider
  - "https://*.cloud.example:5000"
  - "http://10.20.0.0/16:8774"
"""


def certificate() -> tuple[str, str]:
    """Return a certificate and its private key as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Corp CA")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encodings = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return signed.public_bytes(serialization.Encoding.PEM).decode(), key.private_bytes(*encodings).decode()


def written(folder: Path, text: str) -> Path:
    path = folder / "providers.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def mistake(folder: Path, text: str) -> str:
    with pytest.raises(ProvidersFileError) as caught:
        read(written(folder, text))
    return str(caught.value).removeprefix(f"{folder}/providers.yaml:")


def test_the_designed_form_is_understood(tmp_path: Path) -> None:
    pem, _ = certificate()
    (tmp_path / "corp.pem").write_text(pem)
    found = read(written(tmp_path, DESIGNED))
    corp_endpoints = {"ec2": "https://ec2.corp.example", "s3": "https://s3.corp.example"}
    assert found == OperatorProviders(
        providers={
            "ec2": {
                "lab": ProviderEntry(name="lab", endpoint="http://127.0.0.1:5555", region="us-east-1"),
                "corp": ProviderEntry(name="corp", endpoints=corp_endpoints, region="corp-1", ca_pem=pem),
            },
            "openstack": {
                "lab": ProviderEntry(name="lab", endpoint="http://127.0.0.1:5000/v3", region="RegionOne"),
            },
        },
        allow=("https://*.cloud.example:5000", "http://10.20.0.0/16:8774"),
    )


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "providers: {}\n", "allow: []\n"])
def test_an_empty_file_lists_nothing(tmp_path: Path, text: str) -> None:
    assert read(written(tmp_path, text)) == OperatorProviders()


def test_names_and_values_are_taken_as_written_whatever_yaml_would_make_of_them(tmp_path: Path) -> None:
    text = "providers:\n  ec2:\n    no: {region: 1_000}\n    2024-01-01: {options: {strict: yes}}\n"
    assert read(written(tmp_path, text)).providers["ec2"] == {
        "no": ProviderEntry(name="no", region="1_000"),
        "2024-01-01": ProviderEntry(name="2024-01-01", options={"strict": "yes"}),
    }


def test_a_private_key_beside_the_certificate_does_not_leave_the_file(tmp_path: Path) -> None:
    pem, key = certificate()
    (tmp_path / "ca.pem").write_text(key + pem)
    entry = read(written(tmp_path, "providers: {ec2: {a: {ca_file: ca.pem}}}")).providers["ec2"]["a"]
    assert entry.ca_pem == pem


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- a\n", "1: the file must be a mapping"),
        ("providers:\n  ec2:\n    a: {endpoint: 'http://x'\n", "4: not YAML"),
        ("provider: {}\n", "1: the file has no 'provider'; it may have providers, allow"),
        ("allow: []\nproviders: {}\nallow: []\n", "3: the file has 'allow' twice"),
        ("providers: [ec2]\n", "1: providers must be a mapping"),
        ("providers:\n  ec2:\n", "2: providers of ec2 must be a mapping"),
        ("providers:\n  'e c2': {}\n", "2: a driver is named by"),
        ("providers:\n  ec2:\n    a/b: {region: x}\n", "3: a provider is named by"),
        ("providers:\n  ec2:\n    lab: {region: x}\n    LAB: {region: y}\n", "4: provider 'LAB' of ec2 is there twice"),
        ("providers:\n  ec2:\n    lab: {region: x}\n    lab: {region: y}\n", "4: providers of ec2 has 'lab' twice"),
        ("providers:\n  ec2:\n    lab: {}\n", "3: ec2/lab says nothing"),
        ("providers:\n  ec2:\n    lab: http://x\n", "3: ec2/lab must be a mapping"),
        (
            "providers:\n  ec2:\n    lab:\n      region: x\n      url: y\n",
            "5: ec2/lab has no 'url'; it may have endpoint",
        ),
        ("providers:\n  ec2:\n    lab:\n      endpoint: ftp://x\n", "4: ec2/lab: endpoint: only http and https"),
        ("providers:\n  ec2:\n    lab:\n      endpoint: x:5555\n", "4: ec2/lab: endpoint: it is not a URL"),
        ("providers:\n  ec2:\n    lab:\n      endpoint:\n", "4: ec2/lab: endpoint must be a text"),
        ("providers:\n  ec2:\n    lab:\n      endpoint: [x]\n", "4: ec2/lab: endpoint must be a text"),
        ("providers:\n  ec2:\n    lab:\n      endpoints: {s3: s3}\n", "4: ec2/lab: endpoint of s3: it is not a URL"),
        ("providers:\n  ec2:\n    lab:\n      endpoints: {}\n", "4: ec2/lab: endpoints names none"),
        ("providers:\n  ec2:\n    lab:\n      ca_file: no.pem\n", "4: ec2/lab: ca_file "),
        ("providers:\n  ec2:\n    lab:\n      ca_file: providers.yaml\n", "4: ec2/lab: ca_file "),
        ("providers:\n  ec2:\n    lab:\n      <<: {region: x}\n", "4: ec2/lab has no '<<'"),
        ("allow: https://x\n", "1: allow must be a list"),
        ("allow:\n  - https://x\n  - https://*\n", "3: allow: the last label"),
        ("allow:\n  - http://10.20.0.1/16\n", "2: allow: not an address or CIDR block"),
        ("allow:\n  - {a: b}\n", "2: allow must be a text"),
        ("allow:\n\t- x\n", "2: not YAML"),
        ("allow: *none\n", "1: not YAML"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_reason(tmp_path: Path, text: str, told: str) -> None:
    assert mistake(tmp_path, text).startswith(told)


def test_a_password_in_an_endpoint_is_refused_and_not_repeated(tmp_path: Path) -> None:
    told = mistake(tmp_path, "providers:\n  ec2:\n    lab: {endpoint: 'http://user:canary@host'}\n")
    assert "a user name has no place" in told
    assert "canary" not in told


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(ProvidersFileError, match="cannot be read: No such file"):
        read(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"allow: [\xff]")
    with pytest.raises(ProvidersFileError, match="not UTF-8"):
        read(tmp_path / "latin.yaml")


def test_depth_and_aliases_do_not_break_the_reader(tmp_path: Path) -> None:
    assert mistake(tmp_path, "[" * 5000).startswith("1: ")
    bomb = "a: &a [x,x]\nb: &b [*a,*a]\nproviders: {ec2: *b}\n"
    assert mistake(tmp_path, bomb).startswith("1: the file has no 'a'")
