"""`jobs/{id}/…`: the objects that are a generation's state, each written once. Names and JSON, no decisions."""

from collections.abc import Iterator, Mapping
from typing import TypeVar

from pydantic import TypeAdapter

from imagegen.errors import StorageUnavailable
from imagegen.model import Claim, Ending, Picture, Receipt, StoredImage, Submission
from imagegen.pipeline.claims import State
from imagegen.ports import Deadline, ObjectInfo, Objects

MAX_REJECTED_BYTES = 1024 * 1024
_JSON = "application/json"
_CLAIM, _SUBMISSION, _ENDING = TypeAdapter(Claim), TypeAdapter(Submission), TypeAdapter(Ending)
_RECEIPT = TypeAdapter(Receipt)
T = TypeVar("T")


class JobObjects:
    """The results bucket, seen as jobs."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def claim(self, claim: Claim, deadline: Deadline) -> int | None:
        """Win the claim and return its generation, or None where somebody holds the id."""
        return self._create(claim.id, "claim.json", _CLAIM.dump_json(claim), deadline)

    def release(self, claim: Claim, generations: Mapping[str, int], deadline: Deadline) -> None:
        """Free the key: nothing was billed, so it may be tried again. The claim goes last: it guards the rest.

        A generation of 0 stands for a write that may have happened: what is there under our claim goes, too.
        """
        for name in ("submitted.json", "claim.json"):
            if name in generations:
                generation = generations[name] or self._generation(claim, name, deadline)
                self._objects.delete(_name(claim.id, name), generation, deadline)

    def withdraw(self, claim: Claim, deadline: Deadline) -> None:
        """Undo a claim whose write seemed to fail, if it happened all the same. Nobody else's claim is touched."""
        there = self._objects.stat(_name(claim.id, "claim.json"), deadline)
        data = there and self._objects.read(there.name, deadline, there.generation)
        if there and data and _CLAIM.validate_json(data).token == claim.token:
            self._objects.delete(there.name, there.generation, deadline)

    def submitted(self, claim: Claim, submission: Submission, deadline: Deadline) -> int | None:
        """Write down Segmind's id, from which anybody can go on, and return that object's generation."""
        return self._create(claim.id, "submitted.json", _SUBMISSION.dump_json(submission), deadline)

    def keep_image(self, claim: Claim, picture: Picture, receipt: Receipt, deadline: Deadline) -> StoredImage:
        """Store a paid image with all that `result.json` needs, so that a crash in between loses nothing."""
        image = StoredImage(
            name=_name(claim.id, f"image.{picture.extension}"),
            content_type=picture.content_type,
            bytes=len(picture.data),
            sha256=picture.sha256,
            width=picture.width,
            height=picture.height,
        )
        metadata = {
            "sha256": image.sha256,
            "width": str(image.width),
            "height": str(image.height),
            "segmind": _RECEIPT.dump_json(receipt).decode(),
        }
        created = self._objects.create(image.name, picture.data, picture.content_type, deadline, metadata)
        return image if created is not None else self._stored_before(image, deadline)

    def keep_rejected(self, claim: Claim, data: bytes, deadline: Deadline) -> None:
        """Keep the start of what was billed but is no image."""
        self._objects.create(
            _name(claim.id, "rejected"), data[:MAX_REJECTED_BYTES], "application/octet-stream", deadline
        )

    def finish(self, ending: Ending, deadline: Deadline) -> Ending:
        """Write the end down, and return the one that stands: the first to be written."""
        name = "lost.json" if ending.status == "unknown" else "result.json"
        if self._create(ending.claim.id, name, _ENDING.dump_json(ending), deadline) is not None:
            return ending
        return self._read(_ENDING, ending.claim.id, name, deadline) or ending

    def state(self, image_id: str, deadline: Deadline) -> State:
        """Read what exists. One listing, then only the objects that decide."""
        found = {i.name.rpartition("/")[2]: i for i in self._objects.list(f"jobs/{image_id}/", deadline)}
        if "result.json" in found:
            return State(result=self._read(_ENDING, image_id, "result.json", deadline))
        lost = self._read(_ENDING, image_id, "lost.json", deadline) if "lost.json" in found else None
        if lost:
            return State(lost=lost)
        claim = self._read(_CLAIM, image_id, "claim.json", deadline) if "claim.json" in found else None
        return State(
            claim=claim,
            submission=self._submission(claim, deadline) if claim and "submitted.json" in found else None,
            image=next((_stored(info) for name, info in found.items() if name.startswith("image.")), None),
            generations={name: info.generation for name, info in found.items()},
        )

    def receipt(self, image: StoredImage, deadline: Deadline) -> Receipt:
        """Return what Segmind said of an image whose claimant died before writing the result."""
        info = self._objects.stat(image.name, deadline)
        return _RECEIPT.validate_json(info.metadata.get("segmind", "{}")) if info else Receipt()

    def bytes_of(self, image: StoredImage, deadline: Deadline) -> Iterator[bytes]:
        """Yield a stored image in pieces."""
        pieces = self._objects.stream(image.name, deadline)
        if pieces is None:
            raise StorageUnavailable(f"The image of job {image.name} is not in the bucket any more.")
        return pieces

    def _submission(self, claim: Claim, deadline: Deadline) -> Submission | None:
        found = self._read(_SUBMISSION, claim.id, "submitted.json", deadline)
        return found if found and found.token == claim.token else None

    def _generation(self, claim: Claim, name: str, deadline: Deadline) -> int:
        there = self._objects.stat(_name(claim.id, name), deadline)
        return there.generation if there else 0

    def _create(self, image_id: str, name: str, data: bytes, deadline: Deadline) -> int | None:
        return self._objects.create(_name(image_id, name), data, _JSON, deadline)

    def _read(self, adapter: TypeAdapter[T], image_id: str, name: str, deadline: Deadline) -> T | None:
        data = self._objects.read(_name(image_id, name), deadline)
        return None if data is None else adapter.validate_json(data)

    def _stored_before(self, image: StoredImage, deadline: Deadline) -> StoredImage:
        """Another run of this claim (a resumed v2 generation) stored its image first: that one counts."""
        info = self._objects.stat(image.name, deadline)
        return _stored(info) if info else image


def _stored(info: ObjectInfo) -> StoredImage:
    return StoredImage(
        name=info.name,
        content_type=info.content_type,
        bytes=info.size,
        sha256=info.metadata.get("sha256", ""),
        width=_number(info.metadata, "width"),
        height=_number(info.metadata, "height"),
    )


def _number(metadata: Mapping[str, str], name: str) -> int:
    text = metadata.get(name, "")
    return int(text) if text.isdecimal() else 0


def _name(image_id: str, name: str) -> str:
    return f"jobs/{image_id}/{name}"
