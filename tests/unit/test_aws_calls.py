"""What all AWS drivers share: keys, regions, signing, time, errors."""

import time
from threading import Thread

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.utils import parse_timestamp

from deltacloud.drivers import Credentials, ProviderTarget, Session, SessionCache, aws
from deltacloud.drivers.aws import calls
from deltacloud.drivers.aws.errors import aws_error
from deltacloud.errors import (
    AuthenticationFailed,
    Conflict,
    DeadlineExceeded,
    Forbidden,
    InvalidParameters,
    NotFound,
    OutcomeUnknown,
    PreconditionFailed,
    ProviderError,
    ProviderTimeout,
    Throttled,
    Unavailable,
)
from deltacloud.metrics import NATIVE_CALLS
from deltacloud.rpc.deadline import Deadline
from harness.embedded import serving

SECRET = "canary/secret+key"


def _session(endpoint=None, *, user="AKIATEST", password=SECRET, deadline_s=20.0, cache=None, **target):
    return Session(
        driver="ec2",
        provider=ProviderTarget(name="lab", endpoint=endpoint, **target),
        credentials=Credentials(user, password),
        deadline=Deadline.after(deadline_s),
        cache=SessionCache() if cache is None else cache,
    )


class Cloud:
    """An HTTP server that answers each request with the next of its answers, the last one for ever."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []

    def __call__(self, environ, start_response):
        self.requests.append({name: value for name, value in environ.items() if isinstance(value, str)})
        status, headers, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [body]


def _s3_error(code, status="400 Bad Request", message="no"):
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
    return status, [("Content-Type", "application/xml")], body


EMPTY = ("200 OK", [], b"<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>")


def _list_buckets(session):
    with aws.calling(session, "s3") as s3:
        return s3.list_buckets()


def test_keys_are_the_user_name_and_the_password():
    assert aws.read_keys(Credentials("AKIA", "secret")) == aws.Keys("AKIA", "secret", None)


def test_a_session_token_is_what_follows_the_first_plus_of_the_user_name():
    assert aws.read_keys(Credentials("ASIA+to+ken/=", "secret")) == aws.Keys("ASIA", "secret", "to+ken/=")


@pytest.mark.parametrize(
    ("user", "password"),
    [("", "x"), ("x", ""), ("a\nb", "x"), ("x", "a\r\nHost: evil"), ("ü", "x"), ("x", " y"), ("x+", "y"), ("x+ü", "y")],
)
def test_malformed_keys_are_refused_before_any_call(user, password):
    with serving(cloud := Cloud(EMPTY)) as url, pytest.raises(AuthenticationFailed):
        _list_buckets(_session(url, user=user, password=password))

    assert cloud.requests == []


def test_no_text_about_keys_shows_them():
    keys = aws.read_keys(Credentials("AKIATEST+token", SECRET))

    assert not any(part in repr(keys) for part in ("AKIATEST", SECRET, "token"))
    assert keys.redact(f"a {SECRET} b token c AKIATEST") == "a … b … c …"


def test_the_providers_are_the_regions_that_the_sdk_knows():
    session = botocore.session.Session()
    known = {
        region
        for partition in ("aws", "aws-cn", "aws-us-gov")
        for region in session.get_available_regions("ec2", partition)
    }

    assert {provider.id for provider in aws.providers()} == set(aws.REGIONS)
    assert set(aws.REGIONS) == known


def test_a_region_of_a_provider_is_its_own_then_its_name_then_the_default():
    assert aws.region_of(ProviderTarget(name="corp", region="corp-1")) == "corp-1"
    assert aws.region_of(ProviderTarget(name="EU-West-1")) == "eu-west-1"
    assert aws.region_of(ProviderTarget(name="https://s3.example")) == aws.DEFAULT_REGION


def test_a_signed_request_is_not_sent_and_holds_the_signature_in_its_headers():
    with serving(cloud := Cloud(EMPTY)) as url:
        signed = aws.signing(
            _session(url, user="ASIA+tok"), "s3", "get_object", {"Bucket": "b", "Key": "a b/%+ü~/../x"}
        )

    assert cloud.requests == []
    assert signed.url == f"{url}/b/a%20b/%25%2B%C3%BC~/../x"
    assert signed.headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=ASIA/")
    assert signed.headers["X-Amz-Security-Token"] == "tok"
    assert SECRET not in str(signed.headers)
    assert "AWS4" not in repr(signed)


def test_on_aws_itself_a_bucket_is_part_of_the_host_unless_it_has_dots():
    session = _session(None, region="eu-west-1")
    plain = aws.signing(session, "s3", "get_object", {"Bucket": "plain", "Key": "k"})
    dotted = aws.signing(session, "s3", "get_object", {"Bucket": "do.tted", "Key": "k"})

    assert plain.url == "https://plain.s3.eu-west-1.amazonaws.com/k"
    assert dotted.url == "https://s3.eu-west-1.amazonaws.com/do.tted/k"


def test_nothing_of_the_environment_or_of_files_changes_a_call(monkeypatch, tmp_path):
    config = tmp_path / "config"
    config.write_text("[default]\nregion = xx-file-1\naws_access_key_id = FILE\naws_secret_access_key = file\n")
    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
        "AWS_PROFILE": "nobody",
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(config),
        "AWS_ACCESS_KEY_ID": "ENVKEY",
        "AWS_SECRET_ACCESS_KEY": "env",
        "AWS_DEFAULT_REGION": "xx-env-1",
        "AWS_CA_BUNDLE": "/nowhere",
        "REQUESTS_CA_BUNDLE": "/nowhere",
        "AWS_MAX_ATTEMPTS": "9",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    from deltacloud.drivers.aws import calls  # noqa: PLC0415

    calls._shared_session.cache_clear()
    with serving(cloud := Cloud(EMPTY)) as url:
        _list_buckets(_session(url, region="eu-west-1"))

    [request] = cloud.requests
    assert "Credential=AKIATEST/" in request["HTTP_AUTHORIZATION"]
    assert "/eu-west-1/s3/" in request["HTTP_AUTHORIZATION"]


def test_one_client_serves_all_callers_each_with_their_own_keys():
    cache = SessionCache()
    with serving(cloud := Cloud(EMPTY)) as url:
        threads = [
            Thread(target=_list_buckets, args=(_session(url, user=f"AKIA{number}", cache=cache),))
            for number in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    used = {request["HTTP_AUTHORIZATION"].split("Credential=")[1].split("/")[0] for request in cloud.requests}
    assert used == {f"AKIA{number}" for number in range(8)}
    assert len(cache) == 1


def test_each_request_to_the_cloud_is_counted_and_signing_is_not():
    def counted(call):
        return NATIVE_CALLS.labels("ec2", call)._value.get()

    before = counted("ListBuckets"), counted("GetObject")
    with serving(Cloud(EMPTY)) as url:
        _list_buckets(_session(url))
        aws.signing(_session(url), "s3", "get_object", {"Bucket": "b", "Key": "k"})

    assert (counted("ListBuckets") - before[0], counted("GetObject") - before[1]) == (1, 0)


def test_a_throttled_call_is_tried_again():
    with serving(cloud := Cloud(_s3_error("SlowDown", "503 Slow Down"), EMPTY)) as url:
        _list_buckets(_session(url))

    assert len(cloud.requests) == 2


@pytest.mark.parametrize(("said", "heard_s"), [("7", 7.0), ("86400", 3600.0), ("\xb2", 2.0), ("soon", 2.0)])
def test_a_call_that_stays_throttled_says_when_to_come_back(said, heard_s):
    status, headers, body = _s3_error("SlowDown", "503 Slow Down")
    with (
        serving(cloud := Cloud((status, [*headers, ("Retry-After", said)], body))) as url,
        pytest.raises(Throttled) as caught,
    ):
        _list_buckets(_session(url))

    assert caught.value.retry_after_s == heard_s
    assert 2 <= len(cloud.requests) <= 3


def test_a_cloud_that_hangs_is_left_at_the_deadline():
    def hangs(_, start_response):
        time.sleep(5)
        start_response("200 OK", [])
        return []

    begin = time.monotonic()
    with serving(hangs) as url, pytest.raises((ProviderTimeout, DeadlineExceeded)):
        _list_buckets(_session(url, deadline_s=1.0))
    assert time.monotonic() - begin < 4


def test_a_cloud_that_trickles_is_left_at_the_deadline():
    def trickles(_, start_response):
        start_response("200 OK", [("Content-Length", "1000")])
        for _ in range(100):
            time.sleep(0.1)
            yield b" "

    begin = time.monotonic()
    with serving(trickles) as url, pytest.raises((ProviderTimeout, DeadlineExceeded)):
        _list_buckets(_session(url, deadline_s=1.0))
    assert time.monotonic() - begin < 4


def test_a_create_without_an_answer_is_not_sent_again():
    calls = []

    def hangs(environ, start_response):
        calls.append(environ["REQUEST_METHOD"])
        time.sleep(2)
        start_response("200 OK", [])
        return []

    with (
        serving(hangs) as url,
        pytest.raises(OutcomeUnknown),
        aws.calling(_session(url, deadline_s=1.0), "s3") as s3,
    ):
        s3.create_bucket(Bucket="abc")

    assert len(calls) == 1


@pytest.mark.parametrize(
    "answer",
    [
        ("200 OK", [("Content-Type", "text/html")], b"<html><body>not S3"),
        ("502 Bad Gateway", [("Content-Type", "text/html")], b"<html>bad gateway</html>"),
        ("500 Internal Server Error", [], b""),
    ],
)
def test_what_is_not_the_clouds_protocol_is_the_providers_error(answer):
    with serving(Cloud(answer)) as url, pytest.raises(ProviderError):
        _list_buckets(_session(url))


def test_a_redirect_is_not_followed():
    with serving(elsewhere := Cloud(EMPTY)) as other:
        answer = ("307 Temporary Redirect", [("Location", f"{other}/")], b"")
        with serving(Cloud(answer)) as url, pytest.raises((ProviderError, InvalidParameters)):
            _list_buckets(_session(url))

    assert elsewhere.requests == []


def test_a_provider_that_nobody_serves_is_the_providers_error():
    with serving(Cloud(EMPTY)) as url:
        pass
    with pytest.raises(ProviderError):
        _list_buckets(_session(url))


def test_a_client_named_provider_is_reached_at_its_checked_address_under_its_own_name():
    with serving(cloud := Cloud(EMPTY)) as url:
        port = url.rpartition(":")[2]
        named = f"http://s3.unresolvable.example:{port}"
        _list_buckets(_session(named, is_trusted=False, addresses={"s3.unresolvable.example": ("127.0.0.1",)}))

    assert cloud.requests[0]["HTTP_HOST"] == f"s3.unresolvable.example:{port}"


def test_a_client_named_provider_is_never_reached_at_another_address():
    with serving(cloud := Cloud(EMPTY)) as url, pytest.raises(ProviderError):
        _list_buckets(_session(url, is_trusted=False, addresses={"other.example": ("127.0.0.1",)}))

    assert cloud.requests == []


def test_no_error_repeats_the_keys():
    answer = _s3_error("SignatureDoesNotMatch", "403 Forbidden", f"your secret {SECRET} of AKIATEST is wrong")
    with serving(Cloud(answer)) as url, pytest.raises(AuthenticationFailed) as caught:
        _list_buckets(_session(url))

    assert SECRET not in str(caught.value)
    assert "AKIATEST" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("AuthFailure", AuthenticationFailed),
        ("InvalidAccessKeyId", AuthenticationFailed),
        ("ExpiredToken", AuthenticationFailed),
        ("RequestTimeTooSkewed", AuthenticationFailed),
        ("UnauthorizedOperation", Forbidden),
        ("AccessDenied", Forbidden),
        ("InstanceLimitExceeded", Forbidden),
        ("RequestLimitExceeded", Throttled),
        ("Throttling", Throttled),
        ("TooManyBuckets", Forbidden),
        ("InvalidInstanceID.NotFound", NotFound),
        ("InvalidInstanceID.Malformed", InvalidParameters),
        ("InvalidAMIID.NotFound", NotFound),
        ("LoadBalancerNotFound", NotFound),
        ("NoSuchBucket", NotFound),
        ("404", NotFound),
        ("InvalidParameterValue", InvalidParameters),
        ("MissingParameter", InvalidParameters),
        ("IncorrectInstanceState", Conflict),
        ("DependencyViolation", Conflict),
        ("InvalidKeyPair.Duplicate", Conflict),
        ("IdempotentParameterMismatch", Conflict),
        ("BucketNotEmpty", Conflict),
        ("BucketAlreadyExists", Conflict),
        ("InvalidSnapshot.InUse", Conflict),
        ("PreconditionFailed", PreconditionFailed),
        ("InsufficientInstanceCapacity", Unavailable),
        ("InternalError", ProviderError),
        ("502", ProviderError),
        ("NobodyKnowsThis", ProviderError),
    ],
)
def test_a_code_of_the_cloud_has_one_meaning(code, error):
    native = ClientError({"Error": {"Code": code, "Message": "why"}, "ResponseMetadata": {}}, "Call")

    assert type(aws_error(native)) is error


def test_an_unknown_code_is_told_by_its_status():
    metadata = {"HTTPStatusCode": 403}
    native = ClientError({"Error": {"Code": "Novel", "Message": "why"}, "ResponseMetadata": metadata}, "Call")

    assert type(aws_error(native)) is Forbidden


def test_a_value_the_sdk_refuses_is_named_without_being_repeated():
    with serving(Cloud(EMPTY)) as url, pytest.raises(InvalidParameters) as caught:
        aws.signing(_session(url), "s3", "get_object", {"Bucket": "b", "Key": ""})

    assert "Key" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["2026-11-25T01:02:03.000Z", "2026-11-25T01:02:03Z", "Wed, 25 Nov 2026 01:02:03 GMT", 1764032523, "1764032523"],
)
def test_a_time_of_any_form_is_the_moment_botocore_reads(text):
    assert calls._moment(text) == parse_timestamp(text)
