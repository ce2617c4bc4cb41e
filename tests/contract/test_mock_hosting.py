"""Hosted images and uploads: public URLs, what they answer, and who sent a key there."""

import base64
import io
import json
from urllib.parse import urlsplit

import pytest
from PIL import Image

from mock_segmind import FakeSegmind, Picture, fingerprint, probe
from mock_segmind.catalogue import CATALOGUE


def look(segmind: FakeSegmind, url: object, method: str = "GET", key: str | None = None) -> probe.Outcome:
    headers = {"x-api-key": key} if key else {}
    return probe.call(segmind.url, f"{method} {urlsplit(str(url)).path}", headers=headers)


HOSTED = {
    "hosted": (200, "image/jpeg", None),
    "hosted,format=webp": (200, "image/webp", None),
    "hosted-missing": (404, "application/xml", None),
    "hosted-redirect": (302, None, "/hosted/"),
    "hosted-redirect-private": (302, None, "http://169.254.169.254/"),
    "hosted-html": (200, "text/html; charset=utf-8", None),
    "hosted-truncated": (200, "image/jpeg", None),
    "hosted-huge": (200, "image/jpeg", None),
}


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("magic", HOSTED)
def test_what_a_hosted_url_answers(segmind: FakeSegmind, magic: str, version: str) -> None:
    """The URL in the answer leads to what the fault says, on v1 and on v2 alike."""
    image = look(segmind, hosted_url(segmind, f"[mock:{magic}]", version))
    status, content_type, location = HOSTED[magic]
    assert (image.status, image.headers.get("content-type")) == (status, content_type)
    assert (location or "") in image.headers.get("location", "")
    assert (len(image.body) > 32 * 1024 * 1024) == (magic == "hosted-huge")
    assert whole(image.body) == (magic in {"hosted", "hosted,format=webp", "hosted-huge"})


def hosted_url(segmind: FakeSegmind, prompt: str, version: str) -> object:
    if version == "v2":
        job = probe.call(segmind.url, probe.V2, probe.request(prompt), headers={"x-api-key": segmind.key}).fields
        return look(segmind, job["response_url"], key=segmind.key).fields["output"]
    answer = probe.call(segmind.url, probe.V1, probe.request(prompt), headers={"x-api-key": segmind.key})
    return answer.fields["output"]


def whole(body: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(body)) as image:
            image.load()
    except OSError:
        return False
    return True


def test_a_redirect_leads_to_the_image(segmind: FakeSegmind) -> None:
    """The same host's redirect ends at a whole image."""
    first = look(segmind, hosted_url(segmind, "[mock:hosted-redirect]", "v1"))
    assert whole(look(segmind, first.headers["location"]).body)


def test_a_key_sent_to_a_hosted_image_is_recorded(segmind: FakeSegmind) -> None:
    """The image comes with and without a key; the ledger knows which request leaked it."""
    url = hosted_url(segmind, "[mock:hosted]", "v1")
    look(segmind, url)
    assert segmind.ledger.leaks() == []
    assert look(segmind, url, key=segmind.key).status == 200
    assert [entry.key for entry in segmind.ledger.leaks()] == [fingerprint(segmind.key)]


def test_head_gives_the_length_without_the_body(segmind: FakeSegmind) -> None:
    """Runway asks with HEAD before GET; an unknown image is a 404, another method a 405."""
    url = hosted_url(segmind, "[mock:hosted]", "v1")
    head, get = look(segmind, url, "HEAD"), look(segmind, url)
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["content-length"]) == len(get.body)
    assert look(segmind, "/hosted/unknown.jpg").status == 404
    assert look(segmind, url, "DELETE").status == 405


PNG = "data:image/png;base64," + base64.b64encode(Picture("upload").encoded("png")).decode()


def upload(segmind: FakeSegmind, *data_urls: str) -> probe.Outcome:
    body = json.dumps({"data_urls": data_urls}).encode()
    return probe.call(segmind.url, "POST /upload-asset", body, headers={"x-api-key": segmind.key})


def test_the_other_name_of_the_answer(segmind: FakeSegmind) -> None:
    """`upload-urls`: the same URLs under `urls`."""
    segmind.faults.add("upload-urls")
    assert upload(segmind, PNG).fields.keys() == {"urls", "message"}


def test_an_answer_that_is_one_short(segmind: FakeSegmind) -> None:
    """`upload-fewer`: two images, one URL."""
    segmind.faults.add("upload-fewer")
    urls = upload(segmind, PNG, PNG).fields["file_urls"]
    assert isinstance(urls, list)
    assert len(urls) == 1


def test_every_fault_of_uploads_has_a_test() -> None:
    """A fault that is added to the catalogue without a test here fails."""
    uploads = {spec.name for spec in CATALOGUE.values() if spec.group == "uploads"}
    assert uploads == {"upload-urls", "upload-fewer"}


def test_an_upload_becomes_a_reference(segmind: FakeSegmind) -> None:
    """What was uploaded is hosted byte by byte, and its URL is accepted as a reference; no image was billed."""
    segmind.settings.fetch_references = "head"
    urls = upload(segmind, PNG).fields["file_urls"]
    assert isinstance(urls, list)
    assert look(segmind, urls[0]).body == Picture("upload").encoded("png")
    assert segmind.ledger.total_billed == 0
    body = probe.request(referenceImages=[{"tag": "model", "uri": urls[0]}])
    assert probe.call(segmind.url, probe.V1, body, headers={"x-api-key": segmind.key}).status == 200
    assert segmind.ledger.generations()[0].fetched[0]["bytes"] == len(Picture("upload").encoded("png"))


@pytest.mark.parametrize("data_url", ["data:image/png;base64,!", "data:text/html;base64,PGI+", "x", ""])
def test_a_bad_upload_is_refused(segmind: FakeSegmind, data_url: str) -> None:
    """Only base64 images are taken; an empty list, no key and another method neither."""
    assert upload(segmind, data_url).status == 400
    assert upload(segmind).status == 400
    assert probe.call(segmind.url, "POST /upload-asset", {"data_urls": [PNG]}).status == 401
    assert probe.call(segmind.url, "GET /upload-asset").status == 405
