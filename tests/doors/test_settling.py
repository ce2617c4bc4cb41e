"""No unknown is left behind: what the vendor's history says of a cut call ends it, over HTTP and by the sweep."""

import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.harness.orders import order
from tests.harness.site import Site


@pytest.fixture
def site(site: Site) -> Site:
    """A deployment of its own that may ask the history: a process remembers for seconds what it read there."""
    return site.fresh(SEGMIND_HISTORY_URL=site.segmind.history_url)


def unknown(site: Site, magic: str, prompt: str = "a boat", key: str = "k") -> str:
    """Order an image whose answer never comes; return its id."""
    made = site.post(order(f"{prompt} {magic}"), key)
    assert (made.status_code, made.json()["billed"]) == (504, "maybe")
    assert made.headers["x-should-retry"] == "false"
    return made.headers["Location"].rpartition("/")[2]


@pytest.mark.parametrize("ask", ["get", "sweep"])
@pytest.mark.parametrize("magic", ["[mock:reset]", "[mock:504,billed=true]", "[mock:reset-body]"])
def test_an_image_whose_answer_was_lost_is_recovered(site: Site, magic: str, ask: str) -> None:
    """The call was billed once; the image is fetched, stored and answered for the key, and nothing is bought again."""
    image_id = unknown(site, magic)
    if ask == "sweep":
        assert site.sweep()["settled"] == 1
    shown = site.show(image_id)
    assert (shown["status"], shown["segmind"]["costUsd"]) == ("succeeded", 0.1)
    assert requests.get(shown["image"]["url"], timeout=10).content == site.results.read(image_id, "image.jpg")
    again = site.post(order(f"a boat {magic}"), "k")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert (site.bought, site.billed, site.slots) == (1, 1, 1)
    site.rest()
    assert site.storage.objects("results", "open/") == []
    usage = site.get("/v1/usage").json()["total"]
    assert (usage["images"], usage["unknown"], usage["costUsd"]) == (1, 0, 0.1)


def test_what_failed_without_a_bill_frees_its_slot(site: Site) -> None:
    """FAILED at no cost: the end is failed, billed no, and the cap has its slot back."""
    image_id = unknown(site, "[mock:reset][mock:history-failed]")
    shown = site.show(image_id)
    assert (shown["status"], shown["error"]["billed"], site.slots) == ("failed", "no", 0)
    assert site.get("/v1/usage").json()["total"]["unknown"] == 0


def test_a_row_that_lands_late_is_waited_for(site: Site) -> None:
    """An absent row proves nothing: unknown now, recovered by the first sweep after it landed."""
    image_id = unknown(site, "[mock:reset][mock:history-late=3600]")
    assert (site.show(image_id)["status"], site.sweep()["unknown"]) == ("unknown", 1)
    site.segmind.clock.advance(3700)
    site.fresh(SEGMIND_HISTORY_URL=site.segmind.history_url).sweep()
    assert site.show(image_id)["status"] == "succeeded"
    assert site.bought == 1


@pytest.mark.parametrize("trouble", ["401,on=history", "500,on=history", "history-html", "404,on=history"])
def test_a_history_that_cannot_be_read_changes_nothing(site: Site, trouble: str) -> None:
    """It stays unknown, is answered at once, and is settled when the history is back."""
    site.segmind.faults.add(trouble, times=None)
    image_id = unknown(site, "[mock:reset]")
    assert site.show(image_id)["status"] == "unknown"
    assert site.post(order("another boat"), "k2").status_code == 200
    site.segmind.faults.clear()
    later = site.fresh(SEGMIND_HISTORY_URL=site.segmind.history_url)
    assert later.sweep()["settled"] == 1
    assert later.show(image_id)["status"] == "succeeded"


def test_reconcile_names_what_no_job_explains(site: Site) -> None:
    """A bill of the account that is not ours is in the report of its day, with its cost; ours are in both."""
    site = site.hasty(SEGMIND_HISTORY_URL=site.segmind.history_url)
    for number in range(3):
        assert site.post(order(f"boat {number}")).status_code == 200
    site.segmind.add_foreign("a cat", cost=0.1)
    site.control.pass_time(24 * 3600)
    report = site.schedule.call("POST", "/reconcile").json()
    assert (report["both"], report["oursOnly"], report["vendorsOnly"], report["vendorsOnlyUsd"]) == (3, 0, 1, 0.1)
    assert site.storage.objects("results", "reports/") == [f"reports/{report['day']}.json"]
    assert [line["vendorsOnly"] for line in site.new_logs(site.schedule, "reconciled")] == [1]


def test_a_deleted_image_is_gone_for_good(site: Site) -> None:
    """204 and again 204; then 410 for GET and for the key, and nothing of the prompt is in the bucket."""
    made = site.post(order("a very private boat"), "k")
    path = made.headers["Location"]
    assert [site.call("DELETE", path).status_code for _ in range(2)] == [204, 204]
    assert (site.get(path).status_code, site.post(order("a very private boat"), "k").status_code) == (410, 410)
    assert site.call("DELETE", f"/v1/images/{'a' * 26}").status_code == 404
    left = [name for name in site.storage.objects("results") if b"private" in site.storage.read("results", name)]
    assert (left, site.bought, site.results.images()) == ([], 1, [])


CUTS = ("reset", "reset-body", "504,billed=true", "reset][mock:history-failed", "reset][mock:history-never")


def test_many_cut_calls_are_settled(site: Site, counts: Callable[[str], None]) -> None:
    """Of CUT_CALLS cut calls those with a row end, recovered or free, also equal ones; nothing is counted twice."""
    number = int(os.environ.get("CUT_CALLS", "200"))
    site = site.fresh(SEGMIND_HISTORY_URL=site.segmind.history_url, MAX_IMAGES_PER_DAY=str(2 * number))

    def cut(i: int) -> int:
        return site.post(order(f"boat {i - (i % 10 == 1)} [mock:{CUTS[i % 10 // 2]}]"), f"key-{i}").status_code

    with ThreadPoolExecutor(8) as callers:
        assert set(callers.map(cut, range(number))) == {504}
    assert site.ledger.settle()
    billed, ends = site.billed, Counter[str]()
    for _ in range(4):
        ends.update(site.fresh(SEGMIND_HISTORY_URL=site.segmind.history_url).sweep(timeout=900))
    site.rest()
    total, rows = site.get("/v1/usage").json()["total"], number - number // 5
    found = total["images"] + sum(total["failed"].values())
    counts(f"{number} cut calls, {rows} with a row: {found} settled, {total}, slots {site.slots}")
    assert found >= 0.99 * rows
    assert (site.bought, site.billed, total["images"] + total["unknown"]) == (number, billed, site.slots)
    assert total["images"] == len(site.results.images())
    assert len(site.storage.objects("results", "settled/")) == found
