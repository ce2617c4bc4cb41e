"""The vendor's state behind one object with `clear()`, its generations, and what an endpoint needs for one request."""

import threading
import uuid
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal, TypeAlias

from mock_segmind.accounts import Account, Accounts
from mock_segmind.calls import Call
from mock_segmind.clock import Clock, Pauses
from mock_segmind.faults import Faults
from mock_segmind.faults.behaviour import Asset, Behaviour, Hosting
from mock_segmind.faults.history import foreign_row
from mock_segmind.images import EXTENSIONS, Picture
from mock_segmind.ledger import NOTHING, Entry, Ledger, cost_of
from mock_segmind.references import fetch_all
from mock_segmind.replies import Json, JsonObject, Refused, parsed
from mock_segmind.settings import Settings
from mock_segmind.transport import Pause

LARGEST_NOTED: Final = 256 * 1024
"""Bytes of a request that the history shows as sent; of a larger one, long strings are cut as in the ledger."""
State: TypeAlias = Literal["QUEUED", "PROCESSING", "COMPLETED", "FAILED"]
QUEUE_SHARE: Final = 0.2


@dataclass(slots=True, eq=False)
class Generation:
    """Times are Unix times. Of a v2 job that waits for polls `finish` is what the last of them does.

    `url` is the image's in the history, once that was asked for.
    """

    entry: Entry
    account: Account
    picture: Picture
    behaviour: Behaviour
    price: Decimal
    seconds: float
    started: float
    request_body: Json
    ended: float | None = None
    error: str | None = None
    cost: Decimal = NOTHING
    remaining: Decimal = NOTHING
    asked: int = 0
    finish: Callable[[], None] | None = None
    url: str | None = None

    @property
    def request_id(self) -> str:
        return self.entry.request_id

    def state(self, now: float) -> State:
        """Return the state: by the clock, or by how often it was asked about."""
        if self.ended is not None:
            return "FAILED" if self.error else "COMPLETED"
        queued = self.asked <= 1 if self.behaviour.polls else now - self.started < self.seconds * QUEUE_SHARE
        return "QUEUED" if queued else "PROCESSING"

    def poll(self) -> Callable[[], None] | None:
        """Count a question about a job; returns what ends the job where this was the last that it waits for."""
        self.asked += 1
        if self.asked <= (self.behaviour.polls or 0):
            return None
        finish, self.finish = self.finish, None
        return finish


class Vendor:
    """All that the vendor knows; `settings` may be changed until `clear()`.

    Assets are hosted, by name. `foreign` are the history's rows of another user of the account.
    """

    def __init__(self, initial: Settings, clock: Clock) -> None:
        self.initial, self.clock = initial, clock
        self.accounts, self.ledger = Accounts(self.clock), Ledger(self.clock)
        self.faults, self.pauses, self.lock = Faults(), Pauses(), threading.Lock()
        self.assets: dict[str, Asset] = {}
        self.generations: dict[str, Generation] = {}
        self.foreign: list[JsonObject] = []
        self.clear()

    def clear(self) -> None:
        """Forget everything and drop what is running: as new, on the same port."""
        self.pauses.end_all()
        for part in (self.clock, self.accounts, self.ledger, self.faults, self.assets, self.generations, self.foreign):
            part.clear()
        self.settings = copy(self.initial)
        for key in self.settings.keys:
            self.accounts.open(key, self.settings.credits, rate_limit=self.settings.rate_limit)

    def add_foreign(
        self, prompt: str = "a dog", *, created: float | None = None, cost: float = 0.1, **fields: Json
    ) -> JsonObject:
        """Add a row to the history that no call made: another user of the account. Returns it.

        `created` is Unix time, now where it is left out; `fields` replace those of a finished row.
        """
        at = self.clock.now() if created is None else created
        self.foreign.append(foreign_row(uuid.uuid4().hex, at, prompt, cost) | fields)
        return self.foreign[-1]


@dataclass(slots=True)
class Exchange:
    """One request being answered: the call, its line in the ledger, and the behaviour that its faults make."""

    vendor: Vendor
    call: Call
    entry: Entry
    pause: Pause
    behaviour: Behaviour = field(default_factory=Behaviour)

    @property
    def seconds(self) -> float:
        """How long the generation of this request takes."""
        return self.vendor.settings.latency if self.behaviour.delay is None else self.behaviour.delay

    def host(self, asset: Asset) -> str:
        """Host a file; returns its URL on the host that was called."""
        name = f"{uuid.uuid4().hex}.{EXTENSIONS[asset.hosting.kind]}"
        self.vendor.assets[name] = asset
        return f"{self.call.origin}/hosted/{name}"

    def publish(self, picture: Picture, hosting: Hosting) -> str:
        """Host a picture and return its URL: on the host that was called, unless a fault names another."""
        return hosting.url or self.host(Asset(hosting, picture))

    def begin(self, account: Account, picture: Picture) -> Generation:
        """Start a generation: its price is held until it ends."""
        self.vendor.accounts.hold(account, self.vendor.settings.price)
        return self.generation(account, picture)

    def generation(self, account: Account, picture: Picture) -> Generation:
        """Note a generation, for the history and for questions about a job."""
        vendor, raw = self.vendor, self.call.raw
        body = parsed(raw) if len(raw) <= LARGEST_NOTED else self.entry.body
        price, started = vendor.settings.price, vendor.clock.now()
        made = Generation(self.entry, account, picture, self.behaviour, price, self.seconds, started, body)
        vendor.generations[made.request_id] = made
        return made

    def fetch(self, generation: Generation, uris: list[str]) -> None:
        """Fetch the references; where one cannot be fetched, the generation ends and the request is refused."""
        try:
            self.entry.fetched = fetch_all(uris, self.vendor.settings.fetch_references)
        except Refused as refused:
            self.end(generation, str(refused.reply.fields["error"]))
            raise

    def end(self, generation: Generation, error: str | None = None) -> None:
        """End a generation; the ledger decides what it costs."""
        vendor = self.vendor
        generation.cost = cost_of(generation.price, self.behaviour, error)
        generation.error = error or self.behaviour.failure
        generation.remaining = vendor.accounts.settle(generation.account, generation.price, generation.cost)
        generation.ended = vendor.clock.now()
        vendor.ledger.bill(self.entry, generation.cost)
