"""What the pipeline needs from the world: every Protocol there is."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from imagegen.model import HistoryRow, ImageRequest, Picture, Receipt, SignedUrl


class Clock(Protocol):
    """Time, in one place, so that tests can hold it."""

    def now(self) -> datetime:
        """UTC, aware."""

    def monotonic(self) -> float:
        """Seconds that never go back."""

    def sleep(self, seconds: float) -> None:
        """Block this thread."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point in time that is handed down to every call on the way."""

    clock: Clock
    at: float

    @classmethod
    def within(cls, clock: Clock, seconds: float) -> "Deadline":
        """Return the deadline `seconds` from now."""
        return cls(clock, clock.monotonic() + seconds)

    @property
    def left(self) -> float:
        """Seconds until the deadline, never less than zero."""
        return max(0.0, self.at - self.clock.monotonic())

    def sooner(self, seconds: float) -> "Deadline":
        """Return the sooner of this deadline and the one `seconds` from now."""
        return Deadline(self.clock, min(self.at, self.clock.monotonic() + seconds))


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One object, as a listing shows it. A create with the right metadata is what an event door reads."""

    name: str
    generation: int
    size: int
    content_type: str
    created_at: datetime
    metadata: Mapping[str, str]


class Objects(Protocol):
    """A bucket of objects that are written once. Every method raises StorageUnavailable at the deadline."""

    def create(
        self,
        name: str,
        data: bytes,
        content_type: str,
        deadline: Deadline,
        metadata: Mapping[str, str] | None = None,
    ) -> int | None:
        """Write an object that does not exist; return its generation, or None where another writer was first.

        Equal bytes count as our own earlier try: a caller that needs to know who was first puts a token into them.
        """

    def read(self, name: str, deadline: Deadline, generation: int | None = None) -> bytes | None:
        """Return the whole object, or None where there is none (or no longer that generation)."""

    def stat(self, name: str, deadline: Deadline, generation: int | None = None) -> ObjectInfo | None:
        """Return what is known of the object, or None where there is none (or no longer that generation)."""

    def stream(self, name: str, deadline: Deadline) -> Iterator[bytes] | None:
        """Return the object in pieces, or None where there is none."""

    def list(
        self, prefix: str, deadline: Deadline, *, shallow: bool = False, versions: bool = False
    ) -> Iterator[ObjectInfo]:
        """Yield every object whose name starts with `prefix`, in order of name.

        `shallow` leaves out what lies in folders below; `versions` adds generations that were deleted or replaced.
        """

    def delete(self, name: str, generation: int, deadline: Deadline) -> None:
        """Delete that generation of the object; that it is gone already is fine."""


class Generation(AbstractContextManager["Generation"], Protocol):
    """An image that Segmind has finished: what it said of it is here, the bytes still wait in the socket."""

    receipt: Receipt

    def read(self, waited: float) -> Picture:
        """Take the bytes into memory. `waited`: seconds spent in our own queue, given back to the deadline."""


class Generator(Protocol):
    """Segmind. Raises only `errors.SegmindError`."""

    def generate(self, request: ImageRequest, deadline: Deadline, submitted: Callable[[str], bool]) -> Generation:
        """Buy one image. v2 calls `submitted` with Segmind's id before anything else, and again until it is True."""

    def resume(self, segmind_id: str, submitted_at: datetime, deadline: Deadline) -> Generation:
        """Fetch a v2 generation that another instance submitted. Costs nothing."""


class History(Protocol):
    """Segmind's record of what became of calls. Asking costs nothing, and no method here raises."""

    def find(self, segmind_id: str, deadline: Deadline) -> HistoryRow | None:
        """Return the row of one call; None where there is none yet, or the history cannot be read."""

    def between(self, start: datetime, end: datetime, deadline: Deadline) -> Sequence[HistoryRow] | None:
        """Return the rows of the calls made in that time, of this model; None where they cannot be read whole."""

    def fetch(self, row: HistoryRow, deadline: Deadline) -> Generation:
        """Return the image of a completed call. Reading it raises SegmindError."""


class Staging(Protocol):
    """Where inline images go before anything else happens."""

    def stage(self, request: ImageRequest, deadline: Deadline) -> ImageRequest:
        """Return the request without inline bytes. Raises StorageUnavailable."""


class Delivery(Protocol):
    """Reference images on their way to Segmind."""

    def deliver(self, request: ImageRequest, deadline: Deadline) -> ImageRequest:
        """Return the request with URIs that Segmind can fetch. Raises ServiceError, and none that was billed."""


class StillGenerating(Exception):
    """The deadline came before the end of a v2 generation, which goes on and can be resumed."""


class Signer(Protocol):
    """Signs reads of a bucket. Raises StorageUnavailable."""

    def sign(self, name: str) -> SignedUrl:
        """Return a URL with at least half of its life before it."""
