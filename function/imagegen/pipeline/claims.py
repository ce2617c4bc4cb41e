"""Who may generate: decisions over what exists in the bucket.

A claim is won by creating `claim.json`; each later request reads what is there and gets one verdict.
Nothing here waits, writes or looks at a clock.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto

from imagegen.model import Claim, Deleted, Ending, Order, Sent, StoredImage, Submission, owner_hash

NO_IMAGE = "There is no image with this id."
ID_LENGTH = 26  # characters of base32: 130 bits


class Verdict(Enum):
    """What to do about an id, given what exists."""

    RUN = auto()  # there is no claim: claim it
    GONE = auto()  # its caller deleted it
    REPLAY = auto()  # it ended: answer that end again
    MISMATCH = auto()  # the key belongs to another request
    WAIT = auto()  # an instance is generating under a lease that still holds
    FINISH = auto()  # the image is there, and no end says so
    RESUME = auto()  # v2: its claimant died, Segmind knows the generation
    FREE = auto()  # its claimant died before it called Segmind: nothing was billed
    LOST = auto()  # its claimant died after the call began: it may have been billed


@dataclass(frozen=True, slots=True)
class State:
    """What exists under `jobs/{id}/`. `sent` and `submission` are those of the claim itself, by its token."""

    claim: Claim | None = None
    sent: Sent | None = None
    submission: Submission | None = None
    image: StoredImage | None = None
    result: Ending | None = None
    lost: Ending | None = None
    deleted: Deleted | None = None
    generations: Mapping[str, int] = field(default_factory=dict)  # of each object, by the last part of its name
    local: bool = False  # known from this process alone, without a look at storage
    whole: bool = False  # everything was listed: what is not here does not exist

    @property
    def ending(self) -> Ending | None:
        """The end that counts: a result wins over a `lost.json`, also over an earlier one."""
        return self.result or self.lost

    @property
    def known(self) -> Claim | None:
        """The claim, also where only its ending is left of it."""
        return self.ending.claim if self.ending else self.claim

    def is_for(self, owner: str | None, queued: Claim | None = None) -> bool:
        """Whether this caller may know of the job; an owner of None may know of all, also of one that is queued."""
        if self.deleted:
            return owner is None or self.deleted.owner_hash == owner_hash(owner)
        known = self.known or queued
        return known is not None and owner in {None, known.owner}

    @property
    def may_hide_an_image(self) -> bool:
        """Whether an end says that there is no image, while the bucket may hold one: its write seemed to fail."""
        ending = self.ending
        hides = ending is not None and (ending.status == "unknown" or ending.error_code == "image-not-stored")
        return hides and self.image is None and not self.whole


def decide(state: State, fingerprint: str | None, now: datetime) -> Verdict:  # noqa: PLR0911 - one for each verdict
    """Return the one thing to do. A fingerprint of None asks without a request: a status query, the sweep."""
    claim = state.known
    if state.deleted:
        return Verdict.GONE
    if claim is None:
        return Verdict.RUN
    if fingerprint is not None and claim.fingerprint != fingerprint:
        return Verdict.MISMATCH
    if state.ending:
        return Verdict.FINISH if state.image and not state.ending.image else Verdict.REPLAY
    if now < claim.lease_ends_at:
        return Verdict.WAIT
    if state.image:
        return Verdict.FINISH
    if state.submission:
        return Verdict.RESUME
    return Verdict.LOST if state.sent else Verdict.FREE


def new_claim(order: Order, now: datetime, lease_seconds: float) -> Claim:
    """Return a claim on what `order` asks for, with a token of its own."""
    return Claim(
        id=order.image_id or image_id(order.owner, order.key),
        token=secrets.token_hex(16),
        owner=order.owner,
        door=order.door,
        fingerprint=order.request.fingerprint,
        request=order.request.public(),
        created_at=now,
        lease_ends_at=now + timedelta(seconds=lease_seconds),
        staged=order.request.staged,
    )


def image_id(owner: str, key: str | None) -> str:
    """Return the id of an owner's key, or a random one where there is no key."""
    return _base32(secrets.token_bytes(17)) if key is None else derived_id("key", owner, key)


def derived_id(*parts: str) -> str:
    """Return the id that these parts always have. Lengths are hashed too, so that no two lists look alike."""
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return _base32(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode().lower()[:ID_LENGTH]
