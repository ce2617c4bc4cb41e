"""v2: submit, poll, fetch; hosted images and uploads: public URLs, and what becomes of an upload."""

from decimal import Decimal

import pytest

from mock_segmind import FakeSegmind, Picture
from tests.contract import mock_client as plain


def submit(segmind: FakeSegmind, prompt: str = "a cat") -> plain.Outcome:
    return plain.ask(segmind, prompt, plain.V2)


def read(segmind: FakeSegmind, url: object, key: str | None = None) -> plain.Outcome:
    return plain.ask(segmind, line=f"GET {url}", key=key)


def look(segmind: FakeSegmind, url: object, method: str = "GET") -> plain.Outcome:
    return plain.call(segmind.url, f"{method} {str(url).replace(segmind.url, '')}")


def test_a_job_from_submit_to_image(segmind: FakeSegmind) -> None:
    """202 with three URLs, COMPLETED, a result with metrics, an image of the size asked; one bill."""
    submitted = submit(segmind)
    urls = {name: submitted.fields[name] for name in ("poll_url", "status_url", "response_url")}
    assert (submitted.status, submitted.fields["status"]) == (202, "QUEUED")
    assert all(str(url).startswith(f"{segmind.url}/v2/requests/") for url in urls.values())
    assert read(segmind, urls["status_url"]).fields["status"] == "COMPLETED"
    done = read(segmind, urls["response_url"]).fields
    images, metrics = done["images"], done["metrics"]
    assert isinstance(images, list)
    assert isinstance(metrics, dict)
    image = look(segmind, done["output"])
    assert (image.headers["content-type"], image.body) == ("image/jpeg", Picture("a cat").encoded())
    assert isinstance(images[0], dict)
    assert images[0].keys() == {"url", "content_type", "file_name", "file_size"}
    assert (images[0]["url"], images[0]["file_size"]) == (done["output"], len(image.body))
    assert (metrics["cost"], metrics["remaining_credits"]) == (0.1, 9999.9)
    assert metrics.keys() > {"inference_time", "queue_time", "total_time"}
    assert [entry.kind for entry in segmind.ledger.billed()] == ["v2-submit"]


def test_v2_checks_like_v1(segmind: FakeSegmind) -> None:
    """Key, body and credits are checked at the submit; a refused job does not exist."""
    segmind.accounts.open("poor", 0)
    keyless = plain.call(segmind.url, plain.V2, plain.request())
    poor = plain.ask(segmind, "a cat", plain.V2, key="poor")
    bad = plain.ask(segmind, {}, plain.V2)
    other = plain.ask(segmind, "a cat", "POST /v2/other")
    assert [outcome.status for outcome in (keyless, poor, bad, other)] == [401, 406, 400, 404]
    assert segmind.ledger.total_billed == 0


def test_a_job_belongs_to_its_key(segmind: FakeSegmind) -> None:
    """Another account's key, no key and an unknown id get what the vendor gives them."""
    segmind.accounts.open("other", 5)
    url = submit(segmind).fields["response_url"]
    assert read(segmind, url, "other").fields == {"error": "Request ID not found"}
    assert look(segmind, url).status == 401
    assert read(segmind, "/v2/requests/unknown").status == 404
    assert read(segmind, "/v2/requests/unknown/status").status == 404


def test_a_job_is_billed_by_the_clock(segmind: FakeSegmind) -> None:
    """A job that is not asked about again finishes and is billed; before that it is not COMPLETED."""
    segmind.settings.latency = 0.3
    submitted = submit(segmind).fields
    assert read(segmind, submitted["status_url"]).fields["status"] in {"QUEUED", "PROCESSING"}
    assert "output" not in read(segmind, submitted["response_url"]).fields
    assert segmind.ledger.wait(lambda ledger: len(ledger.billed()) == 1)
    assert read(segmind, submitted["status_url"]).fields["status"] == "COMPLETED"


def test_a_record_expires(segmind: FakeSegmind) -> None:
    """After `job_seconds` the result is gone."""
    url = submit(segmind).fields["response_url"]
    segmind.settings.job_seconds = -1
    assert read(segmind, url).status == 404


@pytest.mark.parametrize(("options", "status"), [("message=no luck", 422), ("message=no luck,status=200", 200)])
def test_a_failed_job_is_told_twice_and_not_billed(segmind: FakeSegmind, options: str, status: int) -> None:
    """Status and result say FAILED and why, with the status that the fault names; nothing stays held."""
    submitted = submit(segmind, f"[mock:v2-failed,{options}]").fields
    for name in ("status_url", "response_url"):
        outcome = read(segmind, submitted[name])
        assert (outcome.status, outcome.fields["status"], outcome.fields["error"]) == (status, "FAILED", "no luck")
    assert (segmind.ledger.total_billed, segmind.accounts.all()[0].held) == (Decimal(0), Decimal(0))


@pytest.mark.parametrize(
    ("magic", "states"),
    [("v2-polls=2", ["QUEUED", "PROCESSING", "COMPLETED", "COMPLETED"]), ("v2-stuck", ["PROCESSING"] * 4)],
)
def test_the_states_of_a_job(segmind: FakeSegmind, magic: str, states: list[str]) -> None:
    """A job that waits for polls ends with the one after them and is billed once; a stuck one never is."""
    submitted = submit(segmind, f"[mock:{magic}]").fields
    assert [read(segmind, submitted["status_url"]).fields["status"] for _ in range(4)] == states
    assert len(segmind.ledger.billed()) == states.count("COMPLETED") / 2


def test_a_lost_submit_still_runs(segmind: FakeSegmind) -> None:
    """The ambiguous moment of v2: the answer to the submit is lost, the job is billed all the same."""
    assert submit(segmind, "[mock:reset]").broken == "ConnectionResetError"
    assert submit(segmind, "[mock:reset,billed=false]").broken == "ConnectionResetError"
    assert [bool(entry.billed) for entry in segmind.ledger.posts()] == [True, False]


def upload(segmind: FakeSegmind, *data_urls: str) -> plain.Outcome:
    return plain.ask(segmind, {"data_urls": [*data_urls]}, "POST /upload-asset")


def test_head_gives_the_length_without_the_body(segmind: FakeSegmind) -> None:
    """Runway asks with HEAD before GET; an unknown image is a 404, another method a 405."""
    url = plain.ask(segmind, "[mock:hosted]").fields["output"]
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
    assert plain.ask(segmind, plain.request(referenceImages=[{"tag": "model", "uri": urls[0]}])).status == 200
    assert segmind.ledger.generations()[0].fetched[0]["bytes"] == len(Picture("upload").encoded("png"))


@pytest.mark.parametrize("data_url", ["data:image/png;base64,!", "data:text/html;base64,PGI+", "x", ""])
def test_a_bad_upload_is_refused(segmind: FakeSegmind, data_url: str) -> None:
    """Only base64 images are taken; an empty list, no key and another method neither."""
    assert upload(segmind, data_url).status == 400
    assert upload(segmind).status == 400
    assert plain.call(segmind.url, "POST /upload-asset", {"data_urls": [plain.png()]}).status == 401
    assert plain.call(segmind.url, "GET /upload-asset").status == 405
