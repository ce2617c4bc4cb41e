"""Single values out of the vendor's JSON and headers, none of which can be relied on. Pure."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

_ID = re.compile(r"[!-~]{1,200}")


def number(value: object) -> float | None:
    """Return a finite number, or None."""
    try:
        found = float(value)  # type: ignore[arg-type]  # what JSON or a header holds
    except (TypeError, ValueError, OverflowError):
        return None
    return found if -1e12 < found < 1e12 else None  # noqa: PLR2004 - also refuses nan and inf


def printable_id(value: object) -> str | None:
    """Return an id that can stand in a header, a log and a path, or None: it is the vendor's word, not ours."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def moment_of(value: Any) -> datetime | None:  # noqa: ANN401 - what JSON or a header holds
    """Return a time written as seconds or milliseconds since 1970, in ISO 8601 or as an HTTP date; UTC by default."""
    text = value.strip() if isinstance(value, str) else value
    for read in (_since_1970, datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text)
        except (ValueError, OverflowError, OSError, TypeError, IndexError, AttributeError):
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def _since_1970(value: Any) -> datetime:  # noqa: ANN401 - as above
    seconds = float(value)
    return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)  # noqa: PLR2004 - milliseconds
