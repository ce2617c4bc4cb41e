"""The nouns of the pipeline: frozen, and free of Flask, Google and Segmind."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Literal

Door = Literal["http", "event", "schedule"]
Status = Literal["queued", "running", "succeeded", "failed", "unknown"]
Billed = Literal["no", "maybe", "yes"]
MAX_BODY_BYTES = 16 * 1024 * 1024  # of an order, in a request or in a job file


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference image: the prompt names it as `@tag`; Segmind fetches `uri`."""

    tag: str
    uri: str | None = None
    inline: bytes | None = field(default=None, repr=False, compare=False)  # a data: image, until it is staged at `uri`


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """A request that has passed validation."""

    prompt: str
    references: tuple[Reference, ...] = ()
    ratio: str = "1280:720"

    def body(self) -> dict[str, object]:
        """Return the JSON that Segmind's page documents."""
        references = [{"tag": r.tag} if r.uri is None else {"uri": r.uri, "tag": r.tag} for r in self.references]
        return {"promptText": self.prompt, "referenceImages": references, "ratio": self.ratio}

    @property
    def staged(self) -> tuple[str, ...]:
        """Names of inline images that lie in the uploads bucket: they are named after their contents' SHA-256."""
        found = (
            re.fullmatch(r"gs://[^/]+/(references/(?:.+/)?[0-9a-f]{64}\.\w+)", r.uri or "") for r in self.references
        )
        return tuple(match[1] for match in found if match)

    def public(self) -> "PublicRequest":
        """Return what may be shown and kept: a reference's URI can carry a signature."""
        return PublicRequest(self.prompt, self.ratio, tuple(r.tag for r in self.references))

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the request with its defaults filled in: equal requests, equal fingerprints."""
        return fingerprint_of(self.body())


@dataclass(frozen=True, slots=True)
class PublicRequest:
    """A request without its references' URIs: what is kept and shown."""

    prompt: str
    ratio: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """What a door hands in: a valid request, who asks, and the key that makes repeats free."""

    request: ImageRequest
    door: Door
    owner: str = ""
    key: str | None = None
    image_id: str | None = None  # set where the door already knows it: a queued job, an event


@dataclass(frozen=True, slots=True)
class Claim:
    """`claim.json`: an instance is generating. The token tells one claimant from another."""

    id: str
    token: str
    owner: str
    door: Door
    fingerprint: str
    request: PublicRequest
    created_at: datetime
    lease_ends_at: datetime
    staged: tuple[str, ...] = ()  # inline images of this request that lie in the uploads bucket: a deletion takes them

    @property
    def day(self) -> str:
        """The UTC day that this image counts for, in cap and account: the one on which it was claimed."""
        return utc_day(self.created_at)


@dataclass(frozen=True, slots=True)
class Marker:
    """`open/{id}`: this job has not ended. With `job`, the body of a job file, it waits in the queue."""

    token: str
    fingerprint: str
    owner: str
    created_at: datetime
    job: dict[str, object] | None = None
    staged: tuple[str, ...] = ()  # as in the claim: another job's deletion leaves these alone

    @classmethod
    def of(cls, claim: Claim, job: dict[str, object] | None = None) -> "Marker":
        """Return the marker of a claim."""
        return cls(claim.token, claim.fingerprint, claim.owner, claim.created_at, job, claim.staged)


@dataclass(frozen=True, slots=True)
class Sent:
    """`sent.json`: written right before Segmind is called. Without it a claim was certainly not billed."""

    token: str  # the claimant's: what an earlier claim of the same id left behind says nothing of this one
    sent_at: datetime
    fingerprint: str  # of the request as it was sent: URLs of references are signed anew for each call


@dataclass(frozen=True, slots=True)
class Submission:
    """`submitted.json` (v2): the generation can be asked for again, free of charge, by Segmind's id."""

    segmind_id: str
    submitted_at: datetime
    token: str


@dataclass(frozen=True, slots=True)
class Deleted:
    """`deleted.json`: the caller deleted this image. Its key is never billed again."""

    id: str
    deleted_at: datetime
    billed: Billed
    owner_hash: str = ""


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """What Segmind's request history says of one call; each part but the id can be missing."""

    request_id: str
    status: Literal["COMPLETED", "FAILED", "PENDING"]
    fingerprint: str | None = None  # of the inputs as it received them
    created_at: datetime | None = None
    cost_usd: float | None = None
    url: str | None = field(default=None, repr=False)
    error: str = ""
    generation_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What Segmind said about a generation; each part can be missing. Dollars, credits, seconds."""

    request_id: str | None = None
    cost_usd: float | None = None
    remaining_credits: float | None = None
    generation_seconds: float | None = None


@dataclass(frozen=True)
class Picture:
    """A whole image in memory. `content_type` comes from the bytes, never from a header."""

    data: bytes = field(repr=False)
    content_type: str
    extension: str
    width: int
    height: int

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the bytes."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image in the results bucket."""

    name: str
    content_type: str
    bytes: int
    sha256: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Failure:
    """How a generation ended badly, in the terms of `errors.py`."""

    code: str
    detail: str
    billed: Billed


@dataclass(frozen=True, slots=True)
class Ending:
    """`result.json` and `lost.json`: the end of a claim, complete in itself."""

    claim: Claim
    status: Status
    completed_at: datetime
    image: StoredImage | None = None
    segmind: Receipt | None = None
    error: Failure | None = None

    @property
    def error_code(self) -> str:
        """The failure's code; "" where there is none."""
        return self.error.code if self.error else ""


@dataclass(frozen=True, slots=True)
class SignedUrl:
    """A URL that reads one object until `expires_at` and then stops."""

    url: str = field(repr=False)
    expires_at: datetime


def utc_day(moment: datetime) -> str:
    """Return the day in UTC, as YYYY-MM-DD."""
    return f"{moment.astimezone(UTC):%Y-%m-%d}"


def time_text(moment: datetime) -> str:
    """Return RFC 3339 in UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fingerprint_of(body: object) -> str:
    """Return the SHA-256 of a JSON value; the order of its names does not count."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def owner_hash(owner: str) -> str:
    """Return what stands for an owner in names of objects; "-" where there are no accounts."""
    return hashlib.sha256(owner.encode("utf-8", "surrogatepass")).hexdigest()[:32] if owner else "-"
