"""The vendor's own Python SDK works against the fake unchanged: a real client that agrees with our reading."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from PIL import Image
from segmind import InferenceFailed, InferenceTimeout, SegmindClient, SegmindError
from segmind.files import Files

from mock_segmind import FakeSegmind, Picture

SLUG = "runway-gen4-image"
PROMPT = "a photo of @model"
BODY = {"promptText": PROMPT, "referenceImages": [{"tag": "model"}]}


@pytest.fixture
def client(segmind: FakeSegmind) -> Iterator[SegmindClient]:
    """The SDK, pointed at the fake by its own constructor."""
    client = SegmindClient(api_key=segmind.key, base_url=f"{segmind.url}/v1")
    yield client
    client._client.close()


def test_run_sync_is_v1(client: SegmindClient, segmind: FakeSegmind) -> None:
    """`run_sync` gets the image's bytes; one call, one bill."""
    response = client.run_sync(SLUG, **BODY, ratio="960:960")
    with Image.open(io.BytesIO(response.content)) as image:
        assert (image.format, image.size) == ("JPEG", (960, 960))
    assert [entry.kind for entry in segmind.ledger.billed()] == ["v1"]


def test_run_is_v2(client: SegmindClient, segmind: FakeSegmind) -> None:
    """`run` submits, polls and fetches; the image behind the result needs no key."""
    result = client.run(SLUG, **BODY)
    image = requests.get(result["output"], timeout=10)
    assert (result["status"], image.content) == ("COMPLETED", Picture(PROMPT, tags=("model",)).encoded())
    assert [entry.kind for entry in segmind.ledger.billed()] == ["v2-submit"]


def test_a_failed_job_is_raised(client: SegmindClient) -> None:
    """FAILED with 422, as the SDK's comments describe the vendor, becomes its InferenceFailed."""
    with pytest.raises(InferenceFailed) as caught:
        client.run(SLUG, **BODY | {"promptText": "[mock:v2-failed,message=no luck]"})
    assert caught.value.detail == "no luck"


def test_a_stuck_job_times_out(client: SegmindClient) -> None:
    """A job that never ends becomes its InferenceTimeout."""
    job = client.submit_async(SLUG, **BODY | {"promptText": "[mock:v2-stuck]"})
    with pytest.raises(InferenceTimeout):
        job.wait(timeout=0.05, interval=0.01)


@pytest.mark.parametrize("code", [400, 401, 403, 404, 406, 429, 500, 502, 504])
def test_an_error_is_read(client: SegmindClient, code: int) -> None:
    """The SDK finds the message under `error`, where the vendor puts it; a gateway's HTML is no JSON and has none."""
    told = "as told" if code <= 500 else None
    with pytest.raises(SegmindError) as caught:
        client.run_sync(SLUG, **BODY | {"promptText": f"[mock:{code}{',message=as told' if told else ''}]"})
    assert (caught.value.status, caught.value.detail) == (code, told)


def test_files_are_uploaded(
    client: SegmindClient, segmind: FakeSegmind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`files.upload` gets a URL that answers the file's bytes."""
    monkeypatch.setattr(Files, "STORAGE_BASE_URL", segmind.url)
    photo = tmp_path / "photo.png"
    photo.write_bytes(Picture("photo").encoded("png"))
    (url,) = client.files.upload(photo)["file_urls"]
    assert requests.get(url, timeout=10).content == photo.read_bytes()
