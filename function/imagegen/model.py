"""The nouns of the pipeline: frozen, and free of Flask, Google and Segmind."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

Door = Literal["http", "event", "schedule"]
Status = Literal["queued", "running", "succeeded", "failed", "unknown"]
Billed = Literal["no", "maybe", "yes"]


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

    def public(self) -> "PublicRequest":
        """Return what may be shown and kept: reference URIs can carry somebody's signature."""
        return PublicRequest(self.prompt, self.ratio, tuple(r.tag for r in self.references))

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the request with its defaults filled in: equal requests, equal fingerprints."""
        canonical = json.dumps(self.body(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


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
    """`claim.json`: somebody is generating. The token tells one claimant from another."""

    id: str
    token: str
    owner: str
    door: Door
    fingerprint: str
    request: PublicRequest
    created_at: datetime
    lease_ends_at: datetime


@dataclass(frozen=True, slots=True)
class Submission:
    """`submitted.json` (v2): the generation can be asked for again, free of charge, by Segmind's id."""

    segmind_id: str
    submitted_at: datetime
    token: str  # the claimant's: what an earlier claim of the same id left behind is not resumed


@dataclass(frozen=True, slots=True)
class Receipt:
    """What Segmind said about a generation; each part can be missing. Dollars, credits, seconds."""

    request_id: str | None = None
    cost_usd: float | None = None
    remaining_credits: float | None = None
    generation_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A whole image in memory. `content_type` comes from the bytes, never from a header."""

    data: bytes = field(repr=False)
    content_type: str
    extension: str
    width: int
    height: int

    @property
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


@dataclass(frozen=True, slots=True)
class SignedUrl:
    """A URL that reads one object until `expires_at` and then stops."""

    url: str = field(repr=False)
    expires_at: datetime


def time_text(moment: datetime) -> str:
    """Return RFC 3339 in UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
