"""One pipeline behind three doors: the same request gives the same kind of result, whichever way it came."""

from typing import Any

import pytest

from tests.harness.orders import Body, order, reference
from tests.harness.site import Site
from tests.harness.ways import Way, by_a_batch, by_a_job_file, by_http, by_the_queue

WAYS: list[Way] = [by_http, by_the_queue, by_a_job_file, by_a_batch]
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
def test_every_door_gives_the_same_kind_of_result(hasty: Site, api: str, prompt: str, fault: str | None) -> None:
    """Objects, slots, bill and resource of one request are alike over HTTP, queued, dropped as a file and scheduled."""
    body = order(prompt, ratio="960:960", referenceImages=[reference("model", "https://a.example.com/m.png")])
    found = [_result(way, hasty(SEGMIND_API=api), body, fault) for way in WAYS]
    assert [other for other in found if other != found[0]] == []
    assert found[0]["bought"] == 1


def _result(way: Way, site: Site, body: Body, fault: str | None) -> dict[str, Any]:
    site.storage.clear()
    site.segmind.clear()
    if fault:
        site.segmind.faults.add(fault)
    way(site, body, "k")
    site.run_queued()
    image_id, names = site.results.only_job()
    kept = {"names": names, "slots": site.slots, "bought": site.bought}
    return kept | {"sent": site.ledger.generations()[0].body, "shown": _alike(site.show(image_id), image_id)}


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
