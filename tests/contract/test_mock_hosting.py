"""Hosted images and uploads: public URLs, what they answer, and what becomes of an upload."""

import json
from urllib.parse import urlsplit

import pytest

from mock_segmind import FakeSegmind, Picture
from tests.contract import mock_client as plain


def look(segmind: FakeSegmind, url: object, method: str = "GET") -> plain.Outcome:
    return plain.call(segmind.url, f"{method} {urlsplit(str(url)).path}")


def upload(segmind: FakeSegmind, *data_urls: str) -> plain.Outcome:
    body = json.dumps({"data_urls": data_urls}).encode()
    return plain.call(segmind.url, "POST /upload-asset", body, headers={"x-api-key": segmind.key})


def test_head_gives_the_length_without_the_body(segmind: FakeSegmind) -> None:
    """Runway asks with HEAD before GET; an unknown image is a 404, another method a 405."""
    body, key = plain.request("[mock:hosted]"), {"x-api-key": segmind.key}
    url = plain.call(segmind.url, plain.V1, body, headers=key).fields["output"]
    head, get = look(segmind, url, "HEAD"), look(segmind, url)
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["content-length"]) == len(get.body)
    assert look(segmind, "/hosted/unknown.jpg").status == 404
    assert look(segmind, url, "DELETE").status == 405


def test_an_upload_becomes_a_reference(segmind: FakeSegmind) -> None:
    """What was uploaded is hosted byte by byte, and its URL is accepted as a reference; no image was billed."""
    segmind.settings.fetch_references = "head"
    urls = upload(segmind, plain.png()).fields["file_urls"]
    assert isinstance(urls, list)
    assert look(segmind, urls[0]).body == Picture("upload").encoded("png")
    assert segmind.ledger.total_billed == 0
    body = plain.request(referenceImages=[{"tag": "model", "uri": urls[0]}])
    assert plain.call(segmind.url, plain.V1, body, headers={"x-api-key": segmind.key}).status == 200
    assert segmind.ledger.generations()[0].fetched[0]["bytes"] == len(Picture("upload").encoded("png"))


@pytest.mark.parametrize("data_url", ["data:image/png;base64,!", "data:text/html;base64,PGI+", "x", ""])
def test_a_bad_upload_is_refused(segmind: FakeSegmind, data_url: str) -> None:
    """Only base64 images are taken; an empty list, no key and another method neither."""
    assert upload(segmind, data_url).status == 400
    assert upload(segmind).status == 400
    assert plain.call(segmind.url, "POST /upload-asset", {"data_urls": [plain.png()]}).status == 401
    assert plain.call(segmind.url, "GET /upload-asset").status == 405
