"""The day's cap as slots: N images a day are N objects, so the cap holds over any number of instances.

A slot is created before the call and deleted only if the call was certainly not billed. Whoever finds no free
slot has proof that the day is used up; there is no counter that two instances could both read.
"""

import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from imagegen.errors import DailyLimitReached, StorageUnavailable
from imagegen.model import Claim
from imagegen.ports import Clock, Deadline, Objects

_BLIND_TRIES = 8  # on a day with room a random slot is nearly always free; a long listing costs more
_ONE_PAGE = 1000  # a listing of so many is one call, cheaper than a second try: a taken slot costs three


@dataclass(frozen=True, slots=True)
class Slot:
    """One paid image out of a day's cap."""

    name: str
    generation: int


class DailyCap:
    """Caps of images a UTC day: one for all, one for each user. 0 is no cap, and writes nothing."""

    def __init__(self, objects: Objects, clock: Clock, per_day: int, per_user: int) -> None:
        self._objects, self._clock = objects, clock
        self._per_day, self._per_user = per_day, per_user

    def reserve(self, claim: Claim, deadline: Deadline) -> tuple[Slot, ...]:
        """Take a slot of every cap that applies, or none. Raises DailyLimitReached, StorageUnavailable."""
        taken: tuple[Slot, ...] = ()
        try:
            for prefix, cap, whose in self._caps(claim.owner):
                slot = self._take(prefix, cap, claim, deadline)
                if slot is None:
                    raise self._used_up(cap, whose)
                taken += (slot,)
        except (DailyLimitReached, StorageUnavailable):
            self.give_back(taken, deadline)
            raise
        return taken

    def give_back(self, slots: tuple[Slot, ...], deadline: Deadline) -> None:
        """Free slots of a call that was certainly not billed."""
        for slot in slots:
            self._objects.delete(slot.name, slot.generation, deadline)

    def slots_of(self, claim: Claim, deadline: Deadline) -> tuple[Slot, ...]:
        """Return the slots that a claim of another instance took, on whichever side of midnight that was."""
        days = sorted({f"{moment:%Y-%m-%d}" for moment in (claim.created_at, claim.lease_ends_at)})
        slots = (info for day in days for info in self._objects.list(f"spend/{day}/", deadline))
        return tuple(Slot(i.name, i.generation) for i in slots if i.metadata.get("token") == claim.token)

    def _caps(self, owner: str) -> list[tuple[str, int, str]]:
        day = f"spend/{self._clock.now():%Y-%m-%d}"
        user = sha256(owner.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        caps = [
            (f"{day}/users/{user}/", self._per_user if owner else 0, "your"),
            (f"{day}/", self._per_day, "the"),
        ]
        return [cap for cap in caps if cap[1]]

    def _take(self, prefix: str, cap: int, claim: Claim, deadline: Deadline) -> Slot | None:
        blind = _BLIND_TRIES if cap > _ONE_PAGE else 1
        slot = self._first_free(random.sample(range(cap), blind), prefix, claim, deadline)
        while slot is None:
            taken = {info.name for info in self._objects.list(prefix, deadline)}
            free = [number for number in range(cap) if f"{prefix}{number}" not in taken]
            if not free:
                return None
            slot = self._first_free(random.sample(free, min(len(free), _BLIND_TRIES)), prefix, claim, deadline)
        return slot

    def _first_free(self, numbers: list[int], prefix: str, claim: Claim, deadline: Deadline) -> Slot | None:
        taker = {"id": claim.id, "token": claim.token}  # also as metadata: a listing then shows who took what
        data = json.dumps({**taker, "owner": claim.owner}).encode()
        for number in numbers:
            name = f"{prefix}{number}"
            generation = self._objects.create(name, data, "application/json", deadline, taker)
            if generation is not None:
                return Slot(name, generation)
        return None

    def _used_up(self, cap: int, whose: str) -> DailyLimitReached:
        now = self._clock.now().astimezone(UTC)
        midnight = datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)
        return DailyLimitReached(
            f"All {cap:,} images of {whose} day ({now:%Y-%m-%d}, UTC) are used up. Nothing was billed.",
            retry_after=(midnight - now).total_seconds(),
        )
