"""What the bucket says of a job: the first end, deletion or image to be written decides; tokens say whose one is."""

from dataclasses import replace
from datetime import timedelta

import pytest

from imagegen.errors import DailyLimitReached, NotFound, StorageUnavailable
from imagegen.model import Deleted, Ending, Failure, Marker, Order, Receipt, Reference, Sent, StoredImage, Submission
from imagegen.pipeline.claims import new_claim
from imagegen.pipeline.known import Known
from imagegen.ports import Deadline, ObjectInfo
from tests.harness.fakes import ID as KEY_1
from tests.harness.fakes import NOON, ORDER, PICTURE, REQUEST, MemoryObjects, Scene, World

CLAIM = replace(new_claim(Order(REQUEST, "http", "ada", "key-1"), NOON, 100), token="own")  # it is in tests' ids
SUCCESSOR = replace(CLAIM, token="another")
ID = CLAIM.id


def test_the_first_end_and_the_first_deletion_stand() -> None:
    """The loser of a race answers the winner's, which may differ from its own in everything."""
    bucket = World()
    first = Ending(CLAIM, "failed", NOON, error=Failure("segmind-failed", "x", "yes"))
    late = Ending(CLAIM, "succeeded", NOON + timedelta(seconds=9), image=StoredImage("n", "image/png", 1, "0", 1, 1))
    assert bucket.jobs.finish(first, bucket.soon) == first
    assert bucket.jobs.finish(late, bucket.soon) == first
    assert bucket.jobs.result(ID, bucket.soon) == first
    deletion = Deleted(ID, NOON, "yes", "hash")
    assert bucket.jobs.delete(deletion, bucket.soon) == deletion
    assert bucket.jobs.delete(replace(deletion, billed="no"), bucket.soon) == deletion


def test_the_first_image_stands() -> None:
    """The loser of a race over a resumed generation answers with what is in the bucket."""
    bucket = World()
    first = bucket.jobs.keep_image(CLAIM, PICTURE, Receipt("r1"), bucket.soon)
    other = replace(PICTURE, data=b"another", width=7)
    assert bucket.jobs.keep_image(CLAIM, other, Receipt("r2"), bucket.soon) == first
    assert (first.bytes, first.sha256, first.width, first.height) == (len(PICTURE.data), PICTURE.sha256, 1280, 720)
    assert (first.name, first.content_type) == (f"jobs/{ID}/image.jpg", "image/jpeg")
    assert bucket.jobs.receipt(first, bucket.soon) == Receipt("r1")
    assert b"".join(bucket.jobs.bytes_of(first, bucket.soon)) == PICTURE.data


def test_an_image_that_is_gone() -> None:
    bucket = World()
    gone = StoredImage(f"jobs/{ID}/image.jpg", "image/jpeg", 1, "0", 1, 1)
    with pytest.raises(StorageUnavailable, match="not in the bucket any more"):
        bucket.jobs.bytes_of(gone, bucket.soon)
    assert bucket.jobs.receipt(gone, bucket.soon) == Receipt()


@pytest.mark.parametrize("name", ["claim.json", "sent.json", "submitted.json"])
@pytest.mark.parametrize(
    ("token", "generation", "goes"),
    [
        (CLAIM.token, 1001, True),
        (CLAIM.token, 0, True),  # its write may have happened, and it did
        (SUCCESSOR.token, 0, False),
        (SUCCESSOR.token, 1000, False),  # ours was 1000: what is there now is a successor's
    ],
)
def test_nothing_of_a_successor_is_erased(name: str, token: str, generation: int, goes: bool) -> None:
    """A late release takes what carries its own token or generation, and nothing else."""
    bucket = World()
    writes = {
        "claim.json": lambda: bucket.jobs.claim(replace(CLAIM, token=token), bucket.soon),
        "sent.json": lambda: bucket.jobs.sent(CLAIM, Sent(token, NOON, "f"), bucket.soon),
        "submitted.json": lambda: bucket.jobs.submitted(CLAIM, Submission("s", NOON, token), bucket.soon),
    }
    assert writes[name]() == 1001
    bucket.jobs.erase(CLAIM, name, generation, bucket.soon)
    assert bucket.objects.names() == ([] if goes else [f"jobs/{ID}/{name}"])
    bucket.jobs.erase(CLAIM, name, 0, bucket.soon)  # where nothing is, nothing happens


@pytest.mark.parametrize(("token", "others"), [(None, 0), (CLAIM.token, 0), (SUCCESSOR.token, 1001)])
def test_whose_sent_json_it_is(token: str | None, others: int) -> None:
    """Another claim's is told by its generation; our own and none are not another's."""
    bucket = World()
    if token:
        bucket.jobs.sent(CLAIM, Sent(token, NOON, "f"), bucket.soon)
    assert bucket.jobs.others_sent(CLAIM, bucket.soon) == others


@pytest.mark.parametrize(
    ("token", "generation", "own", "stays"),
    [(CLAIM.token, None, 1001, False), ("x", 1001, None, False), ("x", 1000, None, True), (CLAIM.token, 0, 1001, True)],
)
def test_a_marker_goes_by_its_generation(token: str, generation: int | None, own: int | None, stays: bool) -> None:
    """None takes the marker that is there; another generation, or one that never was, takes nothing."""
    bucket = World()
    bucket.jobs.unmark(ID, None, bucket.soon)
    bucket.jobs.mark_open(ID, Marker(token, "f", "ada", NOON), bucket.soon)
    assert bucket.jobs.own_marker(CLAIM, bucket.soon) == own
    bucket.jobs.unmark(ID, generation, bucket.soon)
    assert bucket.objects.names() == ([f"open/{ID}"] if stays else [])


def test_a_state_shows_its_own_claims_objects() -> None:
    """`sent.json` and `submitted.json` of another claim are nothing; image, ends and generations are what is there."""
    for token, ours in ((CLAIM.token, True), (SUCCESSOR.token, False)):
        bucket = World()
        sent, submission = Sent(token, NOON, "f"), Submission("s", NOON, token)
        bucket.jobs.claim(CLAIM, bucket.soon)
        bucket.jobs.sent(CLAIM, sent, bucket.soon)
        bucket.jobs.submitted(CLAIM, submission, bucket.soon)
        image = bucket.jobs.keep_image(CLAIM, PICTURE, Receipt(), bucket.soon)
        lost = Ending(CLAIM, "unknown", NOON, error=Failure("outcome-unknown", "x", "maybe"))
        bucket.jobs.finish(lost, bucket.soon)
        state = bucket.jobs.state(ID, bucket.soon)
        assert (state.sent, state.submission) == ((sent, submission) if ours else (None, None))
        assert (state.claim, state.image, state.lost, state.whole, state.local) == (CLAIM, image, lost, True, False)
        assert set(state.generations) == {"claim.json", "sent.json", "submitted.json", "image.jpg", "lost.json"}


def test_an_image_whose_metadata_is_damaged() -> None:
    """It is still the image: what is not a number is 0."""
    bucket = World()
    name = f"jobs/{ID}/image.png"
    bucket.objects.create(name, b"x", "image/png", bucket.soon, {"width": "wide"})
    assert bucket.jobs.state(ID, bucket.soon).image == StoredImage(name, "image/png", 1, "", 0, 0)


def test_what_a_process_knows_is_bounded() -> None:
    """Ten thousand ends are remembered, those that were seen last."""
    known = Known()
    for name in (*map(str, range(10_000)), "0", "another"):
        known.end(name)
    assert [known.has_ended(name) for name in ("0", "1", "2", "another")] == [True, False, True, True]


def test_a_tidying_that_fails_is_left_to_the_sweep() -> None:
    """The answer does not wait for it, and does not fail with it."""
    world = World()
    trouble = world.objects.fail("delete", "open/*")
    assert world.end().status == "succeeded"
    assert trouble.fired == 1
    world.objects.recover()
    assert world.sweep.run()["closed"] == 1


@pytest.mark.parametrize("queued", [False, True])
def test_a_marker_that_is_in_the_way_of_a_claim(queued: bool) -> None:
    """One of a claim that is gone is replaced by our own; then the job ends, and none is left."""
    world = World()
    world.jobs.mark_open(KEY_1, Marker("gone", REQUEST.fingerprint, "", NOON, {} if queued else None), world.soon)
    assert world.end().status == "succeeded"
    assert world.objects.names("open/") == []


class Vanishing(MemoryObjects):
    """A bucket in which a marker is gone as soon as it is looked at for the first time."""

    looked = False

    def stat(self, name: str, deadline: Deadline, generation: int | None = None) -> ObjectInfo | None:
        found = super().stat(name, deadline, generation)
        if found and name.startswith("open/") and not self.looked:
            self.looked = True
            self.delete(name, found.generation, deadline)
            return None
        return found


def test_a_marker_that_vanishes_is_written_anew() -> None:
    """The sweep took it away between our write and our look: the job gets one of its own before it is bought.

    Another job's deletion reads of it which staged images are still needed.
    """
    world, name = World(bucket=Vanishing), f"references/{'0' * 64}.png"
    request = replace(REQUEST, references=(Reference("model", f"gs://uploads/{name}"),))
    world.jobs.mark_open(KEY_1, Marker("gone", request.fingerprint, "", NOON), world.soon)
    seen: list[tuple[str, str | None]] = []

    def look() -> None:
        seen.extend((info.name, info.metadata.get("staged")) for info in world.objects.list("open/", world.soon))

    world.generator.scenes = [Scene(meanwhile=look)]
    assert world.ask(request=request).ending
    assert seen == [(f"open/{KEY_1}", name)]


def test_a_late_duplicate_of_a_freed_key_does_not_claim() -> None:
    """It waited for one that failed free of charge; a whole run does not fit into its own time any more."""
    world = World(per_day=1)
    world.ask("first")
    late = Deadline.within(world.clock, world.limits.run_seconds - 1)
    with pytest.raises(StorageUnavailable, match="too little time") as caught:
        world.core.service.claiming.win(ORDER, late)
    assert (caught.value.retry_after, world.left("jobs/" + CLAIM.id)) == (1.0, [])
    with pytest.raises(DailyLimitReached):
        world.ask()
    ended = world.other().core.service.claiming.win(replace(ORDER, key="first"), late)
    assert ended.replayed  # type: ignore[union-attr]  # an outcome
    with pytest.raises(NotFound):
        world.service.status(CLAIM.id, "eve")
