"""The sweep: what crashed instances left open is ended, resumed, freed or settled, and what ended leaves the list."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.harness.orders import order
from tests.harness.site import Site

WORDS = ("finished", "settled", "lost", "unknown", "freed", "running", "queued", "closed", "deleted", "errors")
NOTHING = dict.fromkeys(WORDS, 0)


@pytest.fixture
def site(site: Site) -> Site:
    """A deployment that resumes what v2 submitted."""
    return site(SEGMIND_API="v2")


def test_a_lost_call_ends_as_unknown_and_keeps_its_slot(site: Site) -> None:
    """A call that never ended gets its lost.json: it may have been billed. Its slot stays, nothing is bought."""
    wreck = site.wreck().claimed().called().slot("7")
    assert site.sweep() == NOTHING | {"lost": 1}
    shown = site.show(wreck.id)
    assert (shown["status"], shown["error"]["code"]) == ("unknown", "outcome-unknown")
    assert site.results.job(wreck.id) == ["claim.json", "lost.json", "sent.json"]
    assert (site.slots, site.ledger.entries()) == (1, [])
    assert site.sweep() == NOTHING | {"unknown": 1}


def test_a_claim_without_a_call_is_freed(site: Site) -> None:
    """It died before `sent.json`: certainly not billed. Claim, slot and marker are gone, and the key buys an image."""
    site.wreck().claimed().slot("7").slot("8", token="of another claim")
    assert site.sweep() == NOTHING | {"freed": 1}
    assert [name.rpartition("/")[2] for name in site.storage.objects("results")] == ["8"]
    assert site.sweep() == NOTHING


def test_an_image_without_a_result_is_finished(site: Site) -> None:
    """The image is there and its claimant died before saying so: succeeded, with the receipt kept beside it."""
    wreck = site.wreck().claimed().with_image().slot("7")
    assert site.sweep() == NOTHING | {"finished": 1}
    shown = site.show(wreck.id)
    assert (shown["status"], shown["image"]["width"], shown["image"]["sha256"]) == ("succeeded", 1280, "0" * 64)
    receipt = {"requestId": "req-7", "costUsd": 0.1, "remainingCredits": 9.0, "generationSeconds": 30.5}
    assert shown["segmind"] == receipt
    assert (site.slots, site.ledger.entries()) == (1, [])


def test_a_submitted_generation_is_resumed(site: Site) -> None:
    """v2: the image is fetched by Segmind's id and stored; nothing is submitted again."""
    wreck = site.wreck().claimed().slot("7").submitted(site.submit(order()))
    assert site.sweep() == NOTHING | {"finished": 1}
    assert site.results.job(wreck.id) == ["claim.json", "image.jpg", "result.json", "submitted.json"]
    assert site.slots == site.bought == 1


def test_two_sweeps_at_once_end_everything_once(site: Site) -> None:
    """Both see the same wrecks: one end each, one image each, no slot too few, nothing bought."""
    lost = [site.wreck().claimed().called().slot(f"{i}") for i in range(10)]
    done = [site.wreck().claimed().slot(f"{10 + i}").submitted(site.submit(order())) for i in range(10)]
    with ThreadPoolExecutor(2) as scheduler:
        counts = list(scheduler.map(lambda _: site.sweep(), range(2)))
    assert all(count["errors"] == count["running"] == 0 for count in counts)
    assert [site.results.job(wreck.id) for wreck in lost] == [["claim.json", "lost.json", "sent.json"]] * 10
    ended = ["claim.json", "image.jpg", "result.json", "submitted.json"]
    assert [site.results.job(wreck.id) for wreck in done] == [ended] * 10
    assert (site.slots, site.bought) == (20, 10)
    site.rest()
    assert site.sweep() == NOTHING | {"unknown": 10}


def test_what_ended_costs_nothing(site: Site) -> None:
    """Open jobs before, between and after 300 ended ones are found, and the ended ones are not looked at."""
    for i in range(300):
        site.wreck(f"m{i:025d}").claimed(marked=False).failed("rejected-by-segmind", "no")
    wrecks = [site.wreck(f"{letter}{'a' * 25}").claimed().called() for letter in ("a", "m", "z")]
    calls = len(site.storage.calls)
    assert site.sweep()["lost"] == 3
    assert len(site.storage.calls) - calls <= 20 * len(wrecks) + 1
    assert ["lost.json" in site.results.job(wreck.id) for wreck in wrecks] == [True] * 3


@pytest.fixture
def late(site: Site) -> Site:
    """The deployment, an hour after the test began."""
    site.control.pass_time()
    return site.hasty()


def test_slots_of_what_was_not_billed_are_freed(late: Site) -> None:
    """A slot is free where its claim was given back or ended unbilled; one of another claim is never touched."""
    late.wreck().claimed().slot("1").slot("users/abc/3")
    late.wreck().claimed().called().failed("rejected-by-segmind", "no").slot("2")
    kept = late.wreck().claimed().called().lost().slot("4").slot("5", token="of an earlier claim of the same id")
    assert late.sweep() == NOTHING | {"freed": 1, "closed": 1, "unknown": 1}
    assert [name.rpartition("/")[2] for name in late.results.slots()] == ["4", "5"]
    assert late.results.job(kept.id) == ["claim.json", "lost.json", "sent.json"]


def test_slots_of_what_may_have_been_billed_are_kept(late: Site) -> None:
    """Succeeded, unknown, a bad image, an image that was not stored, a slot without an owner: none is freed."""
    late.wreck().claimed().with_image().slot("1")
    late.wreck().claimed().called().slot("2")
    late.wreck().claimed().called().lost().slot("3")
    late.wreck().claimed().failed("segmind-bad-image", "yes").slot("4")
    late.wreck().claimed().failed("image-not-stored", "yes").slot("5")
    day = late.results.slots()[0].rpartition("/")[0]
    late.storage.put("results", f"{day}/6", b"{}")
    late.sweep()
    assert [name.rpartition("/")[2] for name in late.results.slots()] == ["1", "2", "3", "4", "5", "6"]


def test_storage_that_fails_for_one_job_does_not_stop_the_others(site: Site) -> None:
    """One claim that cannot be read is counted as an error and found again; every other wreck is ended."""
    broken, whole = (site.wreck().claimed().called() for _ in range(2))
    site.storage.faults.answer(403, method="GET", name=f"jobs/{broken.id}/claim.json")
    counts = site.sweep()
    assert counts == NOTHING | {"lost": 1, "errors": 1}
    assert site.results.job(broken.id) == ["claim.json", "sent.json"]
    assert site.results.job(whole.id) == ["claim.json", "lost.json", "sent.json"]
    assert site.sweep()["lost"] == 1


@pytest.mark.parametrize("junk", [b"", b"{", b"[]", b"null", b'{"id": 7}', b"\xff"])
def test_a_claim_that_is_no_claim_does_not_stop_the_others(site: Site, junk: bytes) -> None:
    """A damaged object is an error of its own; the sweep goes on and ends the rest."""
    damaged = site.wreck("a" * 26).claimed()
    site.storage.put("results", f"jobs/{damaged.id}/claim.json", junk)
    whole = site.wreck().claimed().called()
    assert site.sweep() == NOTHING | {"lost": 1, "errors": 1}
    assert site.results.job(whole.id) == ["claim.json", "lost.json", "sent.json"]
