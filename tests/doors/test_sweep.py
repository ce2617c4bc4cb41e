"""The other tick: what crashed instances left behind is ended or resumed, and slots that cost nothing are freed."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from local.storage import StorageServer
from mock_segmind import FakeSegmind
from tests.doors.conftest import Doors
from tests.doors.control import Control
from tests.doors.rig import Deployment
from tests.doors.wreck import RESULTS, Wreck
from tests.harness.bucket import Results

NOTHING = {"finished": 0, "lost": 0, "running": 0, "freed": 0, "slotsFreed": 0, "errors": 0}


@pytest.fixture
def deployment(doors: Doors) -> Deployment:
    """A deployment with slots to watch."""
    return doors(MAX_IMAGES_PER_DAY="50", SEGMIND_API="v2")


def submitted_job(segmind: FakeSegmind, prompt: str = "a boat") -> str:
    """Submit a job as a dead instance did, and return Segmind's id."""
    answered = requests.post(
        f"{segmind.url}/v2/runway-gen4-image",
        json={"promptText": prompt, "referenceImages": []},
        headers={"x-api-key": segmind.key},
        timeout=10,
    )
    return str(answered.json()["request_id"])


def test_an_empty_bucket_is_swept(deployment: Deployment) -> None:
    """Nothing there, nothing done, and the answer says so."""
    assert deployment.schedule.sweep() == NOTHING


def test_a_lost_call_ends_as_unknown_and_keeps_its_slot(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer, results: Results
) -> None:
    """A claim whose lease is over gets its lost.json: it may have been billed. The slot stays; nothing is bought."""
    wreck = Wreck(storage).claimed().slot("7")
    assert deployment.schedule.sweep() == NOTHING | {"lost": 1}
    shown = deployment.show(wreck.id)
    assert (shown["status"], shown["error"]["code"]) == ("unknown", "outcome-unknown")
    assert results.job(wreck.id) == ["claim.json", "lost.json"]
    assert (len(results.slots()), segmind.ledger.entries()) == (1, [])
    assert deployment.schedule.sweep() == NOTHING


def test_a_claim_under_its_lease_is_left_alone(
    deployment: Deployment, storage: StorageServer, results: Results
) -> None:
    """Somebody may still be at work: counted as running, nothing written."""
    wreck = Wreck(storage, lease=60).claimed()
    assert deployment.schedule.sweep() == NOTHING | {"running": 1}
    assert results.job(wreck.id) == ["claim.json"]


def test_an_image_without_a_result_is_finished(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer, results: Results
) -> None:
    """The image is there and its claimant died before saying so: succeeded, with the receipt kept beside it."""
    wreck = Wreck(storage).claimed().with_image().slot("7")
    assert deployment.schedule.sweep() == NOTHING | {"finished": 1}
    shown = deployment.show(wreck.id)
    assert (shown["status"], shown["image"]["width"], shown["image"]["sha256"]) == ("succeeded", 1280, "0" * 64)
    assert shown["segmind"] == {
        "requestId": "req-7",
        "costUsd": 0.1,
        "remainingCredits": 9.0,
        "generationSeconds": 30.5,
    }
    assert (len(results.slots()), segmind.ledger.entries()) == (1, [])


def test_a_submitted_generation_is_resumed(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer, results: Results
) -> None:
    """v2: the image is fetched by Segmind's id and stored; nothing is submitted again."""
    wreck = Wreck(storage).claimed().slot("7").submitted(submitted_job(segmind))
    assert deployment.schedule.sweep() == NOTHING | {"finished": 1}
    assert results.job(wreck.id) == ["claim.json", "image.jpg", "result.json", "submitted.json"]
    assert len(results.slots()) == len(segmind.ledger.generations()) == 1


def test_a_resumed_failure_gives_key_and_slot_back(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer
) -> None:
    """v2, and Segmind says FAILED by its own fault: claim, submitted.json and slot are gone."""
    failed = submitted_job(segmind, "[mock:v2-failed,message=The workers are gone]")
    Wreck(storage).claimed().slot("7").submitted(failed)
    assert deployment.schedule.sweep() == NOTHING | {"freed": 1}
    assert storage.objects(RESULTS) == []


def test_two_sweeps_at_once_end_everything_once(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer, results: Results
) -> None:
    """Both see the same wrecks: one end each, one image each, no slot too few, nothing bought."""
    lost = [Wreck(storage).claimed().slot(f"{i}") for i in range(10)]
    done = [Wreck(storage).claimed().slot(f"{10 + i}").submitted(submitted_job(segmind)) for i in range(10)]
    with ThreadPoolExecutor(2) as scheduler:
        counts = list(scheduler.map(lambda _: deployment.schedule.sweep(), range(2)))
    assert all(count["errors"] == count["running"] == 0 for count in counts)
    assert [results.job(wreck.id) for wreck in lost] == [["claim.json", "lost.json"]] * 10
    ended = ["claim.json", "image.jpg", "result.json", "submitted.json"]
    assert [results.job(wreck.id) for wreck in done] == [ended] * 10
    assert (len(results.slots()), len(segmind.ledger.generations())) == (20, 10)
    assert deployment.schedule.sweep() == NOTHING


def test_it_pages_through_everything(deployment: Deployment, storage: StorageServer, results: Results) -> None:
    """Wrecks before, between and after 1,100 ended jobs (2,200 objects, three pages) are all found."""
    for i in range(1100):
        Wreck(storage, f"m{i:025d}").claimed().failed("rejected-by-segmind", "no")
    wrecks = [Wreck(storage, f"{letter}{'a' * 25}").claimed() for letter in ("a", "m", "z")]
    wrecks.append(Wreck(storage, f"m{'0' * 22}600").claimed())
    storage_names = len(storage.objects(RESULTS))
    assert storage_names > 2200
    assert deployment.schedule.sweep()["lost"] == 3
    assert [results.job(wreck.id)[1] for wreck in wrecks] == ["lost.json"] * 3 + ["result.json"]


@pytest.fixture
def late(controlled: Doors, control: Control) -> Deployment:
    """A deployment for which an hour has passed since the test began."""
    control.pass_time()
    return controlled(MAX_IMAGES_PER_DAY="50")


def test_slots_of_what_was_not_billed_are_freed(late: Deployment, storage: StorageServer, results: Results) -> None:
    """A slot is free where its claim was given back, belongs to somebody else by now, or ended unbilled."""
    Wreck(storage).slot("1")
    Wreck(storage).claimed().failed("rejected-by-segmind", "no").slot("2")
    Wreck(storage).slot("users/abc/3")
    kept = Wreck(storage).claimed().lost().slot("4").slot("5", token="of an earlier claim that was given back")
    assert late.schedule.sweep() == NOTHING | {"slotsFreed": 4}
    assert [name.rpartition("/")[2] for name in results.slots()] == ["4"]
    assert results.job(kept.id) == ["claim.json", "lost.json"]


def test_slots_of_what_may_have_been_billed_are_kept(
    late: Deployment, storage: StorageServer, results: Results
) -> None:
    """Succeeded, unknown, a bad image, an image that was not stored, a slot that nobody signed: none is freed."""
    Wreck(storage).claimed().with_image().slot("1")
    Wreck(storage).claimed().slot("2")
    Wreck(storage).claimed().lost().slot("3")
    Wreck(storage).claimed().failed("segmind-bad-image", "yes").slot("4")
    Wreck(storage).claimed().failed("image-not-stored", "yes").slot("5")
    day = results.slots()[0].rpartition("/")[0]
    storage.put(RESULTS, f"{day}/6", b"{}")
    late.schedule.sweep()
    assert [name.rpartition("/")[2] for name in results.slots()] == ["1", "2", "3", "4", "5", "6"]


def test_a_young_slot_is_kept(deployment: Deployment, storage: StorageServer, results: Results) -> None:
    """A slot is younger than its claim: while a lease may hold nobody can tell that it is left over."""
    Wreck(storage).slot("1")
    assert deployment.schedule.sweep()["slotsFreed"] == 0
    assert len(results.slots()) == 1


def test_storage_that_fails_for_one_job_does_not_stop_the_others(
    deployment: Deployment, storage: StorageServer, results: Results
) -> None:
    """One claim that cannot be read is counted as an error and found again; every other wreck is ended."""
    broken, whole = (Wreck(storage).claimed() for _ in range(2))
    storage.faults.answer(403, method="GET", name=f"jobs/{broken.id}/claim.json")
    counts = deployment.schedule.sweep()
    assert counts == NOTHING | {"lost": 1, "errors": 1}
    assert (results.job(broken.id), results.job(whole.id)) == (["claim.json"], ["claim.json", "lost.json"])
    assert deployment.schedule.sweep()["lost"] == 1


@pytest.mark.parametrize("junk", [b"", b"{", b"[]", b"null", b'{"id": 7}', b"\xff"])
def test_a_claim_that_is_no_claim_does_not_stop_the_others(
    deployment: Deployment, storage: StorageServer, results: Results, junk: bytes
) -> None:
    """An object that somebody damaged is an error of its own; the sweep goes on and ends the rest."""
    storage.put(RESULTS, f"jobs/{'a' * 26}/claim.json", junk)
    whole = Wreck(storage).claimed()
    assert deployment.schedule.sweep() == NOTHING | {"lost": 1, "errors": 1}
    assert results.job(whole.id) == ["claim.json", "lost.json"]
