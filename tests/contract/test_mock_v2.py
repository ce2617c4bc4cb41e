"""v2: submit, poll, fetch. With every fault these endpoints have."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from mock_segmind import FakeSegmind, Picture, probe
from mock_segmind.catalogue import CATALOGUE
from mock_segmind.messages import JsonObject


def submit(segmind: FakeSegmind, prompt: str = "a cat") -> probe.Outcome:
    return probe.call(segmind.url, probe.V2, probe.request(prompt), headers={"x-api-key": segmind.key})


def read(segmind: FakeSegmind, url: object, key: str | None = None) -> probe.Outcome:
    headers = {"x-api-key": key or segmind.key}
    return probe.call(segmind.url, f"GET {urlsplit(str(url)).path}", headers=headers)


def result(segmind: FakeSegmind, prompt: str = "a cat") -> JsonObject:
    return read(segmind, submit(segmind, prompt).fields["response_url"]).fields


def look(segmind: FakeSegmind, url: object, method: str = "GET") -> probe.Outcome:
    return probe.call(segmind.url, f"{method} {urlsplit(str(url)).path}")


def test_a_job_from_submit_to_image(segmind: FakeSegmind) -> None:
    """202 with three URLs, COMPLETED, a result with metrics, an image of the size asked; one bill."""
    submitted = submit(segmind)
    urls = {name: submitted.fields[name] for name in ("poll_url", "status_url", "response_url")}
    assert (submitted.status, submitted.fields["status"]) == (202, "QUEUED")
    assert all(str(url).startswith(f"{segmind.url}/v2/requests/") for url in urls.values())
    assert read(segmind, urls["status_url"]).fields["status"] == "COMPLETED"
    done = read(segmind, urls["response_url"]).fields
    image = look(segmind, done["output"])
    assert (image.headers["content-type"], image.body) == ("image/jpeg", Picture("a cat").encoded())
    assert [entry.kind for entry in segmind.ledger.billed()] == ["v2-submit"]


def test_the_shape_of_a_result(segmind: FakeSegmind) -> None:
    """`output`, `images` and `metrics` carry what the vendor's carry."""
    done = result(segmind)
    images, metrics = done["images"], done["metrics"]
    assert isinstance(images, list)
    assert isinstance(images[0], dict)
    assert isinstance(metrics, dict)
    assert images[0].keys() == {"url", "content_type", "file_name", "file_size"}
    assert (images[0]["url"], images[0]["file_size"]) == (done["output"], len(Picture("a cat").encoded()))
    assert (metrics["cost"], metrics["remaining_credits"]) == (0.1, 9999.9)
    assert metrics.keys() > {"inference_time", "queue_time", "total_time"}


def test_v2_checks_like_v1(segmind: FakeSegmind) -> None:
    """Key, body and credits are checked at the submit; a refused job does not exist."""
    segmind.accounts.open("poor", 0)
    keyless = probe.call(segmind.url, probe.V2, probe.request())
    poor = probe.call(segmind.url, probe.V2, probe.request(), headers={"x-api-key": "poor"})
    bad = probe.call(segmind.url, probe.V2, {}, headers={"x-api-key": segmind.key})
    other = probe.call(segmind.url, "POST /v2/other", probe.request(), headers={"x-api-key": segmind.key})
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
    """A job nobody asks about again finishes and is billed; before that it is not COMPLETED."""
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


def failed(segmind: FakeSegmind) -> None:
    submitted = submit(segmind, "[mock:v2-failed,message=no luck]").fields
    for name in ("status_url", "response_url"):
        outcome = read(segmind, submitted[name])
        assert (outcome.status, outcome.fields["status"], outcome.fields["error"]) == (422, "FAILED", "no luck")
    assert segmind.ledger.total_billed == 0
    assert segmind.accounts.all()[0].held == 0


def failed_with_200(segmind: FakeSegmind) -> None:
    submitted = submit(segmind, "[mock:v2-failed,status=200]").fields
    outcome = read(segmind, submitted["status_url"])
    assert (outcome.status, outcome.fields["status"]) == (200, "FAILED")


def stuck(segmind: FakeSegmind) -> None:
    submitted = submit(segmind, "[mock:v2-stuck]").fields
    states = {str(read(segmind, submitted["status_url"]).fields["status"]) for _ in range(5)}
    assert states == {"PROCESSING"}
    assert segmind.ledger.total_billed == 0


def polls(segmind: FakeSegmind) -> None:
    submitted = submit(segmind, "[mock:v2-polls=2]").fields
    states = [read(segmind, submitted["status_url"]).fields["status"] for _ in range(4)]
    assert states == ["QUEUED", "PROCESSING", "COMPLETED", "COMPLETED"]
    assert len(segmind.ledger.billed()) == 1


def submit_200(segmind: FakeSegmind) -> None:
    assert submit(segmind, "[mock:v2-submit-200]").status == 200


def no_urls(segmind: FakeSegmind) -> None:
    assert submit(segmind, "[mock:v2-no-urls]").fields.keys() == {"request_id", "status"}


def no_id(segmind: FakeSegmind) -> None:
    outcome = submit(segmind, "[mock:v2-no-id]")
    assert (outcome.status, "request_id" in outcome.fields) == (200, False)


def foreign_urls(segmind: FakeSegmind) -> None:
    submitted = submit(segmind, "[mock:v2-foreign-urls]").fields
    assert {urlsplit(str(submitted[n])).hostname for n in ("poll_url", "status_url", "response_url")} == {
        "queue.segmind.invalid"
    }


def expired(segmind: FakeSegmind) -> None:
    submitted = submit(segmind, "[mock:v2-expired]").fields
    statuses = [read(segmind, submitted[name]).status for name in ("status_url", "response_url")]
    assert (statuses, len(segmind.ledger.billed())) == ([404, 404], 1)


def no_metrics(segmind: FakeSegmind) -> None:
    assert "metrics" not in result(segmind, "[mock:v2-no-metrics]")


def no_output(segmind: FakeSegmind) -> None:
    assert result(segmind, "[mock:v2-no-output]").keys() & {"output", "images"} == {"images"}


def no_images(segmind: FakeSegmind) -> None:
    assert result(segmind, "[mock:v2-no-images]").keys() & {"output", "images"} == {"output"}


def nothing(segmind: FakeSegmind) -> None:
    done = result(segmind, "[mock:v2-nothing]")
    assert (done["status"], done.keys() & {"output", "images"}) == ("COMPLETED", set())


Check = Callable[[FakeSegmind], None]
FAULTS: dict[str, list[Check]] = {
    "v2-failed": [failed, failed_with_200],
    "v2-stuck": [stuck],
    "v2-polls": [polls],
    "v2-submit-200": [submit_200],
    "v2-no-urls": [no_urls],
    "v2-no-id": [no_id],
    "v2-foreign-urls": [foreign_urls],
    "v2-expired": [expired],
    "v2-no-metrics": [no_metrics],
    "v2-no-output": [no_output],
    "v2-no-images": [no_images],
    "v2-nothing": [nothing],
}


@pytest.mark.parametrize("check", [check for checks in FAULTS.values() for check in checks])
def test_a_fault_of_v2(segmind: FakeSegmind, check: Check) -> None:
    """Each does what the catalogue says, seen over HTTP."""
    check(segmind)


def test_every_fault_of_v2_has_a_check() -> None:
    """A fault that is added to the catalogue without a check here fails."""
    assert FAULTS.keys() == {spec.name for spec in CATALOGUE.values() if spec.group == "v2"}


def test_a_lost_submit_still_runs(segmind: FakeSegmind) -> None:
    """The ambiguous moment of v2: the answer to the submit is lost, the job is billed all the same."""
    assert submit(segmind, "[mock:reset]").broken == "ConnectionResetError"
    assert submit(segmind, "[mock:reset,billed=false]").broken == "ConnectionResetError"
    assert [bool(entry.billed) for entry in segmind.ledger.posts()] == [True, False]


def test_a_fault_can_be_moved_to_another_request(segmind: FakeSegmind) -> None:
    """`on=` plays the same fault at the status, at the result or at the hosted image."""
    submitted = submit(segmind, "[mock:503,on=v2-status][mock:429,on=v2-result]").fields
    assert read(segmind, submitted["status_url"]).status == 503
    assert read(segmind, submitted["response_url"]).status == 429
    output = result(segmind, "[mock:truncated,on=hosted]")["output"]
    assert look(segmind, output).broken == "IncompleteRead"
    output = result(segmind, "[mock:slow=0.01,on=hosted][mock:500,on=hosted+v2-status]")["output"]
    assert look(segmind, output).status == 500
