"""The ledger: every request, what was billed, what was answered. Tests assert on it, not on calls."""

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from mock_segmind.calls import GENERATING, Call, Operation, fingerprint, prompt_in
from mock_segmind.clock import Clock
from mock_segmind.faults.behaviour import Behaviour
from mock_segmind.replies import Json, JsonObject, parsed

NOTHING = Decimal(0)
NOTED_HEADERS = ("accept", "content-type", "content-length", "user-agent", "host", "range")  # none carries a key
LONGEST_STRING = 2_500
CAMEL = {"request_id": "requestId", "client_gone": "clientGone"}


@dataclass(slots=True)
class Entry:
    """One request. `status` stays None while it runs, and for ever where no status line was sent."""

    number: int
    when: datetime
    kind: Operation
    method: str
    path: str
    key: str | None
    headers: dict[str, str]
    body: Json
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    faults: tuple[str, ...] = ()
    status: int | None = None
    billed: Decimal = NOTHING
    client_gone: bool = False
    done: bool = False
    fetched: list[JsonObject] = field(default_factory=list)

    @property
    def prompt(self) -> str:
        return prompt_in(self.body)

    def as_json(self) -> JsonObject:
        """Return the entry as the admin route shows it; money as a number, as the vendor writes it."""
        written = {CAMEL.get(name, name): getattr(self, name) for name in self.__slots__}
        return {**written, "when": self.when.isoformat(), "billed": float(self.billed), "faults": [*self.faults]}


def cost_of(price: Decimal, behaviour: Behaviour, error: str | None) -> Decimal:
    """Return what the vendor bills for a generation at its end. Nothing else decides that, and it bills once.

    Nothing, where a reference could not be fetched (`error`), or where a fault of the call says so.
    """
    return price if behaviour.billed and error is None else NOTHING


class Ledger:
    """All entries since the last `clear()`. Safe to read while requests run."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._changed = clock, threading.Condition()
        self._entries: list[Entry] = []

    def clear(self) -> None:
        with self._changed:
            self._entries = []
            self._changed.notify_all()

    def open(self, call: Call) -> Entry:
        """Write down a request as it arrives, before anything is decided about it."""
        key = fingerprint(call.key) if call.key else None
        headers = {name: call.headers[name] for name in NOTED_HEADERS if name in call.headers}
        body = shortened(parsed(call.raw)) if call.raw else None
        when = datetime.fromtimestamp(self._clock.now(), UTC)
        with self._changed:
            number = len(self._entries) + 1
            entry = Entry(number, when, call.operation, call.method, call.path, key, headers, body)
            self._entries.append(entry)
            self._changed.notify_all()
        return entry

    def bill(self, entry: Entry, cost: Decimal) -> None:
        """Bill a generation at the moment it ends, also where the client receives nothing."""
        with self._changed:
            entry.billed += cost
            self._changed.notify_all()

    def close(self, entry: Entry, status: int | None, *, client_gone: bool) -> None:
        """Write down the answer before its first byte is sent, so that a client never knows more."""
        with self._changed:
            entry.status, entry.client_gone, entry.done = status, client_gone, True
            self._changed.notify_all()

    def entries(self, kind: Operation | None = None) -> list[Entry]:
        with self._changed:
            return [entry for entry in self._entries if kind in (None, entry.kind)]

    def posts(self) -> list[Entry]:
        """Every POST to the vendor, billable or not."""
        return [entry for entry in self.entries() if entry.method == "POST"]

    def generations(self) -> list[Entry]:
        """Every POST that asked for an image: v1 calls and v2 submits."""
        return [entry for entry in self.posts() if entry.kind in GENERATING]

    def billed(self) -> list[Entry]:
        return [entry for entry in self.entries() if entry.billed]

    @property
    def total_billed(self) -> Decimal:
        return sum((entry.billed for entry in self.entries()), NOTHING)

    def leaks(self) -> list[Entry]:
        """Return requests for hosted images that carried an API key: there must be none."""
        return [entry for entry in self.entries("hosted") if entry.key is not None]

    def wait(self, enough: Callable[["Ledger"], bool], timeout: float = 10) -> bool:
        """Wait until `enough(ledger)`; False where `timeout` seconds pass first."""
        with self._changed:
            return self._changed.wait_for(lambda: enough(self), timeout)

    def settle(self, timeout: float = 10) -> bool:
        """Wait until no request is being worked on; False where `timeout` seconds pass first."""
        return self.wait(lambda ledger: all(entry.done for entry in ledger.entries()), timeout)


def shortened(value: Json) -> Json:
    """Cut long strings (data: images) so that a thousand entries stay small."""
    if isinstance(value, str):
        return value if len(value) <= LONGEST_STRING else f"{value[:LONGEST_STRING]}… ({len(value)} characters)"
    if isinstance(value, list):
        return [shortened(item) for item in value]
    if isinstance(value, dict):
        return {name: shortened(item) for name, item in value.items()}
    return value
