"""Finalize events as the platform sends them: one for each new object of a watched bucket, until it is taken."""

import json
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import requests

from local.events import Subscription
from local.storage import StorageServer
from tests.harness.receiver import Receiver

FINALIZED = "google.cloud.storage.object.v1.finalized"
NOWHERE = "http://127.0.0.1:9"
BUCKETS = ("results", "uploads")


def names_of(receiver: Receiver) -> list[str]:
    """Return the object's name of each delivery."""
    return [json.loads(body)["name"] for _, body in receiver.deliveries]


def serving(directory: Path, url: str, **settings: Any) -> StorageServer:  # noqa: ANN401  # Subscription's own
    """Return a storage server that tells `url` of new objects in the bucket `uploads`, and repeats quickly."""
    subscription = Subscription(url, ("uploads",), first_pause=0.01, longest_pause=0.05, **settings)
    return StorageServer(directory, buckets=BUCKETS, subscription=subscription)


def test_each_new_object_is_one_event(tmp_path: Path, receiver: Receiver) -> None:
    """However it was written. Not so a refused write, a deletion, or another bucket's object."""
    with serving(tmp_path, receiver.url) as storage:
        first = storage.put("uploads", "a", b"1")
        storage.put("uploads", "a", b"2")
        objects = f"{storage.url}/storage/v1/b/uploads/o"
        upload = f"{storage.url}/upload/storage/v1/b/uploads/o?uploadType=media"
        requests.post(f"{upload}&name=b", data=b"3", timeout=30).raise_for_status()
        requests.delete(f"{objects}/b", timeout=30).raise_for_status()
        storage.put("results", "d", b"4")
        refused = requests.post(f"{upload}&name=a&ifGenerationMatch=0", data=b"5", timeout=30)
        storage.events.settle()
        report = storage.events.report()
    assert refused.status_code == 412
    assert sorted(names_of(receiver)) == ["a", "a", "b"]
    assert len(set(receiver.headers("ce-id"))) == 3
    assert (report["pending"], report["delivered"], report["attempts"]) == (0, 3, 3)
    assert str(first.generation) in {json.loads(body)["generation"] for _, body in receiver.deliveries}


def test_an_event_is_a_cloud_event_in_binary_mode(tmp_path: Path, receiver: Receiver) -> None:
    """Its attributes are headers, and its body is the object's resource as the API shows it."""
    with serving(tmp_path, receiver.url) as storage:
        stored = storage.put("uploads", "jobs/grün 100%.json", b"{}", content_type="application/json", prompt="x")
        storage.events.settle()
        shown = requests.get(f"{storage.url}/storage/v1/b/uploads/o/jobs%2Fgr%C3%BCn%20100%25.json", timeout=30).json()
    ((headers, body),) = receiver.deliveries
    assert {name: value for name, value in headers.items() if name.startswith("ce-")} == {
        "ce-id": headers["ce-id"],
        "ce-specversion": "1.0",
        "ce-type": FINALIZED,
        "ce-source": "//storage.googleapis.com/projects/_/buckets/uploads",
        "ce-subject": "objects/jobs/gr%C3%BCn%20100%25.json",
        "ce-time": stored.created,
    }
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == shown
    assert shown["metadata"] == {"prompt": "x"}


def test_an_event_comes_again_until_it_is_taken(tmp_path: Path, receiver: Receiver) -> None:
    """Any answer but a 2xx brings it again; each time it is the same event."""
    receiver.statuses.extend([503, 500, 404, 302])
    with serving(tmp_path, receiver.url) as storage:
        storage.put("uploads", "a", b"1")
        storage.events.settle()
        asked = {"bucket": "uploads", "name": "a"}
        (event,) = requests.get(f"{storage.url}/_local/events", params=asked, timeout=30).json()["events"]
    assert event["answers"] == [503, 500, 404, 302, 204]
    assert len(receiver.deliveries) == 5
    assert len({body for _, body in receiver.deliveries}) == len(set(receiver.headers("ce-id"))) == 1


def test_an_event_outlives_a_kill(tmp_path: Path, receiver: Receiver) -> None:
    """No receiver listened, and the server was killed: the next one delivers it, as often as was still outstanding."""
    command = [sys.executable, "-m", "local.storage", "--directory", str(tmp_path), "--bucket", "uploads"]
    subscribed = ["--watch", "uploads", "--notify", NOWHERE, "--deliveries", "2"]
    process = subprocess.Popen([*command, *subscribed], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    url = process.stdout.readline().split()[1]
    for name in ("a", "b"):
        upload = f"{url}/upload/storage/v1/b/uploads/o?uploadType=media&name={name}"
        requests.post(upload, data=b"1", timeout=30).raise_for_status()
    before = requests.get(f"{url}/_local/events", timeout=30).json()
    process.kill()
    process.communicate()
    with serving(tmp_path, receiver.url) as storage:
        storage.events.settle()
    assert before["pending"] == 2
    assert Counter(receiver.headers("ce-id")) == {event["id"]: 2 for event in before["events"]}
    with serving(tmp_path, receiver.url) as storage:
        assert storage.events.report()["pending"] == 0


def test_events_come_several_times_and_in_another_order(tmp_path: Path, receiver: Receiver) -> None:
    """As the switch says; each delivery is answered, and tried again, for itself."""
    receiver.statuses.extend([503] * 5)
    names = [f"{number:02}" for number in range(30)]
    with serving(tmp_path, receiver.url, deliveries=3, shuffle=True, shuffled_over=0.2) as storage:
        for name in names:
            storage.put("uploads", name, b"1")
        storage.events.settle()
        report = storage.events.report()
    assert (report["delivered"], report["attempts"]) == (30, 95)
    assert set(Counter(names_of(receiver))) == set(names)
    assert len(receiver.deliveries) == 95
    assert list(dict.fromkeys(names_of(receiver))) != names


def test_no_more_are_under_way_than_there_are_workers(tmp_path: Path, receiver: Receiver) -> None:
    """Six events, two workers: they come in pairs. A third at the same time would break the barrier."""
    pair, flying, most, lock = threading.Barrier(2, timeout=30), [0], [0], threading.Lock()

    def meet() -> None:
        with lock:
            flying[0] += 1
            most[0] = max(most[0], flying[0])
        pair.wait()
        with lock:
            flying[0] -= 1

    receiver.before = meet
    with serving(tmp_path, receiver.url, workers=2) as storage:
        for number in range(6):
            storage.put("uploads", str(number), b"1")
        storage.events.settle()
    assert (most, len(receiver.deliveries)) == ([2], 6)


def test_clearing_forgets_what_is_pending(tmp_path: Path, receiver: Receiver) -> None:
    """Also what the next start would deliver; and what is under way just then does not come back."""
    with serving(tmp_path, receiver.url) as storage:
        receiver.statuses.append(503)
        receiver.before = storage.clear
        storage.put("uploads", "a", b"1")
        storage.events.settle()
        receiver.before = lambda: None
        storage.put("uploads", "b", b"1")
        storage.events.settle()
        assert storage.events.report()["delivered"] == 1
    with serving(tmp_path, receiver.url) as storage:
        storage.events.settle()
    assert names_of(receiver) == ["a", "b"]


def test_waiting_for_what_does_not_come_says_what_it_is(tmp_path: Path, storage: StorageServer) -> None:
    """Without a subscription there are no events, and nothing is waited for."""
    storage.put("uploads", "a", b"1")
    assert storage.events.report() == {"pending": 0, "delivered": 0, "attempts": 0, "events": []}
    with serving(tmp_path, NOWHERE) as lost:
        lost.put("uploads", "jobs/a.json", b"1")
        with pytest.raises(TimeoutError, match=r"jobs/a\.json"):
            lost.events.settle(0)


def test_pauses_double_up_to_the_longest() -> None:
    subscription = Subscription(NOWHERE, (), first_pause=0.5, longest_pause=30.0)
    assert [subscription.pause(tries) for tries in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert subscription.pause(10_000) == 30
