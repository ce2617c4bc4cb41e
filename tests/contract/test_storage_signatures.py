"""Signed URLs made by the real client open, or take, exactly what they were signed for, as long as they were."""

import base64
import hashlib
import time
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree as ET

import pytest

from local.keys import ensure_key, load_keys
from local.storage import StorageServer
from tests.contract.storage_clients import DATA, NAME, Signer, call, refusal, signer_for


def test_a_signed_url_opens_the_object(signer: Signer) -> None:
    """All of it, its head, a part of it; what does not exist is told to those who may know."""
    response = call("GET", signer.url())
    assert (response.status_code, response.content) == (200, DATA)
    assert response.headers["Content-Type"] == "image/jpeg"
    assert response.headers["x-goog-meta-prompt"] == "x"
    digest = hashlib.md5(DATA, usedforsecurity=False).digest()
    assert base64.b64encode(digest).decode() in response.headers["x-goog-hash"]
    head = call("HEAD", signer.url(method="HEAD"))
    assert (head.headers["Content-Length"], head.content) == (str(len(DATA)), b"")
    part = call("GET", signer.url(), headers={"Range": "bytes=-3"})
    assert (part.status_code, part.content, part.headers["Content-Range"]) == (206, DATA[-3:], "bytes 7-9/10")
    assert refusal(call("GET", signer.url("missing"))) == (404, "NoSuchKey")


def test_without_a_signature_nothing_opens(storage: StorageServer, signer: Signer) -> None:
    """Private means private, for what exists and for what does not, and nothing is written or deleted."""
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        for name in (NAME, "missing"):
            response = call(method, f"{signer.server}/results/{quote(name)}", data=b"x" if method == "PUT" else None)
            assert response.status_code == 403
    assert refusal(call("GET", f"{signer.server}/results/{quote(NAME)}")) == (403, "AccessDenied")
    assert storage.objects("results") == [NAME]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (quote(NAME), "other"),
        ("/results/", "/uploads/"),
        ("X-Goog-Expires=600", "X-Goog-Expires=6000"),
        ("gserviceaccount.com%2F", "gserviceaccount.com%2F2"),
        ("X-Goog-SignedHeaders=host", "X-Goog-SignedHeaders=host%3Baccept"),
        ("X-Goog-Signature=", "added=1&X-Goog-Signature="),
        ("X-Goog-Signature=", "X-Goog-Signature=00"),
        ("127.0.0.1", "localhost"),
    ],
)
def test_a_changed_url_does_not_open(storage: StorageServer, signer: Signer, before: str, after: str) -> None:
    storage.put("results", "other", b"somebody else's")
    storage.put("uploads", NAME, b"somebody else's")
    assert before in signer.url()
    response = call("GET", signer.url().replace(before, after, 1))
    assert response.status_code in {400, 403}
    assert b"somebody else's" not in response.content
    assert DATA not in response.content


def test_the_answer_to_a_changed_url_shows_what_should_have_been_signed(signer: Signer) -> None:
    response = call("GET", signer.url() + "&more=1")
    assert refusal(response) == (403, "SignatureDoesNotMatch")
    tree = ET.fromstring(response.content)  # noqa: S314  # our own
    assert (tree.findtext("CanonicalRequest") or "").splitlines()[0] == "GET"
    assert (tree.findtext("StringToSign") or "").startswith("GOOG4-RSA-SHA256\n")


@pytest.mark.parametrize("missing", ["Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"])
def test_a_url_without_one_of_its_parameters_does_not_open(signer: Signer, missing: str) -> None:
    head, _, query = signer.url().partition("?")
    kept = [pair for pair in query.split("&") if not pair.startswith(f"X-Goog-{missing}=")]
    response = call("GET", f"{head}?{'&'.join(kept)}")
    expected = (403, "AccessDenied") if missing == "Signature" else (400, "MalformedSecurityHeader")
    assert refusal(response) == expected


@pytest.mark.parametrize("signed", ["GET", "PUT", "DELETE", "HEAD"])
@pytest.mark.parametrize("sent", ["GET", "PUT", "DELETE", "HEAD"])
def test_a_url_answers_only_the_verb_it_was_signed_for(
    storage: StorageServer, signer: Signer, signed: str, sent: str
) -> None:
    response = call(sent, signer.url(method=signed), data=b"new" if sent == "PUT" else None)
    assert (response.status_code < 300) == (signed == sent)
    if signed != sent:
        assert response.status_code == 403
        assert storage.read("results", NAME) == DATA


def test_another_account_or_key_does_not_open(storage: StorageServer, signer: Signer, tmp_path: Path) -> None:
    """A stranger's own key is unknown; a stranger's key under our account's name does not match."""
    for email, expected in (
        ("stranger@elsewhere.iam.gserviceaccount.com", "InvalidSecurity"),
        (signer.credentials.signer_email, "SignatureDoesNotMatch"),
    ):
        key = ensure_key(tmp_path / f"{expected}.json", email=email)
        for stranger in signer_for(storage, key):
            assert refusal(call("GET", stranger.url())) == (403, expected)


def test_the_signer_chooses_type_and_file_name_of_a_download(signer: Signer) -> None:
    disposition = 'attachment; filename="a b.jpg"'
    url = signer.url(response_type="application/octet-stream", response_disposition=disposition)
    response = call("GET", url)
    assert (response.headers["Content-Type"], response.content) == ("application/octet-stream", DATA)
    assert response.headers["Content-Disposition"] == disposition


@pytest.mark.parametrize(
    "path", ["/storage/v1/b/results/iam", "/batch/storage/v1", "/storage/v1/b/results/o/x/acl", "/"]
)
def test_what_is_not_played_is_named(storage: StorageServer, path: str) -> None:
    """So that code which needs more of Cloud Storage fails here with the reason, and never by a guess."""
    response = call("GET", storage.url + path)
    assert response.status_code == 404
    assert f"does not play GET {path}" in response.text


@pytest.mark.parametrize(
    ("later", "expected"), [(-16 * 60, 400), (-14 * 60, 200), (0, 200), (590, 200), (610, 400), (10**8, 400)]
)
def test_a_url_opens_from_its_date_to_its_end(tmp_path: Path, storage_key: Path, later: int, expected: int) -> None:
    """By the server's clock."""
    keys = load_keys([storage_key])
    with StorageServer(tmp_path, keys=keys, buckets=["results"], clock=lambda: time.time() + later) as server:
        server.put("results", NAME, DATA)
        (response,) = [call("GET", timed.url(minutes=10)) for timed in signer_for(server, storage_key)]
    assert response.status_code == expected
    if later > 600:
        assert refusal(response) == (400, "ExpiredToken")
        assert b"Request signature expired at: 20" in response.content


def test_a_week_is_the_longest(signer: Signer) -> None:
    assert call("GET", signer.url(minutes=7 * 24 * 60)).status_code == 200
    longer = signer.url(minutes=7 * 24 * 60).replace("Expires=604800", "Expires=604801")
    assert refusal(call("GET", longer)) == (400, "MalformedSecurityHeader")


def test_a_signed_header_must_come_and_be_the_same(storage: StorageServer, signer: Signer) -> None:
    url = signer.url("upload", method="PUT", content_type="image/png")
    assert refusal(call("PUT", url, data=b"x")) == (400, "MalformedSecurityHeader")
    other = call("PUT", url, data=b"x", headers={"Content-Type": "text/html"})
    assert refusal(other) == (403, "SignatureDoesNotMatch")
    assert call("PUT", url, data=b"x", headers={"Content-Type": "image/png"}).status_code == 200
    assert storage.object("results", "upload").attribute("contentType") == "image/png"


def test_an_extension_header_that_was_not_signed_is_refused(storage: StorageServer, signer: Signer) -> None:
    url = signer.url("upload", method="PUT")
    response = call("PUT", url, data=b"x", headers={"x-goog-meta-prompt": "smuggled"})
    assert refusal(response) == (400, "MalformedSecurityHeader")
    assert storage.objects("results") == [NAME]


@pytest.mark.parametrize(("size", "code"), [(1, "EntityTooSmall"), (2, ""), (10, ""), (11, "EntityTooLarge")])
def test_an_upload_is_held_to_its_length_range(storage: StorageServer, signer: Signer, size: int, code: str) -> None:
    headers = {"x-goog-content-length-range": "2,10"}
    url = signer.url("upload", method="PUT", headers=dict(headers))
    response = call("PUT", url, data=b"x" * size, headers=headers)
    if code:
        assert refusal(response) == (400, code)
        assert storage.objects("results") == [NAME]
    else:
        assert response.status_code == 200
        assert len(storage.read("results", "upload")) == size


def test_an_upload_that_may_only_create_only_creates(storage: StorageServer, signer: Signer) -> None:
    headers = {"x-goog-if-generation-match": "0", "x-goog-meta-prompt": "mine"}
    url = signer.url("upload", method="PUT", headers=dict(headers))
    assert call("PUT", url, data=b"first", headers=headers).status_code == 200
    assert refusal(call("PUT", url, data=b"second", headers=headers)) == (412, "PreconditionFailed")
    assert storage.read("results", "upload") == b"first"
    assert storage.object("results", "upload").custom_metadata == {"prompt": "mine"}


def test_an_upload_whose_checksum_is_wrong_is_refused(storage: StorageServer, signer: Signer) -> None:
    headers = {"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="}
    response = call("PUT", signer.url("upload", method="PUT"), data=b"x", headers=headers)
    assert refusal(response) == (400, "BadDigest")
    assert storage.objects("results") == [NAME]
