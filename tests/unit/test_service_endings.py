"""Every end that a generation can come to: what is answered, what is written, what is given back, what comes again."""

import pytest

from imagegen.errors import BY_CODE, InvalidRequest, SegmindBadImage
from imagegen.failure import Problem, ServiceError
from tests.cases import Case, load, named
from tests.harness.fakes import PICTURE, RECEIPT, Scene, World

ROWS = load("contract_errors")
SEGMINDS = [row for row in ROWS if row.get("segmind")]
FREED = [row for row in SEGMINDS if row["frees"]]
KEPT = [row for row in SEGMINDS if not row["frees"]]


def error_of(code: str) -> ServiceError:
    return BY_CODE[code]("what Segmind said")


def test_the_table_has_every_error() -> None:
    """No error exists that the contract's tables do not name, and none of theirs is missing."""
    assert sorted(row["code"] for row in ROWS) == sorted(BY_CODE)


def test_a_good_end() -> None:
    """An image is bought once, stored whole with its size and digest, and the result says so."""
    world = World(per_day=3)
    ending = world.end()
    assert ending.image
    assert (ending.status, ending.segmind, ending.image.sha256) == ("succeeded", RECEIPT, PICTURE.sha256)
    assert world.objects.data(ending.image.name) == PICTURE.data
    assert world.left() == ["claim.json", "image.jpg", "result.json", "sent.json"]
    assert len(world.slots()) == 1
    assert not world.generator.generations[0].open


@pytest.mark.parametrize("row", FREED, ids=named)
def test_a_free_failure_leaves_nothing(row: Case) -> None:
    """Neither claim nor slot remains, so that the same key buys the image when it is tried again."""
    world = World(Scene(raised=error_of(row["code"])), per_day=3)
    with pytest.raises(BY_CODE[row["code"]]):
        world.ask()
    assert world.objects.names() == []
    assert (world.end().status, len(world.generator.bought)) == ("succeeded", 2)


@pytest.mark.parametrize("row", KEPT, ids=named)
def test_a_kept_failure_is_answered_again(row: Case) -> None:
    """It is written down once, answered as written, never bought again; a slot comes back where nothing was billed."""
    world = World(Scene(raised=error_of(row["code"])), per_day=3)
    first, again = world.ask(), world.ask()
    assert first.ending
    assert again.ending == first.ending
    assert (first.ending.status, first.ending.error_code) == (row["ends"], row["code"])
    assert (first.replayed, again.replayed, len(world.generator.bought)) == (False, True, 1)
    assert world.left() == ["claim.json", "lost.json" if row["billed"] == "maybe" else "result.json", "sent.json"]
    assert len(world.slots()) == (row["billed"] != "no")


@pytest.mark.parametrize("code", ["outcome-unknown", "segmind-bad-image"])
def test_a_failure_while_the_body_is_read_is_kept(code: str) -> None:
    """After the headers of a 200 it is paid for: the end stands, the slot stays, the connection is given up."""
    world = World(Scene(body=error_of(code)), per_day=1)
    ending = world.end()
    assert ending.error_code == code
    assert (len(world.slots()), len(world.generator.bought)) == (1, 1)
    assert not world.generator.generations[0].open


def test_what_was_no_image_is_kept_for_the_dispute() -> None:
    """`rejected` holds what came with the 200, cut to 1 MiB."""
    world = World(Scene(body=SegmindBadImage("it is HTML", b"<html>" * 400_000)))
    outcome = world.ask()
    assert world.left() == ["claim.json", "rejected", "result.json", "sent.json"]
    assert world.objects.data(f"jobs/{outcome.claim.id}/rejected") == (b"<html>" * 400_000)[: 1 << 20]


def test_a_cap_that_is_reached_frees_the_key() -> None:
    """The one too many is told so, costs nothing, leaves nothing, and names the seconds to midnight UTC."""
    world = World(per_day=1)
    world.ask("first")
    with pytest.raises(BY_CODE["daily-limit-reached"]) as caught:
        world.ask("second")
    assert caught.value.retry_after == 12 * 3600 - 30
    assert (world.left(), len(world.generator.bought)) == (["claim.json", "image.jpg", "result.json", "sent.json"], 1)
    world.clock.advance(12 * 3600)
    assert world.ask("second").ending


def test_a_reference_that_cannot_be_delivered_frees_the_key() -> None:
    """A reference may be uploaded a moment later; nothing was spent on finding it missing."""
    world = World(per_day=1)
    world.delivery.error = InvalidRequest((Problem("/referenceImages/0/uri", "there is no such object"),))
    with pytest.raises(InvalidRequest):
        world.ask()
    assert (world.objects.names(), world.generator.bought) == ([], [])


def test_our_own_bug_never_frees_a_key() -> None:
    """What a bug interrupted is not known: the claim holds until its lease ends, and is then declared lost."""
    world = World(Scene(raised=KeyError("a bug")), per_day=1)
    with pytest.raises(KeyError):
        world.ask()
    assert (world.left(), len(world.slots())) == (["claim.json", "sent.json"], 1)
    world.end_lease()
    ending = world.end()
    assert (ending.status, len(world.generator.bought)) == ("unknown", 1)
