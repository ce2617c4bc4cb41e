"""No unknown is left behind: what the vendor's history says ends a job, once, and never by a guess."""

from datetime import timedelta

import pytest

from imagegen.errors import OutcomeUnknown, SegmindBadImage
from imagegen.model import Claim
from imagegen.pipeline.account import Usage
from imagegen.pipeline.claims import image_id
from tests.harness.fakes import PICTURE, Crash, Scene, World, history_row

ASKS = pytest.mark.parametrize("asks", ["sweep", "get", "both"])


class Lost(World):
    """Calls that were cut after they were sent; their leases ended, and a sweep has given them up."""

    def __init__(self, *keys: str, apart: float = 60.0, per_day: int = 5, submits: str | None = None) -> None:
        super().__init__(per_day=per_day)
        self.claims: list[Claim] = []
        for key in keys or ("key-1",):
            self.generator.scenes = [Scene(raised=Crash(), seconds=0.0, submits=submits)]
            self.dies(key)
            self.claims.append(self.claim_of(key))
            self.clock.advance(apart)
        self.end_lease()
        if submits is None:
            self.sweep.run()

    def claim_of(self, key: str) -> Claim:
        claim = self.jobs.state(image_id("", key), self.soon).claim
        assert claim
        return claim

    def row(self, request_id: str = "r1", status: str = "COMPLETED", number: int = 0, **known: object) -> None:
        """Let the history list a call of a claim, a second after it was claimed."""
        called = self.claims[number].created_at + timedelta(seconds=1)
        cost = 0.1 if status == "COMPLETED" else None
        row = history_row(called, **{"request_id": request_id, "status": status, "cost_usd": cost, **known})
        self.history.rows.append(row)

    def settle(self, asks: str = "sweep") -> None:
        if asks in {"get", "both"}:
            for claim in self.claims:
                self.other().service.status(claim.id, None)
        if asks in {"sweep", "both"}:
            self.other().sweep.run()

    def ends(self) -> list[str]:
        """Return how each job stands, as the bucket says it."""
        states = [self.jobs.state(claim.id, self.soon) for claim in self.claims]
        return [state.ending.status if state.ending else "running" for state in states]

    def usage(self) -> Usage:
        (found,) = self.other().core.account.usage([self.claims[0].created_at.date()], self.soon)
        return found


@ASKS
def test_a_completed_call_is_recovered(asks: str) -> None:
    """The image is fetched and stored, the end written over the unknown, the account says so, the marker goes."""
    world = Lost()
    assert (world.ends(), world.usage().unknown) == (["unknown"], 1)
    world.row()
    world.settle(asks)
    ending = world.end()
    assert ending.image
    assert (ending.status, ending.image.sha256) == ("succeeded", PICTURE.sha256)
    assert ending.segmind
    assert (ending.segmind.request_id, ending.segmind.cost_usd) == ("r1", 0.1)
    assert (world.usage().images, world.usage().unknown, float(world.usage().usd)) == (1, 0, 0.1)
    assert (world.objects.names("open/"), len(world.slots()), len(world.generator.bought)) == ([], 1, 1)


@ASKS
@pytest.mark.parametrize(("cost", "billed", "slots"), [(None, "no", 0), (0.1, "yes", 1)], ids=["free", "billed"])
def test_a_call_that_failed_is_billed_by_its_cost(asks: str, cost: float | None, billed: str, slots: int) -> None:
    """Its end is failed; without a cost the slot comes back, and the second entry of the account wins."""
    world = Lost()
    world.row(status="FAILED", error="the model broke", cost_usd=cost)
    world.settle(asks)
    ending = world.end()
    assert ending.error
    assert (ending.status, ending.error.billed, "the model broke" in ending.error.detail) == ("failed", billed, True)
    assert (world.usage().taken, world.usage().unknown, len(world.slots())) == (slots, 0, slots)
    assert (float(world.usage().usd), len(world.objects.names("ledger/"))) == (cost or 0.0, 2)
    assert world.objects.names("open/") == []


@ASKS
@pytest.mark.parametrize(
    ("status", "known"),
    [
        (None, {}),
        ("PENDING", {}),
        ("COMPLETED", {"fingerprint": "of another request"}),
        ("COMPLETED", {"fingerprint": None}),
        ("COMPLETED", {"created_at": None}),
        ("COMPLETED", {"created_at": "too early"}),
        ("COMPLETED", {"created_at": "too late"}),
    ],
)
def test_what_is_not_certain_settles_nothing(asks: str, status: str | None, known: dict[str, object]) -> None:
    """No row, one that runs, or one that may be another call's: unknown it stays, with slot and marker."""
    world = Lost()
    claim = world.claims[0]
    moments = {
        "too early": claim.created_at - timedelta(minutes=2, seconds=1),
        "too late": claim.lease_ends_at + timedelta(minutes=2, seconds=1),
    }
    if status:
        moment = known.get("created_at")
        world.row("r1", status, 0, **(known | ({"created_at": moments[moment]} if isinstance(moment, str) else {})))
    before = world.objects.names()
    world.settle(asks)
    assert world.ends() == ["unknown"]
    assert world.objects.names() == before
    assert (world.usage().unknown, len(world.slots())) == (1, 1)


@ASKS
def test_two_rows_of_one_call_are_one(asks: str) -> None:
    """A request with two outputs has a row for each, every one with the whole cost."""
    world = Lost()
    world.row()
    world.row()
    world.settle(asks)
    assert (world.ends(), float(world.usage().usd)) == (["succeeded"], 0.1)


@ASKS
def test_candidates_that_differ_in_outcome_are_not_chosen_from(asks: str) -> None:
    """One of two possible rows completed and one failed: which is ours is not known, so it stays unknown."""
    world = Lost()
    world.row("r1")
    world.row("r2", "FAILED")
    world.settle(asks)
    assert (world.ends(), world.objects.names("settled/")) == (["unknown"], [])


@ASKS
def test_a_history_that_is_down_changes_nothing(asks: str) -> None:
    """The unknown is told as before; when the history is back, it ends."""
    world = Lost()
    world.row()
    world.history.down = True
    world.settle(asks)
    assert world.ends() == ["unknown"]
    world.history.down = False
    world.settle(asks)
    assert world.ends() == ["succeeded"]


def test_an_image_that_is_gone_at_the_vendor() -> None:
    """The history has the call, the hosted image cannot be fetched any more: unknown, and tried again each time."""
    world = Lost()
    world.row()
    world.history.images["r1"] = SegmindBadImage("404")
    world.settle("both")
    assert (world.ends(), len(world.slots())) == (["unknown"], 1)
    world.history.images.clear()
    world.settle()
    assert world.ends() == ["succeeded"]


def test_a_v2_call_is_found_by_its_id() -> None:
    """Where Segmind's id is known nothing is compared; a row of an equal request is not looked at."""
    world = Lost(submits="seg-1")
    world.generator.resumes = [Scene(raised=OutcomeUnknown("expired"), seconds=0.0)]
    world.sweep.run()
    world.row("seg-2", "FAILED")
    world.settle()
    assert world.ends() == ["unknown"]
    world.row("seg-1", fingerprint=None, created_at=None)
    world.settle()
    assert (world.ends(), world.objects.names("settled/")) == (["succeeded"], ["settled/seg-1"])


def test_an_unknown_without_its_request_is_not_asked_about() -> None:
    """Its `sent.json` is gone, so no row could be told to be its own."""
    world = Lost()
    (sent,) = (info for info in world.objects.list("jobs/", world.soon) if info.name.endswith("/sent.json"))
    world.objects.delete(sent.name, sent.generation, world.soon)
    world.row()
    asked = world.history.asked
    world.settle("both")
    assert (world.history.asked, world.ends()) == (asked, ["unknown"])
