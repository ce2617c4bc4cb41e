"""Which pages of which origins may call this service from a browser: none, unless the operator says so."""

from collections.abc import Mapping
from typing import Final

PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, POST, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": (
        "Accept, Authorization, Content-Type, Idempotency-Key, Prefer, X-Api-Key, X-Request-Id"
    ),
    "Access-Control-Max-Age": "3600",
}
_SHOWN = {
    "Access-Control-Expose-Headers": (
        "Content-Location, Idempotent-Replayed, Location, Preference-Applied, Retry-After, Server-Timing, "
        "X-Generation-Time, X-Remaining-Credits, X-Request-Id, X-Should-Retry"
    )
}


class Cors:
    """The origins of `CORS_ORIGINS`; `*` is all of them. No cookies are involved, so no credentials are allowed."""

    def __init__(self, origins: tuple[str, ...]) -> None:
        self._origins = frozenset(origins)

    @property
    def configured(self) -> bool:
        """Whether any origin may call."""
        return bool(self._origins)

    def headers(self, origin: str | None) -> Mapping[str, str]:
        """Return what every answer to this origin carries."""
        if not self._origins:
            return {}
        if "*" in self._origins:
            return {"Access-Control-Allow-Origin": "*", **_SHOWN}
        if origin is None or origin not in self._origins:
            return {"Vary": "Origin"}
        return {"Access-Control-Allow-Origin": origin, **_SHOWN, "Vary": "Origin"}
