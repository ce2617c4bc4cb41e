"""What is known of every failure: the columns of the table whose rows are the classes in `errors.py`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from imagegen.model import Billed, Failure, Receipt


@dataclass(frozen=True, slots=True)
class Repeats:
    """How often a call to Segmind is repeated after a failure that was certainly not billed, and after which pause.

    The pause before repeat n is `first_pause` * 2^(n-1) seconds, at most `longest_pause`, times a random factor from
    `jitter`. Where the answer named a time (a 429), the pause lasts until then, plus a growing jitter.
    """

    times: int = 0
    first_pause: float = 0.5
    longest_pause: float = 60.0
    jitter: tuple[float, float] = (0.5, 1.5)
    only_after: int | None = None  # repeated only where Segmind's answer had this status

    def pause(
        self, n: int, named: float | None, status: int | None, draw: Callable[[float, float], float]
    ) -> float | None:
        """Return the seconds to wait before repeat `n` (1 is the first); None where there is no such repeat."""
        if n > self.times or self.only_after not in {None, status}:
            return None
        if named is not None:
            # A limit that goes on after the time it named (a clock that differs, say) is asked less and less often.
            return named + draw(0.05, 0.5) * 2.0 ** min(n - 1, 5)
        return min(self.longest_pause, self.first_pause * 2.0 ** min(n - 1, 8)) * draw(*self.jitter)


NEVER = Repeats()
UNTIL_THE_DEADLINE = 1_000_000


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a request; `pointer` is a JSON pointer (RFC 6901) into its body."""

    pointer: str
    detail: str


class ServiceError(Exception):
    """Base of the tree. `detail` is for the caller: no key, no token, no other caller's data."""

    code: ClassVar[str]
    status: ClassVar[int]  # of the HTTP answer
    title: ClassVar[str]
    cause: ClassVar[str]  # when it happens
    action: ClassVar[str]  # what the reader does about it
    billed: ClassVar[Billed] = "no"  # what the caller's money is in doubt about
    # The failure cost nothing and is not the request's own fault, so the same Idempotency-Key may be tried again.
    # Every other end is kept and replayed.
    frees_key: ClassVar[bool] = False
    may_pass: ClassVar[bool] = False  # repeating the request may help and costs nothing: `x-should-retry`
    usual_retry_after: ClassVar[float | None] = None  # seconds that it usually lasts, where the answer names no time
    repeats: ClassVar[Repeats] = NEVER

    def __init__(self, detail: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.retry_after = retry_after
        self.receipt: Receipt | None = None  # what Segmind said of a call that was billed all the same

    def failure(self) -> Failure:
        """Return what is written down of this error."""
        return Failure(self.code, self.detail, self.billed)


def rows(root: type[ServiceError]) -> dict[str, type[ServiceError]]:
    """Return every failure at or below `root`, by its code."""
    found = {root.code: root} if hasattr(root, "code") else {}
    for child in root.__subclasses__():
        found |= rows(child)
    return found
