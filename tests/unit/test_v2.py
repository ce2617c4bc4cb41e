"""The v2 client over the fake vendor and a clock that moves when code waits: how often it looks, when it ends."""

from dataclasses import dataclass, field

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imagegen.errors import OutcomeUnknown, SegmindError, SegmindFailed
from imagegen.model import ImageRequest
from imagegen.ports import Deadline, StillGenerating
from imagegen.segmind.client import SegmindClient
from imagegen.segmind.v2 import SegmindV2, receipt_in
from mock_segmind import FakeSegmind
from tests import strategies
from tests.harness.clock import FakeClock


@dataclass
class Client:
    """A client with 180 seconds, and the ids that it was told to write down."""

    segmind: FakeSegmind
    clock: FakeClock = field(default_factory=FakeClock)
    written: list[str] = field(default_factory=list)
    refusals: int = 0

    def __post_init__(self) -> None:
        calls = SegmindClient(self.segmind.key, self.segmind.url, self.clock, 2)
        self.v2 = SegmindV2(calls, self.clock)
        self.deadline = Deadline.within(self.clock, 180)

    def generate(self, prompt: str) -> bytes:
        with self.v2.generate(ImageRequest(prompt), self.deadline, self.write) as generation:
            return generation.read(0.0).data

    def write(self, segmind_id: str) -> bool:
        self.written.append(segmind_id)
        return len(self.written) > self.refusals

    @property
    def looks(self) -> int:
        return len(self.segmind.ledger.entries("v2-status"))


@pytest.fixture
def client(segmind: FakeSegmind) -> Client:
    """A client of a vendor that is as new."""
    return Client(segmind)


def test_looks_become_rarer(client: Client) -> None:
    """A generation of half a minute is looked at about a dozen times, and its end is noticed within 3 seconds."""
    started = client.clock.monotonic()
    client.generate("a boat [mock:v2-polls=12]")
    assert client.looks == 13
    assert 27 <= client.clock.monotonic() - started <= 30


def test_a_generation_that_does_not_end_is_left_at_the_deadline(client: Client) -> None:
    """StillGenerating, not an error, and never later than the deadline."""
    with pytest.raises(StillGenerating):
        client.generate("a boat [mock:v2-stuck]")
    assert 0 <= client.deadline.left <= 3
    assert 55 <= client.looks <= 65


@pytest.mark.parametrize("fault", ["503", "429", "500", "401", "400,body=html", "moderation", "502", "v2-expired"])
def test_trouble_until_the_deadline_says_nothing_about_the_generation(client: Client, fault: str) -> None:
    """However long looking fails, or finds no record, the generation is not declared dead: it is StillGenerating."""
    client.segmind.faults.add(f"{fault},on=v2-status", times=None)
    with pytest.raises(StillGenerating):
        client.generate("a boat")


@pytest.mark.parametrize(("minutes", "lost"), [(59, False), (61, True)])
def test_a_record_expires_an_hour_after_the_submit(client: Client, minutes: int, lost: bool) -> None:
    """Then a record that is gone stays gone: what became of the generation cannot be asked here any more."""
    since = client.clock.now()
    client.generate("a boat")
    client.segmind.faults.add("v2-expired,on=v2-status", times=None)
    client.clock.advance(60 * minutes)
    with pytest.raises(OutcomeUnknown if lost else StillGenerating):
        client.v2.resume(client.written[0], since, Deadline.within(client.clock, 2))


@pytest.mark.parametrize(("minutes", "lost"), [(24 * 60 - 1, False), (24 * 60, True)])
@pytest.mark.parametrize("trouble", ["[mock:v2-stuck]", "[mock:503,on=v2-status]"])
def test_what_has_no_end_after_a_day_is_unknown(client: Client, minutes: int, lost: bool, trouble: str) -> None:
    """Whether Segmind says that it is at work or says nothing: no sweep waits for it for ever."""
    since = client.clock.now()
    with pytest.raises(StillGenerating):
        client.generate(f"a boat {trouble}")
    client.clock.advance(60 * minutes - (client.clock.now() - since).total_seconds())
    with pytest.raises(OutcomeUnknown if lost else StillGenerating):
        client.v2.resume(client.written[0], since, Deadline.within(client.clock, 2))


@pytest.mark.parametrize("refusals", [0, 3])
def test_an_id_is_handed_over_until_it_is_written(client: Client, refusals: int) -> None:
    """Before the first look; a resumed generation, by that id alone, buys nothing."""
    client.refusals = refusals
    bought = client.generate("a boat [mock:v2-polls=9]")
    assert client.written == [client.segmind.ledger.billed()[0].request_id] * (1 + refusals)
    with client.v2.resume(client.written[0], client.clock.now(), client.deadline) as generation:
        assert generation.read(0.0).data == bought
    assert len(client.segmind.ledger.generations()) == 1


@pytest.mark.parametrize("strange", ["../v1/runway-gen4-image", "a/b?c#d", "ü", "%2e%2e", ""])
def test_an_id_cannot_name_another_endpoint(client: Client, strange: str) -> None:
    """An id is quoted into the path: nothing but that request's record is ever asked for."""
    client.segmind.faults.add("v2-expired,on=v2-status+v2-result", times=None, optional=True)
    with pytest.raises((OutcomeUnknown, SegmindError, StillGenerating)):
        client.v2.resume(strange, client.clock.now(), client.deadline)
    assert client.segmind.ledger.generations() == []
    client.segmind.clear()


def test_what_failed_can_be_tried_again(client: Client) -> None:
    """FAILED by Segmind's own fault was not billed."""
    with pytest.raises(SegmindFailed, match="The workers are gone") as caught:
        client.generate("a boat [mock:v2-failed,message=The workers are gone]")
    assert (caught.value.billed, caught.value.frees_key) == ("no", True)


METRICS = st.dictionaries(st.sampled_from(["cost", "remaining_credits", "inference_time"]), strategies.json_values)


@example({"cost": 10**400}, "an integer that is no float")
@given(st.one_of(METRICS, strategies.json_values), strategies.json_values)
def test_any_record_has_a_receipt(metrics: object, request_id: object) -> None:
    """For anything that stands where numbers should be: a number that is finite, or nothing."""
    receipt = receipt_in({"metrics": metrics, "request_id": request_id})
    numbers = (receipt.cost_usd, receipt.remaining_credits, receipt.generation_seconds)
    assert all(found is None or abs(found) < 1e12 for found in numbers)
    assert receipt.request_id is None or isinstance(receipt.request_id, str)
