"""The vendor's state behind one object with `clear()`, and what every endpoint needs for one request."""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from decimal import Decimal

from mock_segmind.account import Account, Accounts
from mock_segmind.images import EXTENSIONS, Picture
from mock_segmind.jobs import Jobs
from mock_segmind.ledger import Entry, Ledger
from mock_segmind.messages import Abandoned, Call
from mock_segmind.plan import Hosting, Plan
from mock_segmind.scripts import Faults
from mock_segmind.settings import Settings

MOST_ASSETS = 4_096


class Pauses:
    """Every wait of the fake, so that `clear()` and `stop()` can end all of them at once."""

    def __init__(self) -> None:
        self._ended = threading.Event()

    def now(self) -> Callable[[float], None]:
        """Return the wait of a request that arrives now: it raises Abandoned once the fake is cleared or stopped.

        Bound at arrival, so that a request which was on its way while the fake was cleared does not go on.
        """
        ended = self._ended

        def pause(seconds: float) -> None:
            if ended.wait(seconds):
                raise Abandoned

        return pause

    def end_all(self) -> None:
        ended, self._ended = self._ended, threading.Event()
        ended.set()


@dataclass(frozen=True, slots=True)
class Asset:
    """Something hosted: a generated picture, or the bytes of an upload."""

    hosting: Hosting
    picture: Picture | None = None
    data: bytes = b""

    @property
    def bytes(self) -> bytes:
        return self.picture.encoded(self.hosting.kind) if self.picture else self.data


class Assets:
    """What is hosted under `/hosted/`, by name; the oldest go first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._assets: OrderedDict[str, Asset] = OrderedDict()

    def clear(self) -> None:
        with self._lock:
            self._assets.clear()

    def put(self, asset: Asset) -> str:
        """Host something; returns its name."""
        name = f"{uuid.uuid4().hex}.{EXTENSIONS[asset.hosting.kind]}"
        with self._lock:
            self._assets[name] = asset
            while len(self._assets) > MOST_ASSETS:
                self._assets.popitem(last=False)
        return name

    def get(self, name: str) -> Asset | None:
        with self._lock:
            return self._assets.get(name)


@dataclass
class Vendor:
    """Accounts, ledger, faults, jobs and hosted images; `settings` may be changed until `clear()`."""

    initial: Settings
    settings: Settings = field(init=False)
    accounts: Accounts = field(default_factory=Accounts)
    ledger: Ledger = field(default_factory=Ledger)
    faults: Faults = field(default_factory=Faults)
    assets: Assets = field(default_factory=Assets)
    jobs: Jobs = field(default_factory=Jobs)
    pauses: Pauses = field(default_factory=Pauses)

    def __post_init__(self) -> None:
        self._open_accounts()

    def clear(self) -> None:
        """Forget everything and drop what is running: as new, on the same port."""
        self.pauses.end_all()
        for part in (self.accounts, self.ledger, self.faults, self.assets, self.jobs):
            part.clear()
        self._open_accounts()

    def _open_accounts(self) -> None:
        self.settings = copy(self.initial)
        for key in self.settings.keys:
            self.accounts.open(key, self.settings.credits, rate_limit=self.settings.rate_limit)


@dataclass(slots=True)
class Exchange:
    """One request being answered: the call, its line in the ledger, and the plan its faults made."""

    vendor: Vendor
    call: Call
    entry: Entry
    pause: Callable[[float], None]
    plan: Plan = field(default_factory=Plan)

    @property
    def seconds(self) -> float:
        """How long the generation of this request takes."""
        return self.vendor.settings.latency if self.plan.delay is None else self.plan.delay

    def url(self, path: str) -> str:
        return f"{self.call.origin}{path}"

    def publish(self, picture: Picture, hosting: Hosting) -> str:
        """Host a picture and return its URL: on the host that was called, unless a fault names another."""
        name = self.vendor.assets.put(Asset(hosting, picture))
        return hosting.url or self.url(f"/hosted/{name}")

    @contextmanager
    def held(self, account: Account) -> Iterator[Decimal]:
        """Hold the price of a generation while it runs; what stops it before `paid` gives it back."""
        price = self.vendor.settings.price
        self.vendor.accounts.hold(account, price)
        try:
            yield price
        except BaseException:
            self.vendor.accounts.release(account, price)
            raise

    def paid(self, account: Account, price: Decimal) -> Decimal:
        """Charge a generation that has finished and write it down; returns the credits that remain."""
        remaining = self.vendor.accounts.charge(account, price)
        self.vendor.ledger.bill(self.entry, price)
        return remaining
