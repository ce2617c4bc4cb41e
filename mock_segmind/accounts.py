"""Accounts: who may call, and how much credit is left. Money is Decimal: 1,000 times 0.1 is exactly 100."""

import threading
from dataclasses import dataclass
from decimal import Decimal
from typing import Unpack

from typing_extensions import TypedDict

from mock_segmind.calls import fingerprint
from mock_segmind.clock import Clock
from mock_segmind.replies import JsonObject, Refused, error, refused, utc

WINDOW_SECONDS = 60


class Terms(TypedDict, total=False):
    """What an account may have besides its credits; `rate_limit` is calls a minute."""

    forbidden: bool
    spend_limit: float | None
    rate_limit: int | None


@dataclass(slots=True)
class Account:
    """One customer of the vendor. `held` is reserved by generations that still run."""

    key: str
    balance: Decimal
    forbidden: bool = False
    spend_limit: float | None = None
    rate_limit: int | None = None
    held: Decimal = Decimal(0)
    spent: Decimal = Decimal(0)
    window: int = 0
    used: int = 0

    @property
    def credits(self) -> Decimal:
        """What is left to spend once the running generations have finished."""
        return self.balance - self.held

    def as_json(self) -> JsonObject:
        """Return the account as the admin route shows it: the key by its fingerprint only."""
        return {
            "key": fingerprint(self.key),
            "credits": float(self.balance),
            "held": float(self.held),
            "spent": float(self.spent),
            "forbidden": self.forbidden,
            "spendLimit": self.spend_limit,
            "rateLimit": self.rate_limit,
        }


class Accounts:
    """All accounts. Credit is held when a generation starts, so a balance is never overdrawn by a race."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._accounts: dict[str, Account] = {}

    def clear(self) -> None:
        self._accounts.clear()

    def open(self, key: str, credits: float, **terms: Unpack[Terms]) -> Account:  # noqa: A002  the vendor's word
        """Open an account, or replace the one with this key."""
        self._accounts[key] = account = Account(key, Decimal(str(credits)), **terms)
        return account

    def find(self, key: str) -> Account | None:
        return self._accounts.get(key)

    def all(self) -> list[Account]:
        return list(self._accounts.values())

    def hold(self, account: Account, price: Decimal) -> None:
        """Reserve the price of one generation, or refuse: credits, spend limit, rate, in this order."""
        with self._lock:
            if account.credits < price:
                raise refused(406)
            limit = account.spend_limit
            if limit is not None and account.spent + account.held + price > Decimal(str(limit)):
                raise refused(406, "Spend limit reached for your team")
            self._count(account)
            account.held += price

    def settle(self, account: Account, held: Decimal, cost: Decimal) -> Decimal:
        """Turn a hold into a payment of what it cost; returns the credits that remain."""
        with self._lock:
            account.held -= held
            account.spent += cost
            account.balance -= cost
            return account.balance

    def _count(self, account: Account) -> None:
        """Count a call in the current minute, or refuse it until the next one."""
        window = int(self._clock.now() // WINDOW_SECONDS)
        used = account.used + 1 if window == account.window else 1
        if account.rate_limit is not None and used > account.rate_limit:
            reset = {"x-rate-limit-reset-at-utc": utc((window + 1) * WINDOW_SECONDS)}
            raise Refused(error(429).with_headers(reset))
        account.window, account.used = window, used
