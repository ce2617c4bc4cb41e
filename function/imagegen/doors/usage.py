"""`GET /v1/usage`: what was spent, a row a UTC day and a total."""

import re
from datetime import UTC, date, datetime

from imagegen.errors import InvalidRequest
from imagegen.failure import Problem
from imagegen.pipeline.account import Account, Usage, days_between, total
from imagegen.pipeline.daily_cap import DailyCap
from imagegen.ports import Clock, Deadline

MAX_DAYS = 92
_SECONDS = 30.0
Row = dict[str, object]


def period(query: dict[str, str], now: datetime) -> tuple[date, date]:
    """Return the first and the last day asked for; today where none is named. Raises InvalidRequest."""
    problems: list[Problem] = []
    today = now.astimezone(UTC).date()
    first, last = (_day(query.get(name), today, name, problems) for name in ("from", "to"))
    if "from" not in query and not problems:
        first = min(first, last)
    if not problems and not 0 <= (last - first).days < MAX_DAYS:
        problems.append(Problem("", f"the query's from must not be after to, and at most {MAX_DAYS} days are answered"))
    if problems:
        raise InvalidRequest(tuple(problems))
    return first, last


def report(account: Account, cap: DailyCap, asked: tuple[date, date], owner: str | None, clock: Clock) -> Row:
    """Return the usage of these days, of one owner or (None) of all. Raises StorageUnavailable."""
    deadline, (first, last) = Deadline.within(clock, _SECONDS), asked
    days = list(days_between(first, last))
    used = account.usage(days, deadline, owner)
    limit, today, rows = cap.limit(owner), clock.now().astimezone(UTC).date(), []
    for day, usage in zip(days, used, strict=True):
        # of today the slots tell what is left, calls under way included; of other days the account
        left = cap.left(f"{day}", owner, deadline) if limit and day == today else limit - usage.taken
        capped = {"cap": limit or None, "left": max(0, left) if limit else None}
        rows.append({"date": f"{day}", **_row(usage), **capped})
    return {"from": f"{first}", "to": f"{last}", "days": rows, "total": _row(total(used))}


def _row(usage: Usage) -> Row:
    return {"images": usage.images, "failed": usage.failed, "unknown": usage.unknown, "costUsd": float(usage.usd)}


def _day(text: str | None, default: date, name: str, problems: list[Problem]) -> date:
    if text is None:
        return default
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    problems.append(Problem("", f"the query's {name} must be a date, YYYY-MM-DD"))
    return default
