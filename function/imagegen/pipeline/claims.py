"""Who may generate: pure decisions over what exists in the bucket.

A claim is won by creating `claim.json`; everybody who comes later reads what is there and gets one verdict.
Nothing here waits, writes or looks at a clock.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto

from imagegen.model import Claim, Ending, Order, StoredImage, Submission

ID_LENGTH = 26  # characters of base32: 130 bits


class Verdict(Enum):
    """What to do about an id, given what exists."""

    RUN = auto()  # nobody holds it: claim it
    REPLAY = auto()  # it ended: answer that end again
    MISMATCH = auto()  # the key belongs to another request
    WAIT = auto()  # somebody is generating under a lease that still holds
    FINISH = auto()  # the image is there, its claimant died before saying so
    RESUME = auto()  # v2: its claimant died, Segmind knows the generation
    LOST = auto()  # its claimant died; it may have been billed


@dataclass(frozen=True, slots=True)
class State:
    """What exists under `jobs/{id}/`."""

    claim: Claim | None = None
    submission: Submission | None = None
    image: StoredImage | None = None
    result: Ending | None = None
    lost: Ending | None = None
    generations: Mapping[str, int] = field(default_factory=dict)  # of each object, by the last part of its name

    @property
    def ending(self) -> Ending | None:
        """A result wins over a `lost.json`, whichever came first."""
        return self.result or self.lost

    @property
    def known(self) -> Claim | None:
        """The claim, also where only its ending is left of it."""
        return self.ending.claim if self.ending else self.claim


def decide(state: State, fingerprint: str | None, now: datetime) -> Verdict:
    """Return the one thing to do. A fingerprint of None asks without a request: a status query, the sweep."""
    claim = state.known
    if claim is None:
        return Verdict.RUN
    if fingerprint is not None and claim.fingerprint != fingerprint:
        return Verdict.MISMATCH
    if state.ending:
        return Verdict.REPLAY
    if now < claim.lease_ends_at:
        return Verdict.WAIT
    if state.image:
        return Verdict.FINISH
    return Verdict.RESUME if state.submission else Verdict.LOST


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
    )


def image_id(owner: str, key: str | None) -> str:
    """Return the id of an owner's key, or a random one where there is no key."""
    if key is None:
        return _base32(secrets.token_bytes(17))
    return derived_id("key", owner, key)


def derived_id(*parts: str) -> str:
    """Return the id that these parts always have. Lengths are hashed too, so that no two lists look alike."""
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return _base32(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode().lower()[:ID_LENGTH]
