"""moto's server in a process of its own: EC2, S3, ELB and CloudWatch on one port, for any AWS client."""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import requests

from harness import processes
from harness.ports import free_port

# Without these RunInstances takes any image and any key pair.
_STRICT = {"MOTO_ENABLE_AMI_VALIDATION": "true", "MOTO_ENABLE_KEYPAIR_VALIDATION": "true"}
_ALLOW_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


class Moto(msgspec.Struct, frozen=True, kw_only=True):
    """A running moto server and credentials it accepts."""

    endpoint: str
    access_key: str
    secret_key: str

    def __repr__(self) -> str:
        return f"<Moto {self.endpoint}>"

    def reset(self) -> None:
        """Forget everything ever created there, users included. Not on a server other tests are using."""
        _post(f"{self.endpoint}/moto-api/reset").raise_for_status()


@contextmanager
def running(log: Path) -> Iterator[Moto]:
    """Run a server that accepts any credentials. `log` receives its output."""
    with _serving(log, {}) as endpoint:
        yield Moto(endpoint=endpoint, access_key="AKIAIOSFODNN7TESTING", secret_key="any secret will do")


@contextmanager
def running_with_auth(log: Path) -> Iterator[Moto]:
    """Run a server that checks signatures and knows one user, who may do everything. Presigned S3 URLs fail there."""
    making = [
        {"Action": "CreateUser", "UserName": "tests"},
        {"Action": "PutUserPolicy", "UserName": "tests", "PolicyName": "all", "PolicyDocument": json.dumps(_ALLOW_ALL)},
        {"Action": "CreateAccessKey", "UserName": "tests"},
    ]
    with _serving(log, {"INITIAL_NO_AUTH_ACTION_COUNT": str(len(making))}) as endpoint:
        answers = [_iam(endpoint, call) for call in making]
        yield Moto(
            endpoint=endpoint,
            access_key=_element(answers[-1], "AccessKeyId"),
            secret_key=_element(answers[-1], "SecretAccessKey"),
        )


@contextmanager
def _serving(log: Path, env: dict[str, str]) -> Iterator[str]:
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    ready = processes.answers(f"{endpoint}/moto-api/data.json")
    with processes.start(command, log=log, env=_STRICT | env, until=ready):
        yield endpoint


def _iam(endpoint: str, call: dict[str, str]) -> str:
    """Make an IAM call before signatures are checked: the header only tells moto which service is meant."""
    scope = "AWS4-HMAC-SHA256 Credential=none/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=none"
    answer = _post(endpoint, call | {"Version": "2010-05-08"}, {"Authorization": scope})
    answer.raise_for_status()
    return answer.text


def _post(url: str, form: dict[str, str] | None = None, headers: dict[str, str] | None = None) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False  # a proxy in the environment is not for loopback
        return session.post(url, data=form, headers=headers, timeout=30)


def _element(document: str, name: str) -> str:
    found = re.search(f"<{name}>([^<]+)</{name}>", document)
    if found is None:
        raise RuntimeError(f"moto's answer has no {name}")
    return found[1]
