"""on_upload and job files: what they may say, which id they get, and how each of their ends is written down."""

import hashlib
from typing import Any

import pytest
import requests

from tests.harness.orders import order, reference
from tests.harness.site import Site

CAP = {"MAX_IMAGES_PER_DAY": "50"}


@pytest.mark.parametrize("name", ["jobs/one.json", "jobs/deep/er/one.json", "jobs/größe ✓ %2F.json", "jobs/a b.json"])
def test_a_job_file_gives_an_image(site: Site, name: str) -> None:
    """A request dropped as jobs/*.json, whatever its name, is generated and stored; the event is acknowledged."""
    body = order("a boat @model", ratio="960:960", referenceImages=[reference("model", "https://a.example.com/m.png")])
    assert site.deliver(site.uploads.drop(name, body)) == 200
    image_id, names = site.results.only_job()
    shown = site.show(image_id)
    assert names == ["claim.json", "image.jpg", "result.json"]
    assert (shown["status"], shown["image"]["width"]) == ("succeeded", 960)
    assert [entry.body for entry in site.ledger.billed()] == [body]
    assert site.slots == 1


def test_the_body_decides_and_not_the_subject(site: Site) -> None:
    """A subject is percent-encoded where a name is not ASCII: the name is taken from the event's data."""
    event = site.uploads.drop("jobs/größe.json", order()).headed(subject="objects/jobs/gr%C3%B6%C3%9Fe.json")
    assert site.deliver(event) == 200
    assert site.show(site.results.only_job()[0])["status"] == "succeeded"


def test_a_redelivered_event_changes_nothing(site: Site) -> None:
    """The same event, three times: each is acknowledged, one image is bought, not one object is written anew."""
    event = site.uploads.drop("jobs/one.json", order())
    assert site.deliver(event) == 200
    before = {name: site.storage.object("results", name).generation for name in site.storage.objects("results")}
    assert [site.deliver(event) for _ in range(2)] == [200, 200]
    assert {name: site.storage.object("results", name).generation for name in site.storage.objects("results")} == before
    assert site.bought == 1


def test_a_new_generation_of_a_file_is_a_new_job(site: Site) -> None:
    """The id comes from bucket, name and generation: the same file dropped again, equal or not, is another image."""
    for prompt in ("a boat", "a boat", "a ship"):
        assert site.deliver(site.uploads.drop("jobs/one.json", order(prompt))) == 200
    assert len(site.results.jobs()) == len(site.results.images()) == site.billed == 3


def test_a_jobs_key_is_the_http_doors_key(site: Site) -> None:
    """A job with an idempotencyKey gets that key's id: a POST with the same key finds its image, unpaid."""
    assert site.deliver(site.uploads.drop("jobs/one.json", order("a boat", idempotencyKey="order-7"))) == 200
    made = site.post(order("a boat"), key="order-7")
    assert (made.status_code, made.headers["Idempotent-Replayed"]) == (200, "true")
    assert site.bought == 1


def test_two_files_with_one_key_are_one_image(site: Site) -> None:
    """The key decides, not the file: equal jobs under two names are bought once."""
    for name in ("jobs/one.json", "jobs/two.json"):
        assert site.deliver(site.uploads.drop(name, order(idempotencyKey="k"))) == 200
    assert len(site.results.jobs()) == site.bought == 1


def test_a_key_of_another_request_is_acknowledged_with_a_line(site: Site) -> None:
    """A job whose key belongs to another request buys nothing, changes nothing, and is not asked for again."""
    site.deliver(site.uploads.drop("jobs/one.json", order("a boat", idempotencyKey="k")))
    before = site.results.jobs()
    assert site.deliver(site.uploads.drop("jobs/two.json", order("a ship", idempotencyKey="k"))) == 200
    assert site.results.jobs() == before
    assert site.bought == 1
    assert len(site.new_logs(site.events, "event_ignored")) == 1


def test_a_jobs_owner_is_the_only_one_who_sees_it(site: Site) -> None:
    """With API keys a job for an owner is that caller's image, and 404 to everybody else."""
    keys = ",".join(f"{name}:{hashlib.sha256(name.encode() * 8).hexdigest()}" for name in ("alice", "bob"))
    site = site(AUTH="keys", API_KEYS=keys)
    assert site.deliver(site.uploads.drop("jobs/one.json", order(owner="alice"))) == 200
    path = f"/v1/images/{site.results.only_job()[0]}"
    seen = [site.get(path, x_api_key=name * 8).status_code for name in ("alice", "bob")]
    assert seen == [200, 404]


BROKEN: list[tuple[str, object, str]] = [
    ("no JSON", b"{", ""),
    ("empty", b"", ""),
    ("not UTF-8", b"\xff\xfe", ""),
    ("no object", [1], ""),
    ("no prompt", {"referenceImages": []}, "/promptText"),
    ("bad ratio", order(ratio="4:3"), "/ratio"),
    ("unknown field", order(seed=1), "/seed"),
    ("bad tag", order(referenceImages=[reference("x")]), "/referenceImages/0/tag"),
    (
        "a local address",
        order(referenceImages=[reference("model", "https://10.0.0.1/m.png")]),
        "/referenceImages/0/uri",
    ),
    ("key of the wrong type", order(idempotencyKey=7), "/idempotencyKey"),
    ("empty key", order(idempotencyKey=""), "/idempotencyKey"),
    ("long key", order(idempotencyKey="k" * 256), "/idempotencyKey"),
    ("invisible key", order(idempotencyKey="k\n"), "/idempotencyKey"),
    ("owner of the wrong type", order(owner=None), "/owner"),
]


@pytest.mark.parametrize(("body", "pointer"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
def test_a_job_that_is_not_valid_is_written_down(site: Site, body: object, pointer: str) -> None:
    """It ends as failed with invalid-request, naming what is wrong; nothing is spent, and no delivery repeats it."""
    event = site.uploads.drop("jobs/one.json", body)
    assert [site.deliver(event) for _ in range(2)] == [200, 200]
    image_id, names = site.results.only_job()
    error = site.show(image_id)["error"]
    assert names == ["claim.json", "result.json"]
    assert (error["code"], error["billed"]) == ("invalid-request", "no")
    assert error["detail"].startswith(pointer or "body")
    assert (site.results.slots(), site.ledger.generations()) == ([], [])


def test_a_job_file_that_is_too_large_is_written_down(site: Site) -> None:
    """More than 16 MiB are not read: failed as invalid-request."""
    event = site.uploads.drop("jobs/one.json", b" " * (16 * 1024 * 1024 + 1))
    assert site.deliver(event) == 200
    assert site.show(site.results.only_job()[0])["error"]["code"] == "invalid-request"
    assert [c for c in site.storage.calls if c.path.startswith("/download") and c.name == "jobs/one.json"] == []


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
    """The request's own fault, and whatever may have been billed, is written down; a redelivery buys nothing."""
    site.segmind.faults.add(fault)
    event = site.uploads.drop("jobs/one.json", order())
    assert [site.deliver(event) for _ in range(2)] == [200, 200]
    shown = site.show(site.results.only_job()[0])
    assert (shown["status"], shown["error"]["code"]) == (status, code)
    assert (site.slots, site.bought) == (slots, 1)


def test_an_inline_image_is_staged_and_bought_with(site: Site, photo_uri: str) -> None:
    """A job may carry a data: image; Segmind gets a URL that answers it."""
    body = order("a boat @model", referenceImages=[reference("model", photo_uri)])
    site.segmind.settings.fetch_references = "get"
    assert site.deliver(site.uploads.drop("jobs/one.json", body)) == 200
    (bought,) = site.ledger.billed()
    assert [fetched["contentType"] for fetched in bought.fetched] == ["image/png"]
    assert len(site.uploads.names("references/")) == 1


def test_an_image_of_a_job_is_served_like_any_other(site: Site) -> None:
    """The resource of a job's image carries a URL that answers its bytes."""
    site.deliver(site.uploads.drop("jobs/one.json", order()))
    image_id, _ = site.results.only_job()
    shown: dict[str, Any] = site.show(image_id)
    assert requests.get(shown["image"]["url"], timeout=10).content == site.results.read(image_id, "image.jpg")
