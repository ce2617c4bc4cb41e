"""The account: `ledger/{day}/{owner}/{id}/{status}`, one entry an end, so that a listing alone is a usage report.

An `unknown` that is settled later gets a second entry, which wins. The day is the UTC day of the claim, as for the cap.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial

from imagegen.model import Ending, Receipt, owner_hash
from imagegen.pipeline.parallel import Parallel
from imagegen.ports import Deadline, ObjectInfo, Objects

_FIELDS = ("code", "billed", "usd", "requestId", "fingerprint", "created")
_RANK = ("unknown", "failed", "succeeded")  # the later wins


@dataclass(frozen=True, slots=True)
class Entry:
    """One end, as the account has it. `usd` is what the vendor told; None where it told nothing."""

    image_id: str
    status: str
    code: str
    billed: str  # "no", "maybe", "yes"; "" where its metadata is gone
    usd: Decimal | None
    request_id: str
    fingerprint: str
    created_at: datetime | None

    @property
    def counts(self) -> bool:
        """Whether it holds a place of the day's cap: it was billed, or may have been."""
        return self.billed != "no"


@dataclass(frozen=True, slots=True)
class Usage:
    """What was spent on a day, or in all."""

    images: int
    failed: Mapping[str, int]  # by code
    unknown: int
    usd: Decimal
    taken: int  # places of a cap: what was billed, or may have been


@dataclass(frozen=True, slots=True)
class Account:
    """Writes entries and adds them up."""

    objects: Objects
    parallel: Parallel

    def enter(self, ending: Ending, fingerprint: str, deadline: Deadline) -> None:
        """Write the entry of an end. Written twice, it is there once."""
        claim, receipt = ending.claim, ending.segmind or Receipt()
        shown = {
            "code": ending.error_code,
            "billed": ending.error.billed if ending.error else "yes",
            "usd": "" if receipt.cost_usd is None else repr(receipt.cost_usd),
            "door": claim.door,
            "requestId": receipt.request_id or "",
            "fingerprint": fingerprint,
            "created": claim.created_at.isoformat(),
        }
        name = f"ledger/{claim.day}/{owner_hash(claim.owner)}/{claim.id}/{ending.status}"
        self.objects.create(name, b"", "text/plain", deadline, shown)

    def of_day(self, day: str, deadline: Deadline, owner: str | None = None) -> list[Entry]:
        """Return what became of the jobs of a UTC day, one entry each; an owner of None stands for all."""
        prefix = f"ledger/{day}/" if owner is None else f"ledger/{day}/{owner_hash(owner)}/"
        best: dict[str, Entry] = {}
        for entry in map(_entry, self.objects.list(prefix, deadline)):
            other = best.get(entry.image_id)
            if other is None or _RANK.index(entry.status) > _RANK.index(other.status):
                best[entry.image_id] = entry
        return list(best.values())

    def usage(self, days: Sequence[date], deadline: Deadline, owner: str | None = None) -> list[Usage]:
        """Return what was spent on each of these UTC days."""
        listings = [self.parallel.start(partial(self.of_day, f"{day}", deadline, owner)) for day in days]
        return [total(map(_usage, listing.result())) for listing in listings]


def total(parts: Iterable[Usage]) -> Usage:
    """Return the sum of several entries or days."""
    failed: Counter[str] = Counter()
    images, unknown, usd, taken = 0, 0, Decimal(0), 0
    for part in parts:
        images, unknown, usd = images + part.images, unknown + part.unknown, usd + part.usd
        taken += part.taken
        failed.update(part.failed)
    return Usage(images, dict(failed), unknown, usd, taken)


def days_between(first: date, last: date) -> Iterator[date]:
    """Yield every day from the first to the last, both included."""
    for n in range((last - first).days + 1):
        yield first + timedelta(days=n)


def _usage(entry: Entry) -> Usage:
    failed = {entry.code: 1} if entry.status == "failed" else {}
    images, unknown = int(entry.status == "succeeded"), int(entry.status == "unknown")
    return Usage(images, failed, unknown, entry.usd or Decimal(0), int(entry.counts))


def _entry(info: ObjectInfo) -> Entry:
    _, image_id, status = info.name.rsplit("/", 2)
    code, billed, told, request_id, fingerprint, created = (info.metadata.get(name, "") for name in _FIELDS)
    return Entry(
        image_id,
        status,
        code,
        billed,
        Decimal(told) if told else None,
        request_id,
        fingerprint,
        datetime.fromisoformat(created) if created else None,
    )
