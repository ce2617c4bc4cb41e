"""One generation, from the hold on its account to its end: what v1, v2 and the history tell of."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, TypeAlias

from mock_segmind.accounts import Account
from mock_segmind.faults.behaviour import Behaviour
from mock_segmind.images import Picture
from mock_segmind.ledger import NOTHING, Entry
from mock_segmind.replies import Json

State: TypeAlias = Literal["QUEUED", "PROCESSING", "COMPLETED", "FAILED"]
QUEUE_SHARE: Final = 0.2


@dataclass(slots=True, eq=False)
class Generation:
    """Times are Unix times. Of a v2 job `polls` is the number it waits for, `finish` what the last of them does.

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
    polls: int = 0
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
        queued = self.asked <= 1 if self.polls else now - self.started < self.seconds * QUEUE_SHARE
        return "QUEUED" if queued else "PROCESSING"

    def poll(self) -> Callable[[], None] | None:
        """Count a question about a job; returns what ends the job where this was the last that it waits for."""
        self.asked += 1
        if self.asked <= self.polls:
            return None
        finish, self.finish = self.finish, None
        return finish
