"""The day's cap as slots: N images a UTC day are N objects, so the cap holds over any number of instances.

A slot is created before the call and deleted only if the call was certainly not billed. There is no counter that two
instances could both read: two that want the same slot meet at its creation, which one of them wins.

Each process lists the day's slots and remembers what it saw; it lists anew where all seem taken. A cap that was lowered
during the day counts what was taken above it, and one that was set during the day counts what the account has of it.
"""

import json
import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from imagegen import log
from imagegen.errors import DailyLimitReached, StorageUnavailable
from imagegen.model import Claim, owner_hash, utc_day
from imagegen.pipeline.account import Account
from imagegen.pipeline.parallel import Parallel
from imagegen.ports import Clock, Deadline, Objects

_TRIES = 8  # slots that other instances took meanwhile; then the day is listed anew
_LOOK_AGAIN_SECONDS = 30.0  # a day that was used up may have a free slot again


@dataclass(frozen=True, slots=True)
class Slot:
    """One paid image out of a day's cap."""

    name: str
    generation: int


@dataclass(frozen=True, slots=True)
class Cap:
    """One cap that applies to a claim: a user's, or (`owner` of None) the day's."""

    prefix: str
    limit: int
    owner: str | None  # whose entries of the account count; None: all


@dataclass(slots=True)
class Tally:
    """What this process knows of one day's slots under one cap."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    free: list[int] | None = None  # numbers that were free at the last look, in random order; None: never looked
    used_up_until: float = 0.0  # monotonic seconds: no look before then


class DailyCap:
    """Caps of images a UTC day: one for all, one for each user. 0 is no cap, and writes nothing."""

    def __init__(  # noqa: PLR0913, PLR0917 - the collaborators, and both caps
        self, objects: Objects, account: Account, parallel: Parallel, clock: Clock, per_day: int, per_user: int
    ) -> None:
        self._objects, self._account, self._parallel, self._clock = objects, account, parallel, clock
        self._per_day, self._per_user = per_day, per_user
        self._tallies: dict[str, Tally] = {}
        self._lock = threading.Lock()

    def check(self, owner: str) -> None:
        """Raise DailyLimitReached where this process knows that the day is used up. Asks nothing of storage."""
        now = self._clock.now()
        for cap in self._caps(owner, utc_day(now)):
            if self._tally(cap).used_up_until > self._clock.monotonic():
                raise _used_up(cap, now, now)

    def reserve(self, claim: Claim, deadline: Deadline) -> tuple[Slot, ...]:
        """Take a slot of every cap that applies, or none. Raises DailyLimitReached, StorageUnavailable."""
        taken: tuple[Slot, ...] = ()
        try:
            for cap in self._caps(claim.owner, claim.day):
                taken += (self._take(cap, claim, deadline),)
        except (DailyLimitReached, StorageUnavailable):
            self.give_back(taken, deadline)
            raise
        return taken

    def give_back(self, slots: Sequence[Slot], deadline: Deadline) -> None:
        """Free slots of a call that was certainly not billed."""
        for slot in slots:
            self._objects.delete(slot.name, slot.generation, deadline)
            prefix, _, number = slot.name.rpartition("/")
            tally = self._tallies.get(f"{prefix}/")
            if tally:
                with self._held(tally, deadline):
                    tally.free = [*(tally.free or []), int(number)]
                    tally.used_up_until = 0.0

    def slots_of(self, claim: Claim, deadline: Deadline) -> tuple[Slot, ...]:
        """Return the slots that a claim of another instance took: those that carry its token."""
        if not self._caps(claim.owner, claim.day):
            return ()
        listed = self._objects.list(f"spend/{claim.day}/", deadline)
        return tuple(Slot(i.name, i.generation) for i in listed if i.metadata.get("token") == claim.token)

    def limit(self, owner: str | None) -> int:
        """Return the cap of a day for one owner, or for all together (None); 0 where there is none."""
        return self._per_day if owner is None else self._per_user

    def left(self, day: str, owner: str | None, deadline: Deadline) -> int:
        """Return how many slots of a day are free under that cap."""
        caps = [cap for cap in self._caps(owner or "", day) if cap.owner == owner]
        return sum(len(self._numbers(cap, day, deadline)) for cap in caps)

    def _caps(self, owner: str, day: str) -> list[Cap]:
        prefix = f"spend/{day}/"
        user = Cap(f"{prefix}users/{owner_hash(owner)}/", self._per_user if owner else 0, owner)
        return [cap for cap in (user, Cap(prefix, self._per_day, None)) if cap.limit]

    def _tally(self, cap: Cap) -> Tally:
        with self._lock:
            if cap.prefix not in self._tallies:
                yesterday = utc_day(self._clock.now() - timedelta(days=1))
                self._tallies = {k: v for k, v in self._tallies.items() if k.split("/")[1] >= yesterday}
            return self._tallies.setdefault(cap.prefix, Tally())

    def _take(self, cap: Cap, claim: Claim, deadline: Deadline) -> Slot:
        tally = self._tally(cap)
        while True:
            for _ in range(_TRIES):
                slot = self._create(f"{cap.prefix}{self._number(tally, cap, claim, deadline)}", claim, deadline)
                if slot:
                    return slot
            with self._held(tally, deadline):
                tally.free = None

    def _number(self, tally: Tally, cap: Cap, claim: Claim, deadline: Deadline) -> int:
        """Return a slot that was free at the last look. Raises DailyLimitReached where there is none."""
        with self._held(tally, deadline):
            if tally.used_up_until > self._clock.monotonic():
                raise _used_up(cap, claim.created_at, self._clock.now())
            if not tally.free:
                tally.free = self._numbers(cap, claim.day, deadline)
            if not tally.free:
                tally.used_up_until = self._clock.monotonic() + _LOOK_AGAIN_SECONDS
                raise _used_up(cap, claim.created_at, self._clock.now())
            return tally.free.pop()

    def _numbers(self, cap: Cap, day: str, deadline: Deadline) -> list[int]:
        """Return the numbers that may still be taken, in random order: one look at the day's slots and account."""
        listing = self._parallel.start(lambda: list(self._objects.list(cap.prefix, deadline, shallow=True)))
        entries = self._account.of_day(day, deadline, cap.owner)
        taken, holders = set[int](), set[str]()
        for info in listing.result():
            number = info.name.removeprefix(cap.prefix)
            taken |= {int(number)} if number.isdecimal() else set()
            holders.add(info.metadata.get("id", ""))
        unslotted = sum(1 for entry in entries if entry.counts and entry.image_id not in holders)
        limit = _limit(taken, cap.limit - unslotted)
        free = [number for number in range(limit) if number not in taken]
        random.shuffle(free)
        return free

    @staticmethod
    @contextmanager
    def _held(tally: Tally, deadline: Deadline) -> Iterator[None]:
        """Hold a tally: another request may be listing the day, which can take seconds."""
        if not tally.lock.acquire(timeout=deadline.left):
            raise StorageUnavailable("The day's slots could not be listed in time. Nothing was spent.")
        try:
            yield
        finally:
            tally.lock.release()

    def _create(self, name: str, claim: Claim, deadline: Deadline) -> Slot | None:
        taker = {"id": claim.id, "token": claim.token}  # also as metadata: a listing then shows who took what
        generation = self._objects.create(name, json.dumps(taker).encode(), "application/json", deadline, taker)
        return None if generation is None else Slot(name, generation)


def _limit(taken: set[int], cap: int) -> int:
    """Return how many numbers may be used, from 0 on, so that they and what is taken above them are at most `cap`.

    After a cap was lowered there are slots above it. Every process that looks finds the same limit, since no process
    takes a slot above it any more.
    """
    limit, above = cap, sum(number >= cap for number in taken)
    while limit > 0 and limit + above > cap:
        limit -= 1
        above += limit in taken
    return max(limit, 0) if limit + above <= cap else 0


def _used_up(cap: Cap, claimed: datetime, now: datetime) -> DailyLimitReached:
    """Return the refusal: it names the day for which the image would have counted."""
    day = claimed.astimezone(UTC)
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    whose = "the" if cap.owner is None else "your"
    log.daily_limit_reached("day" if cap.owner is None else "user")
    return DailyLimitReached(
        f"All {cap.limit:,} images of {whose} day ({day:%Y-%m-%d}, UTC) are used up. Nothing was billed.",
        retry_after=max(1.0, (midnight - now).total_seconds()),
    )
