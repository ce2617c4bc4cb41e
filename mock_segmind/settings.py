"""Settings of the fake."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from typing_extensions import TypedDict

DEFAULT_KEY: Final = "SG_mock_key"
FETCH_MODES: Final = ("off", "get", "head")


@dataclass(slots=True)
class Settings:
    """`latency` is in seconds; `fetch_references` is `off`, `get` or `head` (HEAD, then GET).

    `history_lists_v1`: the request history has rows of v1 calls, too, which the vendor neither says nor excludes.
    """

    host: str = "127.0.0.1"
    port: int = 0
    latency: float = 0.0
    credits: float = 10_000.0
    keys: tuple[str, ...] = (DEFAULT_KEY,)
    price: Decimal = Decimal("0.1")
    rate_limit: int | None = None
    fetch_references: str = "off"
    job_seconds: float = 3_600.0
    history_lists_v1: bool = True

    def __post_init__(self) -> None:
        if self.fetch_references not in FETCH_MODES:
            raise ValueError(f"fetch_references must be one of {', '.join(FETCH_MODES)}")
        if self.latency < 0 or not self.keys:
            raise ValueError("latency must not be negative, and there must be a key")


class Changes(TypedDict, total=False):
    """What of the settings may be changed over the admin route."""

    latency: float
    fetch_references: str
    job_seconds: float
    history_lists_v1: bool
