"""on_upload and job files: what they may say, which id they get, and how each of their ends is written down."""

import json

import pytest
import requests

from tests.cases import rows
from tests.harness.orders import CALLERS, KEYS, order, reference
from tests.harness.site import Site

MIB = 1024 * 1024


@pytest.mark.parametrize("name", ["jobs/one.json", "jobs/deep/er/one.json", "jobs/größe ✓ %2F.json", "jobs/a b.json"])
def test_a_job_file_gives_an_image(site: Site, name: str) -> None:
    """A request dropped as jobs/*.json, under any such name, is generated, stored and served; its event is taken."""
    body = order("a boat @model", ratio="960:960", referenceImages=[reference("model", "https://a.example.com/m.png")])
    assert site.deliver(site.uploads.put(name, body)) == 200
    image_id, names = site.results.only_job()
    shown = site.show(image_id)
    assert names == ["claim.json", "image.jpg", "result.json", "sent.json"]
    assert (shown["status"], shown["image"]["width"], site.slots) == ("succeeded", 960, 1)
    assert requests.get(shown["image"]["url"], timeout=10).content == site.results.read(image_id, "image.jpg")
    assert [entry.body for entry in site.ledger.billed()] == [body]


def test_the_body_decides_and_not_the_subject(site: Site) -> None:
    """A subject is percent-encoded where a name is not ASCII: the name is taken from the event's data."""
    event = site.uploads.put("jobs/größe.json", order()).headed(subject="objects/jobs/gr%C3%B6%C3%9Fe.json")
    assert site.deliver(event) == 200
    assert site.only()["status"] == "succeeded"


def test_an_event_is_one_image_and_each_generation_of_a_file_another(site: Site) -> None:
    """Redelivered, it buys nothing and writes no object anew; the file dropped again, equal or not, is a new job."""

    def generations() -> dict[str, int]:
        site.rest()
        return {name: site.storage.object("results", name).generation for name in site.storage.objects("results")}

    for number, prompt in enumerate(("a boat", "a boat", "a ship"), 1):
        event = site.uploads.put("jobs/one.json", order(prompt))
        assert site.deliver(event) == 200
        before = generations()
        assert [site.deliver(event) for _ in range(2)] == [200, 200]
        assert generations() == before
        assert len(site.results.jobs()) == len(site.results.images()) == site.billed == site.bought == number


def test_a_jobs_key_decides_and_is_the_http_doors_key(site: Site) -> None:
    """Equal jobs with one key are one image, a POST with it replays; another request under it changes nothing."""
    for name in ("jobs/one.json", "jobs/two.json"):
        assert site.deliver(site.uploads.put(name, order("a boat", idempotencyKey="order-7"))) == 200
    before = site.results.jobs()
    made = site.post(order("a boat"), key="order-7")
    assert (made.status_code, made.headers["Idempotent-Replayed"]) == (200, "true")
    assert site.new_logs(site.events, "event_ignored") == []
    assert site.deliver(site.uploads.put("jobs/three.json", order("a ship", idempotencyKey="order-7"))) == 200
    assert len(site.new_logs(site.events, "event_ignored")) == 1
    assert (site.results.jobs(), len(before), site.bought) == (before, 1, 1)


def test_a_jobs_owner_is_the_only_one_who_sees_it(site: Site) -> None:
    """With API keys a job for an owner is that caller's image, and 404 to everybody else."""
    site = site(**CALLERS)
    assert site.deliver(site.uploads.put("jobs/one.json", order(owner="alice"))) == 200
    path = f"/v1/images/{site.results.only_job()[0]}"
    assert [site.get(path, x_api_key=key).status_code for key in KEYS.values()] == [200, 404]


TOO_LARGE = b" " * (16 * MIB + 1)
BROKEN: dict[str, tuple[bytes, str]] = {
    **{body: (body.encode(), pointer) for body, pointer in rows("wrong_job_files")},
    "not UTF-8": (b"\xff\xfe", ""),
    "too large": (TOO_LARGE, ""),
    "long key": (json.dumps(order(idempotencyKey="k" * 256)).encode(), "/idempotencyKey"),
}


@pytest.mark.parametrize(("body", "pointer"), BROKEN.values(), ids=BROKEN)
def test_a_job_that_is_not_valid_is_written_down(site: Site, body: object, pointer: str) -> None:
    """It ends as failed with invalid-request, naming what is wrong; nothing is spent, and no delivery repeats it."""
    event = site.uploads.put("jobs/one.json", body)
    assert [site.deliver(event) for _ in range(2)] == [200, 200]
    error = site.only()["error"]
    assert site.results.only_job()[1] == ["claim.json", "result.json"]
    assert (error["code"], error["billed"]) == ("invalid-request", "no")
    assert error["detail"].startswith(pointer or "body")
    assert (site.slots, site.bought) == (0, 0)
    if body == TOO_LARGE:
        assert not any(
            call.path.startswith("/download") and call.name == "jobs/one.json" for call in site.storage.calls
        )


@pytest.mark.parametrize(
    ("fault", "status", "code", "slots"),
    [
        ("moderation", "failed", "rejected-by-segmind", 0),
        ("400", "failed", "rejected-by-segmind", 0),
        ("reset", "unknown", "outcome-unknown", 1),
        ("504", "unknown", "segmind-timeout", 1),
        ("ok-html", "failed", "segmind-bad-image", 1),
    ],
)
def test_an_end_that_is_kept_is_acknowledged(site: Site, fault: str, status: str, code: str, slots: int) -> None:
    """The request's own fault, and what may have been billed, is written down; a redelivery buys nothing."""
    site.segmind.faults.add(fault)
    event = site.uploads.put("jobs/one.json", order())
    assert [site.deliver(event) for _ in range(2)] == [200, 200]
    shown = site.only()
    assert (shown["status"], shown["error"]["code"]) == (status, code)
    assert (site.slots, site.bought) == (slots, 1)


def test_an_inline_image_is_staged_and_bought_with(site: Site, photo_uri: str) -> None:
    """A job may carry a data: image; Segmind gets a URL that answers it."""
    body = order("a boat @model", referenceImages=[reference("model", photo_uri)])
    site.segmind.settings.fetch_references = "get"
    assert site.deliver(site.uploads.put("jobs/one.json", body)) == 200
    (bought,) = site.ledger.billed()
    assert [fetched["contentType"] for fetched in bought.fetched] == ["image/png"]
    assert len(site.uploads.names("references/")) == 1
