"""`jobs/{id}/…` and `open/{id}`: the objects of a job's state, each written once. Names and JSON, no decisions."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from pydantic import TypeAdapter

from imagegen.errors import StorageUnavailable
from imagegen.model import Claim, Deleted, Ending, Marker, Picture, Receipt, Sent, StoredImage, Submission
from imagegen.pipeline.claims import State
from imagegen.pipeline.parallel import Parallel
from imagegen.ports import Deadline, ObjectInfo, Objects

if TYPE_CHECKING:
    from concurrent.futures import Future

MAX_REJECTED_BYTES = 1024 * 1024
OPEN = "open/"
DELETING = "deleting"  # the token of a marker that stands until all of a deleted job is gone
_JSON = "application/json"
_CLAIM, _SENT, _ENDING, _DELETED = TypeAdapter(Claim), TypeAdapter(Sent), TypeAdapter(Ending), TypeAdapter(Deleted)
_SUBMISSION, _MARKER, _RECEIPT = TypeAdapter(Submission), TypeAdapter(Marker), TypeAdapter(Receipt)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class JobObjects:
    """The results bucket, seen as jobs."""

    objects: Objects
    parallel: Parallel

    def claim(self, claim: Claim, deadline: Deadline) -> int | None:
        """Win the claim and return its generation, or None where the id is claimed already."""
        return self._create(claim.id, "claim.json", _CLAIM.dump_json(claim), deadline)

    def sent(self, claim: Claim, sent: Sent, deadline: Deadline) -> int | None:
        """Write that the call begins, and return that object's generation; None where another claim's is in the way."""
        return self._create(claim.id, "sent.json", _SENT.dump_json(sent), deadline)

    def submitted(self, claim: Claim, submission: Submission, deadline: Deadline) -> int | None:
        """Write down Segmind's id, from which any instance can go on, and return that object's generation."""
        return self._create(claim.id, "submitted.json", _SUBMISSION.dump_json(submission), deadline)

    def mark_open(self, image_id: str, marker: Marker, deadline: Deadline) -> int | None:
        """Put the job where the sweep finds it; None where it is there already."""
        staged = {"staged": " ".join(marker.staged)} if marker.staged else {}
        shown = {"fingerprint": marker.fingerprint, "created": marker.created_at.isoformat(), **staged}
        return self.objects.create(OPEN + image_id, _MARKER.dump_json(marker), _JSON, deadline, shown)

    def marker(self, image_id: str, deadline: Deadline) -> Marker | None:
        """Return the marker of a job that has not ended."""
        data = self.objects.read(OPEN + image_id, deadline)
        return None if data is None else _MARKER.validate_json(data)

    def marked(self, image_id: str, deadline: Deadline) -> tuple[Marker, int] | None:
        """Return the marker of a job with its generation, by which nothing but this marker is deleted."""
        found = self._found(OPEN + image_id, deadline)
        return found and (_MARKER.validate_json(found[1]), found[0])

    def own_marker(self, claim: Claim, deadline: Deadline) -> int | None:
        """Return the generation of the marker that this claim wrote; None where it hangs on the queue's, or on none."""
        there = self.marked(claim.id, deadline)
        return there[1] if there and there[0].token == claim.token else None

    def unmark(self, image_id: str, generation: int | None, deadline: Deadline) -> None:
        """Take the job from the sweep's list; a generation of None takes any marker but that of a deletion."""
        if generation is None:
            there = self.marked(image_id, deadline)
            generation = there[1] if there and there[0].token != DELETING else 0
        if generation:
            self.objects.delete(OPEN + image_id, generation, deadline)

    def is_marked(self, image_id: str, generation: int, deadline: Deadline) -> bool:
        """Tell whether that marker still stands."""
        return self.objects.stat(OPEN + image_id, deadline, generation) is not None

    def all_open(self, deadline: Deadline) -> Iterator[ObjectInfo]:
        """Yield the marker of every job that has not ended."""
        return self.objects.list(OPEN, deadline)

    def erase(self, claim: Claim, name: str, generation: int, deadline: Deadline) -> None:
        """Delete an object of this claim's run. What another claimant wrote is never touched.

        A generation of 0 stands for a write that may have happened: what is there goes if it carries our token.
        """
        if not generation:
            found = self._found(_name(claim.id, name), deadline)
            generation = found[0] if found and _token(found[1]) == claim.token else 0
        if generation:
            self.objects.delete(_name(claim.id, name), generation, deadline)

    def others_sent(self, claim: Claim, deadline: Deadline) -> int:
        """Return the generation of a `sent.json` that another claim of this id wrote; 0 where there is none."""
        found = self._found(_name(claim.id, "sent.json"), deadline)
        return found[0] if found and _token(found[1]) != claim.token else 0

    def keep_image(self, claim: Claim, picture: Picture, receipt: Receipt, deadline: Deadline) -> StoredImage:
        """Store a paid image with all that `result.json` needs, so that a crash in between loses nothing."""
        name, size = _name(claim.id, f"image.{picture.extension}"), len(picture.data)
        shown = {"sha256": picture.sha256, "width": f"{picture.width}", "height": f"{picture.height}"}
        told = {**shown, "segmind": _RECEIPT.dump_json(receipt).decode()}
        first = self.objects.create(name, picture.data, picture.content_type, deadline, told) is not None
        there = None if first else self.objects.stat(name, deadline)  # of another run: a v2 generation resumed twice
        if there:
            return _stored(there)
        return StoredImage(name, picture.content_type, size, picture.sha256, picture.width, picture.height)

    def keep_rejected(self, claim: Claim, data: bytes, deadline: Deadline) -> None:
        """Keep the start of what was billed but is no image."""
        name = _name(claim.id, "rejected")
        self.objects.create(name, data[:MAX_REJECTED_BYTES], "application/octet-stream", deadline)

    def finish(self, ending: Ending, deadline: Deadline) -> Ending:
        """Write the end down, and return the one that stands: the first to be written."""
        image_id, name = ending.claim.id, "lost.json" if ending.status == "unknown" else "result.json"
        shown = {"id": image_id, "status": ending.status, "code": ending.error_code}  # a bucket notification carries it
        if self._create(image_id, name, _ENDING.dump_json(ending), deadline, shown) is not None:
            return ending
        return self._read(_ENDING, image_id, name, deadline) or ending

    def delete(self, deleted: Deleted, deadline: Deadline) -> Deleted:
        """Write down that the caller deleted this image, and return what stands."""
        created = self._create(deleted.id, "deleted.json", _DELETED.dump_json(deleted), deadline)
        return deleted if created is not None else self.deleted(deleted.id, deadline) or deleted

    def result(self, image_id: str, deadline: Deadline) -> Ending | None:
        """Return the written end."""
        return self._read(_ENDING, image_id, "result.json", deadline)

    def deleted(self, image_id: str, deadline: Deadline) -> Deleted | None:
        """Return what a deletion left."""
        return self._read(_DELETED, image_id, "deleted.json", deadline)

    def brief(self, image_id: str, deadline: Deadline) -> State:
        """Read the two objects that tell a job that ended, or runs, from one that has to be looked at."""
        result = self._start(_ENDING, image_id, "result.json", deadline)
        return State(claim=self._read(_CLAIM, image_id, "claim.json", deadline), result=result.result())

    def glance(self, image_id: str, deadline: Deadline) -> State:
        """Read what decides for a job whose lease holds: two to four reads. A listing costs as much as twelve."""
        state = self.brief(image_id, deadline)
        if state.result:
            return state
        lost = self._start(_ENDING, image_id, "lost.json", deadline)
        deleted = None if state.claim else self.deleted(image_id, deadline)
        return replace(state, lost=lost.result(), deleted=deleted)

    def state(self, image_id: str, deadline: Deadline) -> State:
        """Read what exists: one listing, then the objects that decide."""
        found = {i.name.rpartition("/")[2]: i for i in self.objects.list(_name(image_id, ""), deadline)}

        def read(name: str, adapter: TypeAdapter[T]) -> T | None:
            return self._read(adapter, image_id, name, deadline) if name in found else None

        claim = read("claim.json", _CLAIM)
        token = claim.token if claim else None
        sent, submission = read("sent.json", _SENT), read("submitted.json", _SUBMISSION)
        return State(
            claim=claim,
            sent=sent if sent and sent.token == token else None,
            submission=submission if submission and submission.token == token else None,
            image=next((_stored(info) for name, info in found.items() if name.startswith("image.")), None),
            result=read("result.json", _ENDING),
            lost=read("lost.json", _ENDING),
            deleted=read("deleted.json", _DELETED),
            generations={name: info.generation for name, info in found.items()},
            whole=True,
        )

    def unfinished(self, image_id: str, deadline: Deadline) -> State:
        """Read the claim of a job that has no result, and whether it was given up for lost."""
        lost = self._start(_ENDING, image_id, "lost.json", deadline)
        return State(claim=self._read(_CLAIM, image_id, "claim.json", deadline), lost=lost.result())

    def receipt(self, image: StoredImage, deadline: Deadline) -> Receipt:
        """Return what Segmind said of an image whose claimant died before writing the result."""
        info = self.objects.stat(image.name, deadline)
        return _RECEIPT.validate_json(info.metadata.get("segmind", "{}")) if info else Receipt()

    def bytes_of(self, image: StoredImage, deadline: Deadline) -> Iterator[bytes]:
        """Yield a stored image in pieces."""
        pieces = self.objects.stream(image.name, deadline)
        if pieces is None:
            raise StorageUnavailable(f"The image of job {image.name} is not in the bucket any more.")
        return pieces

    def empty(self, image_id: str, deadline: Deadline) -> None:
        """Delete every object of a job but `deleted.json`, all their generations."""
        for info in self.objects.list(_name(image_id, ""), deadline, versions=True):
            if not info.name.endswith("/deleted.json"):
                self.objects.delete(info.name, info.generation, deadline)

    def _create(
        self, image_id: str, name: str, data: bytes, deadline: Deadline, metadata: Mapping[str, str] | None = None
    ) -> int | None:
        return self.objects.create(_name(image_id, name), data, _JSON, deadline, metadata)

    def _found(self, name: str, deadline: Deadline) -> tuple[int, bytes] | None:
        there = self.objects.stat(name, deadline)
        data = self.objects.read(name, deadline, there.generation) if there else None
        return None if there is None or data is None else (there.generation, data)

    def _read(self, adapter: TypeAdapter[T], image_id: str, name: str, deadline: Deadline) -> T | None:
        data = self.objects.read(_name(image_id, name), deadline)
        return None if data is None else adapter.validate_json(data)

    def _start(self, adapter: TypeAdapter[T], image_id: str, name: str, deadline: Deadline) -> "Future[T | None]":
        return self.parallel.start(lambda: self._read(adapter, image_id, name, deadline))


def _token(data: bytes) -> str:
    return str(json.loads(data)["token"])


def _stored(info: ObjectInfo) -> StoredImage:
    told = info.metadata
    width, height = (int(told[name]) if told.get(name, "").isdecimal() else 0 for name in ("width", "height"))
    return StoredImage(info.name, info.content_type, info.size, told.get("sha256", ""), width, height)


def _name(image_id: str, name: str) -> str:
    return f"jobs/{image_id}/{name}"
