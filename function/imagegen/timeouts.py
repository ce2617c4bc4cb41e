"""How long each step may take, in seconds. A request's deadline, a lease and Terraform's timeouts follow from it."""

from dataclasses import dataclass

MAX_WAIT_SECONDS = 60  # the longest that a caller may ask a status query to wait
PLACE_SECONDS = 10.0  # a large body waits for a place among the few that are read at a time
BODY_SECONDS = 60.0  # then its bytes may take so long
FETCH_SECONDS = 15.0  # what a hosted image may take, also where it was finished at the last moment
SWEEP_SECONDS = 1500.0  # one sweep; Cloud Scheduler waits half an hour at most


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds a step; and how many images are in memory at a time.

    A request has one deadline, from its first byte: `request_seconds`. With less than `run_seconds` left it does not
    claim any more. A lease is longer than a run by what the clocks of two instances may disagree, so a claim whose
    lease is over belongs to an instance that is dead, or that will not call any more.
    """

    generation_seconds: float
    bodies_in_memory: int = 16
    body_seconds: float = PLACE_SECONDS + BODY_SECONDS
    stage_seconds: float = 20.0  # inline images into the uploads bucket
    claim_seconds: float = 10.0  # claim, marker, slot, `sent.json`, storage's own retries included
    gate_seconds: float = 35.0  # what a finished image waits for memory
    fetch_seconds: float = FETCH_SECONDS
    store_seconds: float = 20.0  # what a paid image may take to be stored
    end_seconds: float = 5.0  # what writing down the end may take
    skew_seconds: float = 35.0  # clocks of two instances, and calls that began just before a deadline

    @property
    def tail_seconds(self) -> float:
        """What may come after Segmind's answer."""
        return self.gate_seconds + self.fetch_seconds + self.store_seconds + self.end_seconds

    @property
    def run_seconds(self) -> float:
        """From the claim to the written end."""
        return self.claim_seconds + self.generation_seconds + self.tail_seconds

    @property
    def request_seconds(self) -> float:
        """From the first byte of a request to its answer."""
        return self.body_seconds + self.stage_seconds + self.run_seconds

    @property
    def lease_seconds(self) -> float:
        """How long a claim holds."""
        return self.run_seconds + self.skew_seconds
