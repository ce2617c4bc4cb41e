"""on_upload and job files: what they may say, which id they get, and how each of their ends is written down."""

import hashlib
from typing import Any

import pytest
import requests

from local.storage import StorageServer
from mock_segmind import FakeSegmind
from tests.doors.cloud import UPLOADS, drop, job
from tests.doors.conftest import Doors
from tests.doors.rig import Deployment
from tests.harness.bucket import Results
from tests.harness.orders import order, reference

CAP = {"MAX_IMAGES_PER_DAY": "50"}


@pytest.fixture
def deployment(doors: Doors) -> Deployment:
    """A deployment with slots to watch."""
    return doors(**CAP)


@pytest.mark.parametrize("name", ["jobs/one.json", "jobs/deep/er/one.json", "jobs/größe ✓ %2F.json", "jobs/a b.json"])
def test_a_job_file_gives_an_image(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer, results: Results, name: str
) -> None:
    """A request dropped as jobs/*.json, whatever its name, is generated and stored; the event is acknowledged."""
    body = job("a boat @model", ratio="960:960", referenceImages=[reference("model", "https://a.example.com/m.png")])
    assert deployment.events.deliver(drop(storage, name, body)) == 200
    image_id, names = results.only_job()
    shown = deployment.show(image_id)
    assert names == ["claim.json", "image.jpg", "result.json"]
    assert (shown["status"], shown["image"]["width"]) == ("succeeded", 960)
    assert [entry.body for entry in segmind.ledger.billed()] == [body]
    assert len(results.slots()) == 1


def test_the_body_decides_and_not_the_subject(deployment: Deployment, storage: StorageServer, results: Results) -> None:
    """A subject is percent-encoded where a name is not ASCII: the name is taken from the event's data."""
    event = drop(storage, "jobs/größe.json", job()).headed(subject="objects/jobs/gr%C3%B6%C3%9Fe.json")
    assert deployment.events.deliver(event) == 200
    assert deployment.show(results.only_job()[0])["status"] == "succeeded"


def test_a_redelivered_event_changes_nothing(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer
) -> None:
    """The same event, three times: each is acknowledged, one image is bought, not one object is written anew."""
    event = drop(storage, "jobs/one.json", job())
    assert deployment.events.deliver(event) == 200
    before = {name: storage.object("results", name).generation for name in storage.objects("results")}
    assert [deployment.events.deliver(event) for _ in range(2)] == [200, 200]
    assert {name: storage.object("results", name).generation for name in storage.objects("results")} == before
    assert len(segmind.ledger.generations()) == 1


def test_a_new_generation_of_a_file_is_a_new_job(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer, results: Results
) -> None:
    """The id comes from bucket, name and generation: the same file dropped again, equal or not, is another image."""
    for prompt in ("a boat", "a boat", "a ship"):
        assert deployment.events.deliver(drop(storage, "jobs/one.json", job(prompt))) == 200
    assert len(results.jobs()) == len(results.images()) == len(segmind.ledger.billed()) == 3


def test_a_jobs_key_is_the_http_doors_key(deployment: Deployment, segmind: FakeSegmind, storage: StorageServer) -> None:
    """A job with an idempotencyKey gets that key's id: a POST with the same key finds its image, unpaid."""
    assert deployment.events.deliver(drop(storage, "jobs/one.json", job("a boat", idempotencyKey="order-7"))) == 200
    made = deployment.http.post(order("a boat"), key="order-7")
    assert (made.status_code, made.headers["Idempotent-Replayed"]) == (200, "true")
    assert len(segmind.ledger.generations()) == 1


def test_two_files_with_one_key_are_one_image(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer, results: Results
) -> None:
    """The key decides, not the file: equal jobs under two names are bought once."""
    for name in ("jobs/one.json", "jobs/two.json"):
        assert deployment.events.deliver(drop(storage, name, job(idempotencyKey="k"))) == 200
    assert len(results.jobs()) == len(segmind.ledger.generations()) == 1


def test_a_key_of_another_request_is_acknowledged_with_a_line(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer, results: Results
) -> None:
    """A job whose key belongs to another request buys nothing, changes nothing, and is not asked for again."""
    deployment.events.deliver(drop(storage, "jobs/one.json", job("a boat", idempotencyKey="k")))
    before = results.jobs()
    assert deployment.events.deliver(drop(storage, "jobs/two.json", job("a ship", idempotencyKey="k"))) == 200
    assert results.jobs() == before
    assert len(segmind.ledger.generations()) == 1
    assert len(deployment.new_logs(deployment.events, "event_ignored")) == 1


def test_a_jobs_owner_is_the_only_one_who_sees_it(doors: Doors, storage: StorageServer, results: Results) -> None:
    """With API keys a job for an owner is that caller's image, and 404 to everybody else."""
    keys = ",".join(f"{name}:{hashlib.sha256(name.encode() * 8).hexdigest()}" for name in ("alice", "bob"))
    deployment = doors(AUTH="keys", API_KEYS=keys)
    assert deployment.events.deliver(drop(storage, "jobs/one.json", job(owner="alice"))) == 200
    path = f"/v1/images/{results.only_job()[0]}"
    seen = [deployment.http.get(path, x_api_key=name * 8).status_code for name in ("alice", "bob")]
    assert seen == [200, 404]


BROKEN: list[tuple[str, object, str]] = [
    ("no JSON", b"{", ""),
    ("empty", b"", ""),
    ("not UTF-8", b"\xff\xfe", ""),
    ("no object", [1], ""),
    ("no prompt", {"referenceImages": []}, "/promptText"),
    ("bad ratio", job(ratio="4:3"), "/ratio"),
    ("unknown field", job(seed=1), "/seed"),
    ("bad tag", job(referenceImages=[reference("x")]), "/referenceImages/0/tag"),
    ("a local address", job(referenceImages=[reference("model", "https://10.0.0.1/m.png")]), "/referenceImages/0/uri"),
    ("key of the wrong type", job(idempotencyKey=7), "/idempotencyKey"),
    ("empty key", job(idempotencyKey=""), "/idempotencyKey"),
    ("long key", job(idempotencyKey="k" * 256), "/idempotencyKey"),
    ("invisible key", job(idempotencyKey="k\n"), "/idempotencyKey"),
    ("owner of the wrong type", job(owner=None), "/owner"),
]


@pytest.mark.parametrize(("body", "pointer"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
def test_a_job_that_is_not_valid_is_written_down(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer, results: Results, body: object, pointer: str
) -> None:
    """It ends as failed with invalid-request, naming what is wrong; nothing is spent, and no delivery repeats it."""
    event = drop(storage, "jobs/one.json", body)
    assert [deployment.events.deliver(event) for _ in range(2)] == [200, 200]
    image_id, names = results.only_job()
    error = deployment.show(image_id)["error"]
    assert names == ["claim.json", "result.json"]
    assert (error["code"], error["billed"]) == ("invalid-request", "no")
    assert error["detail"].startswith(pointer or "body")
    assert (results.slots(), segmind.ledger.generations()) == ([], [])


def test_a_job_file_that_is_too_large_is_written_down(
    deployment: Deployment, storage: StorageServer, results: Results
) -> None:
    """More than 16 MiB are not read: failed as invalid-request."""
    event = drop(storage, "jobs/one.json", b" " * (16 * 1024 * 1024 + 1))
    assert deployment.events.deliver(event) == 200
    assert deployment.show(results.only_job()[0])["error"]["code"] == "invalid-request"
    assert [c for c in storage.calls if c.path.startswith("/download") and c.name == "jobs/one.json"] == []


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
def test_an_end_that_is_kept_is_acknowledged(
    deployment: Deployment,
    segmind: FakeSegmind,
    storage: StorageServer,
    results: Results,
    fault: str,
    status: str,
    code: str,
    slots: int,
) -> None:
    """The request's own fault, and whatever may have been billed, is written down; a redelivery buys nothing."""
    segmind.faults.add(fault)
    event = drop(storage, "jobs/one.json", job())
    assert [deployment.events.deliver(event) for _ in range(2)] == [200, 200]
    shown = deployment.show(results.only_job()[0])
    assert (shown["status"], shown["error"]["code"]) == (status, code)
    assert (len(results.slots()), len(segmind.ledger.generations())) == (slots, 1)


def test_an_inline_image_is_staged_and_bought_with(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer, photo_uri: str
) -> None:
    """A job may carry a data: image; Segmind gets a URL that answers it."""
    body = job("a boat @model", referenceImages=[reference("model", photo_uri)])
    segmind.settings.fetch_references = "get"
    assert deployment.events.deliver(drop(storage, "jobs/one.json", body)) == 200
    (bought,) = segmind.ledger.billed()
    assert [fetched["contentType"] for fetched in bought.fetched] == ["image/png"]
    assert len(storage.objects(UPLOADS, "references/")) == 1


def test_an_image_of_a_job_is_served_like_any_other(
    deployment: Deployment, storage: StorageServer, results: Results
) -> None:
    """The resource of a job's image carries a URL that answers its bytes."""
    deployment.events.deliver(drop(storage, "jobs/one.json", job()))
    image_id, _ = results.only_job()
    shown: dict[str, Any] = deployment.show(image_id)
    assert requests.get(shown["image"]["url"], timeout=10).content == results.read(image_id, "image.jpg")
