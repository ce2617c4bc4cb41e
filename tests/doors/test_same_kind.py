"""One pipeline behind three doors: the same request gives the same kind of result, whichever way it came."""

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from local.storage import StorageServer
from mock_segmind import FakeSegmind
from tests.doors.cloud import drop, queued_events
from tests.doors.conftest import Doors
from tests.doors.rig import Deployment
from tests.harness.bucket import Results
from tests.harness.orders import order, reference

Way: TypeAlias = Callable[[Deployment, StorageServer, dict[str, Any]], None]


def by_http(deployment: Deployment, _storage: StorageServer, body: dict[str, Any]) -> None:
    deployment.http.post(body, key="k")


def by_http_async(deployment: Deployment, storage: StorageServer, body: dict[str, Any]) -> None:
    deployment.http.post(body, key="k", Prefer="respond-async")
    _run_queued(deployment, storage)


def by_a_job_file(deployment: Deployment, storage: StorageServer, body: dict[str, Any]) -> None:
    deployment.events.deliver(drop(storage, "jobs/one.json", body))


def by_a_tick(deployment: Deployment, storage: StorageServer, body: dict[str, Any]) -> None:
    deployment.schedule.tick({"name": "nightly", "images": [body]})
    _run_queued(deployment, storage)


def _run_queued(deployment: Deployment, storage: StorageServer) -> None:
    for event in queued_events(storage):
        deployment.events.deliver(event)


WAYS: list[Way] = [by_http, by_http_async, by_a_job_file, by_a_tick]
ENDS = {
    "a good image": ("a boat @model", None),
    "a png": ("a boat @model [mock:png]", None),
    "refused": ("a boat @model [mock:moderation]", None),
    "unknown": ("a boat @model", "reset,on=v1+v2-submit"),
    "a bad image": ("a boat @model [mock:hosted-missing]", None),
}
OWN = ("id", "createdAt", "completedAt")  # what two equal orders do not share


@pytest.mark.parametrize("api", ["v1", "v2"])
@pytest.mark.parametrize(("prompt", "fault"), ENDS.values(), ids=ENDS)
def test_every_door_gives_the_same_kind_of_result(
    doors: Doors, segmind: FakeSegmind, storage: StorageServer, api: str, prompt: str, fault: str | None
) -> None:
    """Objects, slots, bill and resource of one request are alike over HTTP, queued, dropped as a file and scheduled."""
    deployment = doors(SEGMIND_API=api, MAX_IMAGES_PER_DAY="50")
    body = order(prompt, ratio="960:960", referenceImages=[reference("model", "https://a.example.com/m.png")])
    found = [_result(way, deployment, segmind, storage, body, fault) for way in WAYS]
    assert [other for other in found if other != found[0]] == []
    assert found[0]["bought"] == 1


def _result(
    way: Way,
    deployment: Deployment,
    segmind: FakeSegmind,
    storage: StorageServer,
    body: dict[str, Any],
    fault: str | None,
) -> dict[str, Any]:
    storage.clear()
    segmind.clear()
    if fault:
        segmind.faults.add(fault)
    way(deployment, storage, body)
    image_id, names = Results(storage).only_job()
    kept = {"names": names, "slots": len(Results(storage).slots()), "bought": len(segmind.ledger.generations())}
    return kept | {"sent": segmind.ledger.generations()[0].body, "shown": _alike(deployment.show(image_id), image_id)}


def _alike(shown: dict[str, Any], image_id: str) -> dict[str, Any]:
    """Return a resource without what is new in each: ids, times, URLs, what the fake draws into each image."""
    assert shown.pop("id") == image_id
    image, receipt, error = (shown.pop(name, None) for name in ("image", "segmind", "error"))
    return {
        **{name: value for name, value in shown.items() if name not in OWN},
        "fields": sorted(shown),
        "image": image and (sorted(image), image["contentType"], image["width"], image["height"]),
        "receipt": receipt and (sorted(receipt), receipt["costUsd"]),
        "error": error and {name: value for name, value in error.items() if name not in {"requestId", "detail"}},
    }
