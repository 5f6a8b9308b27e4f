"""The whole product in one process, with the mock cloud, S3 servers and a store that lies behind it."""

import sys
import uuid
from urllib.parse import quote

import botocore.session
import pytest
from botocore.config import Config

from harness import processes
from harness.blob_client import BlobClient
from harness.lying_store import lying_store
from harness.ports import free_port

S3 = {"X-Deltacloud-Driver": "ec2", "X-Deltacloud-Provider": "lab"}


@pytest.fixture(scope="session")
def liar():
    with lying_store() as store:
        yield store


@pytest.fixture(scope="session")
def product(moto, moto_with_auth, liar, tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("product"), free_port()
    (folder / "providers.yaml").write_text(
        "providers:\n  ec2:\n"
        f'    lab: {{endpoint: "{moto.endpoint}", region: us-east-1}}\n'
        f'    strict: {{endpoint: "{moto_with_auth.endpoint}", region: us-east-1}}\n'
        f'    liar: {{endpoint: "{liar.url}", region: us-east-1}}\n'
    )
    process = processes.start(
        [
            *(sys.executable, "-m", "deltacloudd"),
            *("--hostname", "127.0.0.1", "--port", str(port), "--providers", str(folder / "providers.yaml")),
        ],
        log=folder / "log",
        env={
            "DELTACLOUD_MOCK_STORAGE": str(folder / "mock"),
            "DELTACLOUD_BODY_TIMEOUT_S": "2",
            "DELTACLOUD_FORM_TIMEOUT_S": "4",
        },
        until=processes.answers(f"http://127.0.0.1:{port}/api"),
    )
    with process:
        process.port, process.folder = port, folder
        yield process


class Cloud:
    """A bucket of a test's own in one of the clouds."""

    def __init__(self, name, client, leftovers):
        self.name = name
        self.client = client
        self.leftovers = leftovers
        self.bucket = f"b-{uuid.uuid4().hex}"

    def path(self, blob, *more):
        return "/".join((self.bucket, quote(blob, safe=""), *more))

    def put(self, blob, body, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.ask("PUT", self.path(blob), body, named)

    def content(self, blob, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.ask("GET", self.path(blob, "content"), headers=named)

    def exists(self, blob):
        return self.client.ask("GET", self.path(blob)).status == 200


@pytest.fixture
def mock(product):
    return Cloud("mock", BlobClient(product.port, "mockuser", "mockpassword"), _mock_leftovers(product))


@pytest.fixture
def s3(product, moto):
    cloud = Cloud("s3", BlobClient(product.port, moto.access_key, moto.secret_key, S3), None)
    cloud.leftovers = lambda: _native(moto).list_multipart_uploads(Bucket=cloud.bucket).get("Uploads", [])
    return cloud


@pytest.fixture(params=["mock", "s3"])
def cloud(request):
    chosen = request.getfixturevalue(request.param)
    made = chosen.client.ask(
        "POST", "", f"name={chosen.bucket}".encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert made.status == 201
    return chosen


def _mock_leftovers(product):
    def leftovers():
        folders = (product.folder / "mock" / name for name in ("parts", "incoming"))
        return [each for folder in folders if folder.is_dir() for each in folder.iterdir()]

    return leftovers


def _native(moto):
    return botocore.session.Session().create_client(
        "s3",
        region_name="us-east-1",
        endpoint_url=moto.endpoint,
        aws_access_key_id=moto.access_key,
        aws_secret_access_key=moto.secret_key,
        config=Config(proxies={}),
    )


@pytest.fixture
def lying(product, liar):
    liar.heads.clear()
    liar.sent = 0
    liar.ended.clear()
    return BlobClient(product.port, "AKIA", "secret", {**S3, "X-Deltacloud-Provider": "liar"})


@pytest.fixture
def strict(product, moto_with_auth):
    """Return a cloud whose keys are checked, and a client with a wrong secret."""
    headers = {**S3, "X-Deltacloud-Provider": "strict"}
    right = BlobClient(product.port, moto_with_auth.access_key, moto_with_auth.secret_key, headers)
    wrong = BlobClient(product.port, moto_with_auth.access_key, "canary-secret", headers)
    return Cloud("s3", right, None), wrong
