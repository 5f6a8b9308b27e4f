"""The vendor's own SDK as an independent client of the simulator, and the bare bytes where the SDK is too polite."""

from __future__ import annotations

import http.client
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from harness.waiting import wait_until
from simulators.ec2 import DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY

SESSION = boto3.Session(region_name="us-east-1")


def make_client(
    url: str,
    *,
    access_key: str = DEFAULT_ACCESS_KEY,
    secret: str = DEFAULT_SECRET_KEY,
    token: str | None = None,
    region: str = "us-east-1",
    attempts: int = 1,
    read_timeout_s: float = 20.0,
) -> Any:
    """Make an EC2 client that checks no parameters itself and tries ``attempts`` times."""
    settings: dict[str, Any] = {
        "retries": {"mode": "standard", "total_max_attempts": attempts},
        "read_timeout": read_timeout_s,
        "proxies": {},
        "parameter_validation": False,
        "ignore_configured_endpoint_urls": True,
    }
    return SESSION.client(
        "ec2",
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(**settings),
    )


def unknown_elements(element: ET.Element, shape: Any, path: str) -> Iterator[str]:
    """Give the elements of an answer that the vendor's model of the API does not have."""
    if shape.type_name == "list":
        for item in element:
            yield from unknown_elements(item, shape.member, f"{path}[]")
    elif shape.type_name == "structure":
        known = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        for child in element:
            name = child.tag.rpartition("}")[2]
            if name in known:
                yield from unknown_elements(child, known[name], f"{path}.{name}")
            elif name != "requestId":
                yield f"{path}.{name}"
    elif len(element):
        yield f"{path} is not a {shape.type_name}"


def refusal(call: Callable[..., object], **parameters: object) -> tuple[str, int]:
    """Make a call that must be refused, and give the code and the status of the error."""
    try:
        call(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    raise AssertionError("the call was not refused")


def image_of(ec2: Any, **filters: str) -> str:
    """Give the id of the first image the filters find; underscores stand for dashes."""
    wanted = [{"Name": name.replace("_", "-"), "Values": [value]} for name, value in filters.items()]
    found: str = ec2.describe_images(Filters=wanted)["Images"][0]["ImageId"]
    return found


def run(ec2: Any, **parameters: object) -> list[str]:
    """Order a machine of the usual kind, but for ``parameters``, and give the ids of those made."""
    wanted = {"MinCount": 1, "MaxCount": 1, "InstanceType": "t2.micro", **parameters}
    if "ImageId" not in wanted:
        wanted["ImageId"] = image_of(ec2, architecture="x86_64", root_device_type="ebs", owner_alias="amazon")
    return [instance["InstanceId"] for instance in ec2.run_instances(**wanted)["Instances"]]


def show(ec2: Any, instance_id: str) -> dict[str, Any]:
    """Give a machine as the API describes it."""
    answer: dict[str, Any] = ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
    return answer


def reach(ec2: Any, instance_id: str, state: str) -> None:
    """Wait until a machine is in a state."""
    wait_until(lambda: show(ec2, instance_id)["State"]["Name"] == state, f"{instance_id} to be {state}", every_s=0.01)


class SignedAt(SigV4Auth):
    """The vendor's signer with a clock that is wrong by ``off``."""

    off = timedelta(0)

    def _modify_request_before_signing(self, request: Any) -> None:
        request.context["timestamp"] = (datetime.now(UTC) + self.off).strftime("%Y%m%dT%H%M%SZ")
        # The hook is the SDK's own; its type stubs leave it out.
        cast("Any", super())._modify_request_before_signing(request)


def signed(url: str, parameters: dict[str, str], method: str = "POST", off: timedelta = timedelta(0)) -> AWSRequest:
    """Sign a request with the vendor's signer, as if its clock were wrong by ``off``."""
    form = urlencode({"Version": "2016-11-15", **parameters})
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    target = f"{url}/?{form}" if method == "GET" else f"{url}/"
    request = AWSRequest(method=method, url=target, headers=headers, data="" if method == "GET" else form)
    signer = SignedAt(Credentials(DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY), "ec2", "us-east-1")
    signer.off = off
    signer.add_auth(request)
    return request


def send(request: AWSRequest) -> tuple[int, str]:
    """Send bytes as they are and give the status and the error code, or the name of the answer."""
    parts = urlsplit(str(request.url))
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    try:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(str(request.method), target, request.data, dict(request.headers.items()))
        response = connection.getresponse()
        root = ET.fromstring(response.read())  # noqa: S314 - our own document
    finally:
        connection.close()
    code = root.find(".//Code")
    return response.status, root.tag.rpartition("}")[2] if code is None else str(code.text)
