"""Who may generate: exactly one verdict for everything that can exist in the bucket, and ids that never collide."""

import re
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.model import Deleted, Ending, Failure, Order, Sent, StoredImage, Submission
from imagegen.pipeline.claims import ID_LENGTH, State, Verdict, decide, derived_id, image_id, new_claim
from tests.harness.fakes import NOON, REQUEST

CLAIM = new_claim(Order(REQUEST, "http", "ada", "key"), NOON, 100)
OTHER = replace(CLAIM, fingerprint="other", token="other")
IMAGE = StoredImage("jobs/1/image.jpg", "image/jpeg", 1, "00", 1, 1)
DONE = Ending(CLAIM, "succeeded", NOON, image=IMAGE)
GONE = Ending(CLAIM, "unknown", NOON)
NOT_STORED = Ending(CLAIM, "failed", NOON, error=Failure("image-not-stored", "storage was away", "yes"))
ENDS = CLAIM.lease_ends_at
FINGERPRINTS = {"asks": CLAIM.fingerprint, "looks": None, "asks for another": "?"}
MOMENTS = {"leased": ENDS - timedelta(microseconds=1), "ended": ENDS}


def states() -> list[State]:
    """Return everything that can exist under one id."""
    kinds = product(
        (None, CLAIM),
        (None, Sent("token", NOON, "sent")),
        (None, Submission("seg-1", NOON, "token")),
        (None, IMAGE),
        (None, DONE, NOT_STORED),
        (None, GONE),
        (None, Deleted("1", NOON, "yes")),
    )
    return [State(*kind) for kind in kinds]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("asking", FINGERPRINTS)
def test_the_verdict(asking: str, moment: str) -> None:
    """Every combination of what can exist, against the rules in their order."""
    for state in states():
        verdict = decide(state, FINGERPRINTS[asking], MOMENTS[moment])
        ended = state.result or state.lost
        rules = [
            (bool(state.deleted), Verdict.GONE),
            (not (state.claim or ended), Verdict.RUN),
            (asking == "asks for another", Verdict.MISMATCH),
            (bool(ended and ended.image is None and state.image), Verdict.FINISH),
            (bool(ended), Verdict.REPLAY),
            (moment == "leased", Verdict.WAIT),
            (bool(state.image), Verdict.FINISH),
            (bool(state.submission), Verdict.RESUME),
            (bool(state.sent), Verdict.LOST),
            (True, Verdict.FREE),
        ]
        assert verdict is next(expected for applies, expected in rules if applies), state


def test_an_end_is_complete_without_its_claim() -> None:
    """Only the ending is left of an old job: a repeat is still a repeat, another request still a mismatch."""
    state = State(result=Ending(OTHER, "failed", NOON))
    assert decide(state, "other", NOON) is Verdict.REPLAY
    assert decide(state, CLAIM.fingerprint, NOON) is Verdict.MISMATCH
    assert state.known == OTHER


def test_a_claim_is_of_its_order() -> None:
    """It names owner, door and request, without the references' addresses, and a token that is its own."""
    again = new_claim(Order(REQUEST, "http", "ada", "key"), NOON, 100)
    assert (again.id, again.fingerprint) == (CLAIM.id, REQUEST.fingerprint)
    assert (again.owner, again.door, again.request.tags) == ("ada", "http", ("model",))
    assert "https" not in repr(again)
    assert again.token != CLAIM.token
    assert again.lease_ends_at - again.created_at == timedelta(seconds=100)
    queued = Order(REQUEST, "event", "ada", "key", image_id="a" * 26)  # it keeps the id that its caller was told
    assert new_claim(queued, NOON, 1).id == "a" * 26


@given(st.text(st.characters(), max_size=30), st.one_of(st.none(), st.text(st.characters(), max_size=30)))
def test_an_id_is_26_letters(owner: str, key: str | None) -> None:
    """Lower-case base32, for any owner and key: safe in a path, a URL and a bucket."""
    made = image_id(owner, key)
    assert re.fullmatch(r"[a-z2-7]{26}", made)
    assert len(made) == ID_LENGTH


@given(st.lists(st.lists(st.text(st.characters(), max_size=5), min_size=1, max_size=3), min_size=2, max_size=2))
def test_ids_tell_parts_apart(pair: list[list[str]]) -> None:
    """Equal parts, equal id; where one part ends and the next begins is part of it."""
    assert (derived_id(*pair[0]) == derived_id(*pair[1])) == (pair[0] == pair[1])


def test_an_id_stays_what_it_is() -> None:
    """A change of how ids are made would orphan every job there is; without a key no two orders share one."""
    assert image_id("ada", "key") == image_id("ada", "key")
    assert image_id("", "key-1") == "guuij5u2ruo7gxi3nu6ipzqw45"
    assert len({image_id("ada", None) for _ in range(1_000)}) == 1_000
    assert derived_id("upload", "", "key") != image_id("", "key")  # an event's id is never a key's
    assert derived_id("upload", "\ud800") != derived_id("upload", "?")  # a name that is no Unicode has one, too
