"""on_upload and at-least-once delivery: repeated, reordered and concurrent events buy each image once."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.storage import StorageServer
from mock_segmind import FakeSegmind
from tests.doors.cloud import drop, job
from tests.doors.conftest import Doors
from tests.harness.bucket import Results


@pytest.mark.parametrize("api", ["v1", "v2"])
def test_concurrent_deliveries_of_one_event_are_one_call(
    doors: Doors, segmind: FakeSegmind, storage: StorageServer, results: Results, api: str
) -> None:
    """Eight deliveries to two instances at the same moment: one buys, the others wait for it; all are acknowledged."""
    deployment = doors(SEGMIND_API=api, MAX_IMAGES_PER_DAY="50")
    servers = [deployment.events, deployment.another_events()]
    segmind.settings.latency = 0.3
    event = drop(storage, "jobs/one.json", job())
    with ThreadPoolExecutor(8) as platform:
        statuses = list(platform.map(lambda i: servers[i % 2].deliver(event), range(8)))
    assert statuses == [200] * 8
    assert len(segmind.ledger.generations()) == len(results.images()) == len(results.slots()) == 1


def test_an_older_event_that_comes_late_buys_nothing(
    doors: Doors, segmind: FakeSegmind, storage: StorageServer, results: Results
) -> None:
    """A file written twice, its events in the wrong order: the newer one is an image, the older one left alone."""
    deployment = doors()
    older, newer = (drop(storage, "jobs/one.json", job(prompt)) for prompt in ("the old one", "the new one"))
    assert [deployment.events.deliver(event) for event in (newer, older, newer)] == [200] * 3
    assert [entry.prompt for entry in segmind.ledger.generations()] == ["the new one"]
    assert len(results.jobs()) == 1


def test_a_hundred_events_three_times_each_are_a_hundred_images(
    doors: Doors, segmind: FakeSegmind, storage: StorageServer, results: Results, counts: Callable[[str], None]
) -> None:
    """100 events, delivered three times each in random order to two processes: 100 billed calls, 100 images."""
    deployment = doors(MAX_IMAGES_PER_DAY="1000")
    servers = [deployment.events, deployment.another_events()]
    events = [drop(storage, f"jobs/{i}.json", job(f"boat number {i}")) for i in range(100)]
    deliveries = [(random.choice(servers), event) for event in events for _ in range(3)]
    random.shuffle(deliveries)
    with ThreadPoolExecutor(16) as platform:
        statuses = list(platform.map(lambda pair: pair[0].deliver(pair[1]), deliveries))
    found = {
        "deliveries": len(statuses),
        "billed": len(segmind.ledger.billed()),
        "images": len(results.images()),
        "slots": len(results.slots()),
    }
    counts(f"100 events, three times each, to two processes: {found}")
    assert set(statuses) == {200}
    assert found == {"deliveries": 300, "billed": 100, "images": 100, "slots": 100}
    assert {entry.prompt for entry in segmind.ledger.billed()} == {f"boat number {i}" for i in range(100)}
