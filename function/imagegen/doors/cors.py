"""Which pages of which origins may call this service from a browser. Nobody, unless the operator says so."""

from collections.abc import Mapping

_METHODS = "GET, POST, DELETE, OPTIONS"
_REQUEST_HEADERS = "Accept, Authorization, Content-Type, Idempotency-Key, Prefer, X-Api-Key, X-Request-Id"
_ANSWER_HEADERS = (
    "Content-Location, Idempotent-Replayed, Location, Preference-Applied, Retry-After, Server-Timing, "
    "X-Generation-Time, X-Remaining-Credits, X-Request-Id, X-Should-Retry"
)
_PREFLIGHT_SECONDS = "3600"


class Cors:
    """The origins of `CORS_ORIGINS`; `*` is all of them. No cookies are involved, so no credentials are allowed."""

    def __init__(self, origins: tuple[str, ...]) -> None:
        self._origins = frozenset(origin.rstrip("/") for origin in origins)

    @property
    def configured(self) -> bool:
        """Whether any origin may call."""
        return bool(self._origins)

    def headers(self, origin: str | None) -> Mapping[str, str]:
        """Return what every answer to this origin carries."""
        if "*" in self._origins:
            return {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": _ANSWER_HEADERS}
        if not self._origins:
            return {}
        if origin is None or origin not in self._origins:
            return {"Vary": "Origin"}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Expose-Headers": _ANSWER_HEADERS,
            "Vary": "Origin",
        }

    def preflight(self) -> Mapping[str, str]:
        """Return what the answer to a preflight carries on top."""
        return {
            "Access-Control-Allow-Methods": _METHODS,
            "Access-Control-Allow-Headers": _REQUEST_HEADERS,
            "Access-Control-Max-Age": _PREFLIGHT_SECONDS,
        }
