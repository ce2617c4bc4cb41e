"""How long each step may take. The request's deadline is their sum, and a lease is longer than that."""

from dataclasses import dataclass

MAX_WAIT_SECONDS = 60  # the longest that a caller may ask a status query to wait


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds a step; and how many images are in memory at a time."""

    generation_seconds: float
    bodies_in_memory: int = 16
    claim_seconds: float = 10.0  # claim and slot, storage's own retries included
    gate_seconds: float = 35.0  # what a finished image waits for memory: 1,000 at once take 20 s on two busy cores
    fetch_seconds: float = 15.0  # what a hosted image may take, also where it was finished at the last moment
    store_seconds: float = 20.0  # what a paid image may take to be stored
    end_seconds: float = 5.0  # what writing down the end may take
    slack_seconds: float = 10.0  # clocks of two instances, and calls that began just before a deadline

    @property
    def request_seconds(self) -> float:
        """The longest that a request may take, all of it."""
        after = self.gate_seconds + self.fetch_seconds + self.store_seconds + self.end_seconds
        return self.claim_seconds + self.generation_seconds + after

    @property
    def lease_seconds(self) -> float:
        """How long a claim holds."""
        return self.request_seconds + self.slack_seconds
