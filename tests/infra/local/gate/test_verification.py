"""Signatures: those of AWS's own documentation, and every part that one covers."""

import io
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials

from longspan.infra.local.control.clients import Credentials
from longspan.infra.local.gate.http_request import HttpRequest
from longspan.infra.local.gate.keys import KeyRing
from longspan.infra.local.gate.refusals import RequestRefused
from longspan.infra.local.gate.verification import verify

# https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
KEY = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
SCOPE = f"{KEY.key}/20130524/us-east-1/s3/aws4_request"
HOST = "examplebucket.s3.amazonaws.com"
THEN = datetime(2013, 5, 24, tzinfo=UTC)
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def request(method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> HttpRequest:
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "RAW_URI": target,
        "PATH_INFO": unquote(path),
        "QUERY_STRING": query,
        "wsgi.input": io.BytesIO(body),
        "CONTENT_LENGTH": str(len(body)),
    }
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        plain = key in ("CONTENT_TYPE", "CONTENT_LENGTH")
        environ[key if plain else f"HTTP_{key}"] = value
    return HttpRequest.of(environ)


def keys(*known: Credentials) -> KeyRing:
    return KeyRing({one.key: one for one in known}.get)


def check(given: HttpRequest, now: datetime = THEN, key: Credentials = KEY) -> None:
    verify(given, keys(key), "", now)


def refusal(given: HttpRequest, now: datetime = THEN, key: Credentials = KEY) -> str:
    with pytest.raises(RequestRefused) as caught:
        check(given, now, key)
    return caught.value.code.s3


def authorization(signed: str, signature: str) -> str:
    return f"AWS4-HMAC-SHA256 Credential={SCOPE},SignedHeaders={signed},Signature={signature}"


GET = {
    "Host": HOST,
    "Range": "bytes=0-9",
    "X-Amz-Content-Sha256": EMPTY,
    "X-Amz-Date": "20130524T000000Z",
    "Authorization": authorization(
        "host;range;x-amz-content-sha256;x-amz-date",
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    ),
}
LINK = (
    "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
    f"{SCOPE.replace('/', '%2F')}&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400"
    "&X-Amz-SignedHeaders=host&X-Amz-Signature="
    "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
)


def test_the_examples_of_the_documentation_are_valid() -> None:
    check(request("GET", "/test.txt", GET))
    lists = authorization(
        "host;x-amz-content-sha256;x-amz-date",
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    )
    headers = {name: GET[name] for name in ("Host", "X-Amz-Content-Sha256", "X-Amz-Date")}
    check(request("GET", "/?max-keys=2&prefix=J", {**headers, "Authorization": lists}))
    check(request("GET", LINK, {"Host": HOST}), THEN + timedelta(hours=23))


@pytest.mark.parametrize(
    ("method", "target", "changed", "code"),
    [
        ("PUT", "/test.txt", {}, "SignatureDoesNotMatch"),
        ("GET", "/other.txt", {}, "SignatureDoesNotMatch"),
        ("GET", "/test.txt?acl", {}, "SignatureDoesNotMatch"),
        ("GET", "/test.txt", {"Host": "other"}, "SignatureDoesNotMatch"),
        ("GET", "/test.txt", {"Range": "bytes=0-8"}, "SignatureDoesNotMatch"),
        ("GET", "/test.txt", {"X-Amz-Acl": "public-read"}, "AccessDenied"),
        ("GET", "/test.txt", {"X-Amz-Security-Token": "t"}, "InvalidToken"),
        ("GET", "/test.txt", {"X-Amz-Date": "20130524T000001Z"}, "SignatureDoesNotMatch"),
        ("GET", "/test.txt", {"X-Amz-Date": "20130523T235959Z"}, "SignatureDoesNotMatch"),
        ("GET", "/test.txt", {"X-Amz-Content-Sha256": "0" * 64}, "SignatureDoesNotMatch"),
        ("GET", "/test.txt", {"Authorization": "AWS a:b"}, "SignatureDoesNotMatch"),
        ("GET", "/test.txt", {"Authorization": ""}, "SignatureDoesNotMatch"),
        ("GET", "/test.txt", {"Authorization": "Bearer x"}, "SignatureDoesNotMatch"),
        ("GET", LINK.replace("86400", "86401"), {}, "SignatureDoesNotMatch"),
    ],
)
def test_every_part_is_covered(
    method: str, target: str, changed: Mapping[str, str], code: str
) -> None:
    headers = {"Host": HOST} if "?X-Amz" in target else {**GET, **changed}
    assert refusal(request(method, target, headers)) == code


def test_a_signature_needs_its_parts() -> None:
    whole = GET["Authorization"]
    for part in (SCOPE, "Signature", "SignedHeaders", "Credential", "host;", "us-east-1"):
        headers = {**GET, "Authorization": whole.replace(part, "")}
        assert refusal(request("GET", "/test.txt", headers)) in (
            "SignatureDoesNotMatch",
            "AccessDenied",
        )
    outside = whole.replace("us-east-1", "..")  # regions become names of folders
    assert refusal(request("GET", "/test.txt", {**GET, "Authorization": outside})) == (
        "SignatureDoesNotMatch"
    )


@pytest.mark.parametrize(
    ("minutes", "code"), [(-16, "RequestTimeTooSkewed"), (16, "RequestTimeTooSkewed")]
)
def test_a_request_is_new(minutes: int, code: str) -> None:
    given = request("GET", "/test.txt", GET)
    assert refusal(given, THEN + timedelta(minutes=minutes)) == code
    check(given, THEN + timedelta(minutes=minutes // 4))


def test_a_link_ends() -> None:
    given = request("GET", LINK, {"Host": HOST})
    assert refusal(given, THEN + timedelta(days=1, seconds=1)) == "AccessDenied"
    for wrong in ("0", "604801", "-1", "x"):
        longer = request("GET", LINK.replace("86400", wrong), {"Host": HOST})
        assert refusal(longer) == "AccessDenied"


def test_the_key_must_be_known_and_its_secret_right() -> None:
    given = request("GET", "/test.txt", GET)
    assert refusal(given, key=Credentials("AKIAOTHER", KEY.secret)) == "InvalidAccessKeyId"
    assert refusal(given, key=Credentials(KEY.key, "x")) == "SignatureDoesNotMatch"
    assert refusal(given, key=Credentials(KEY.key, KEY.secret, "token")) == "InvalidToken"
    assert refusal(request("GET", "/test.txt", {"Host": HOST})) == "AccessDenied"


# https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
CHUNKED = {
    "Host": "s3.amazonaws.com",
    "X-Amz-Date": "20130524T000000Z",
    "X-Amz-Storage-Class": "REDUCED_REDUNDANCY",
    "X-Amz-Content-Sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "Content-Encoding": "aws-chunked",
    "X-Amz-Decoded-Content-Length": "66560",
    "Content-Length": "66824",
    "Authorization": authorization(
        "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;"
        "x-amz-decoded-content-length;x-amz-storage-class",
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    ),
}
BODY = b"".join(
    b"%x;chunk-signature=%s\r\n%s\r\n" % (length, signature, b"a" * length)
    for length, signature in (
        (65536, b"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
        (1024, b"0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
        (0, b"b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
    )
)
PLACE = "/examplebucket/chunkObject.txt"


def test_chunks_are_signed_one_by_one() -> None:
    assert len(BODY) == 66824
    given = request("PUT", PLACE, CHUNKED, BODY)
    check(given)
    assert given.environ["wsgi.input"].read() == BODY


@pytest.mark.parametrize(
    "body",
    [
        BODY.replace(b"a" * 1024 + b"\r\n0", b"a" * 1023 + b"b\r\n0"),
        BODY[:-88],  # without the last, empty chunk
        BODY.replace(b"b6c6", b"b6c7"),
        BODY.replace(b"chunk-signature", b"chunk-signature-"),
        BODY.replace(b"400;", b"-400;"),
        BODY.replace(b"400;", b"fffffffff;"),
        BODY.replace(b"400;", b"x;"),
        b"",
    ],
)
def test_a_changed_chunk_is_refused(body: bytes) -> None:
    # The length is signed too, and stays as it was.
    given = request("PUT", PLACE, CHUNKED, body + b" " * (66824 - len(body)))
    assert refusal(given) == "SignatureDoesNotMatch"


@pytest.mark.parametrize("service", ["sagemaker", "lambda", "s3"])
@pytest.mark.parametrize(
    ("target", "body"),
    [
        ("/", b"{}"),
        ("/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Aa/invocations?b=2&a=%20", b""),
        ("/a//b/../c%2Fd/?x=y&x=%C3%BC&empty=", b"\xff\x00"),
    ],
)
def test_it_agrees_with_botocore(service: str, target: str, body: bytes) -> None:
    if service == "s3" and ".." in target:
        target = target.replace("%2F", "/")  # S3 does not tell it from a slash
    url = f"http://127.0.0.1:5000{target}"
    made = AWSRequest("POST", url, {"X-Amz-Target": "a  b", "Host": "127.0.0.1:5000"}, body)
    signer = SigV4Auth(BotoCredentials(KEY.key, KEY.secret, "token"), service, "eu-west-1")
    if service == "s3":
        signer._normalize_url_path = lambda path: path
    signer.add_auth(made)
    session = Credentials(KEY.key, KEY.secret, "token")
    now = datetime.now(UTC)
    check(request("POST", target, dict(made.headers.items()), body), now, session)
    changed = request("POST", target, dict(made.headers.items()), body + b" ")
    assert refusal(changed, now, session) == "SignatureDoesNotMatch"
