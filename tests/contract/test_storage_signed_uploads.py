"""A signed PUT binds the uploader to what was signed: type, size, metadata, and that it only creates."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.storage import StorageServer
from tests.contract.storage_signers import DATA, NAME, Signer, call, refusal, signer_for


@pytest.fixture
def signer(storage: StorageServer, storage_key: Path) -> Iterator[Signer]:
    storage.put("results", NAME, DATA, content_type="image/jpeg", prompt="x")
    yield from signer_for(storage, storage_key)


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
