"""The request history, on a host of its own in the vendor's world: what became of every call, from the ledger."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal, Self

from pydantic import BaseModel, Field, ValidationError

from mock_segmind import checks
from mock_segmind.accounts import Account
from mock_segmind.calls import Call, fingerprint
from mock_segmind.replies import Json, JsonObject, Refused, Reply, bad_request, json_reply, refused, utc
from mock_segmind.vendor import Exchange, Generation

MOST_DAYS: Final = 31
MODEL_FAILURES: Final = frozenset({422, 500})
REQUEST_FIELDS: Final = {"status": "model_status", "credits_deduction": "credits_deduction", "latency_ms": "latency_ms"}


class Query(BaseModel):
    """What a page is asked for, within the bounds of the vendor's SDK; both days are included."""

    page: int = Field(1, ge=1)
    per_page: int = Field(20, ge=1, le=100)
    to_date: date
    from_date: date = Field(default_factory=lambda data: data["to_date"] - timedelta(days=7))
    status: Literal["COMPLETED", "FAILED", "PENDING"] | None = None
    model_name: str = ""
    sort_by: Literal["model_created", "model_name", "credits_deduction"] = "model_created"
    sort_order: Literal["asc", "desc"] = "desc"

    @classmethod
    def of(cls, call: Call, now: float) -> Self:
        """Read a query; refuses with 400 what is out of bounds."""
        try:
            query = cls.model_validate({"to_date": datetime.fromtimestamp(now, UTC).date(), **call.query})
        except ValidationError as wrong:
            raise bad_request(f"Invalid query: {wrong.errors()[0]['msg']}") from wrong
        if not timedelta() <= query.to_date - query.from_date < timedelta(days=MOST_DAYS):
            raise bad_request(f"Invalid query: {MOST_DAYS} days at most")
        return query

    @property
    def window(self) -> tuple[float, float]:
        """Start and end, in Unix time."""
        start, end = (datetime.combine(day, time(), UTC) for day in (self.from_date, self.to_date + timedelta(days=1)))
        return start.timestamp(), end.timestamp()


def listing(exchange: Exchange) -> Reply:
    """`GET /inference-request/request-history`: a page of the account's requests, failed and running ones too."""
    account, query = _asked(exchange)
    found = [row for row in (*_own_rows(exchange, account), *exchange.vendor.foreign) if _wanted(row, query)]
    found.sort(key=lambda row: (row[query.sort_by] or 0, str(row["model_created"])), reverse=True)
    return _page(query, exchange.behaviour.listing(found, *query.window))


def row(exchange: Exchange) -> Reply:
    """`GET /inference-request/request-history/{id}`: one of the caller's own requests, at any age."""
    checks.method(exchange.call, "GET")
    account = checks.account(exchange.call, exchange.vendor.accounts)
    rows = _own_rows(exchange, account)
    found = next((row for row in rows if row["request_id"] == exchange.call.slug), None)
    if found is None:
        raise refused(404, f"Request {exchange.call.slug} not found")
    return json_reply(200, found)


def generations(exchange: Exchange) -> Reply:
    """`GET /inference-request/generations`: requests with an output; what has not landed yet is None."""
    account, query = _asked(exchange)
    made = [one for one in _listed(exchange, account) if one.ended is not None and not one.error]
    return _page(query, [_output(exchange, one) for one in reversed(made)])


def note_failure(exchange: Exchange, reply: Reply) -> None:
    """Give a call that the model itself refused a FAILED row without cost; a gateway's failure has none."""
    account = exchange.vendor.accounts.find(exchange.call.key or "")
    if reply.status not in MODEL_FAILURES or account is None:
        return
    try:
        picture, _ = checks.picture(exchange.call)
    except Refused:
        return
    failed = exchange.generation(account, picture)
    failed.ended, failed.error = failed.started, str(reply.fields.get("error", reply.status))


def _asked(exchange: Exchange) -> tuple[Account, Query]:
    checks.method(exchange.call, "GET")
    account = checks.account(exchange.call, exchange.vendor.accounts)
    return account, Query.of(exchange.call, exchange.vendor.clock.now())


def _listed(exchange: Exchange, account: Account) -> Iterator[Generation]:
    vendor = exchange.vendor
    for one in list(vendor.generations.values()):
        if one.account.key == account.key and (vendor.settings.history_lists_v1 or one.entry.kind != "v1"):
            yield one


def _own_rows(exchange: Exchange, account: Account) -> Iterator[JsonObject]:
    """Yield the rows that have landed; the faults of a call say what became of its own."""
    for one in _listed(exchange, account):
        yield from _rows(exchange, one)


def _rows(exchange: Exchange, one: Generation) -> list[JsonObject]:
    rows = [_row(exchange, one)]
    for edit in one.behaviour.rows:
        rows = edit(rows, exchange.vendor.clock.now() - one.started)
    return rows


def _row(exchange: Exchange, one: Generation) -> JsonObject:
    ended = one.ended
    state = "PENDING" if ended is None else "FAILED" if one.error else "COMPLETED"
    told: JsonObject = {
        "request_id": one.request_id,
        "model_name": checks.SLUG,
        "model_status": state,
        "credits_deduction": float(one.cost),
        "request_body": one.request_body,
        "generation_url": _url(exchange, one) if state == "COMPLETED" else None,
        "latency_ms": None if ended is None else round((ended - one.started) * 1000),
        "model_created": utc(one.started),
        "model_updated": utc(ended or one.started),
        "user_id": fingerprint(one.account.key),
    }
    return told | {"error": one.error} if one.error else told


def _url(exchange: Exchange, one: Generation) -> str:
    one.url = one.url or exchange.publish(one.picture, one.behaviour.hosting)
    return one.url


def _output(exchange: Exchange, one: Generation) -> JsonObject:
    landed: JsonObject = next(iter(_rows(exchange, one)), {})
    told: JsonObject = {name: landed.get(field) for name, field in REQUEST_FIELDS.items()}
    body = landed.get("request_body")
    prompt = body.get("promptText") if isinstance(body, dict) else None
    known: JsonObject = {"request_id": one.request_id, "generation_url": _url(exchange, one)}
    return {**known, **told, "prompt": prompt, "parameters": body, "model_created": utc(one.started)}


def _wanted(row: JsonObject, query: Query) -> bool:
    created = datetime.fromisoformat(str(row["model_created"])).timestamp()
    start, end = query.window
    named = query.model_name in str(row["model_name"])
    return named and start <= created < end and query.status in {None, row["model_status"]}


def _page(query: Query, rows: Sequence[JsonObject]) -> Reply:
    """Return a page of rows, which are newest first."""
    order = range(len(rows)) if query.sort_order == "desc" else range(len(rows) - 1, -1, -1)
    told: list[Json] = [rows[n] for n in order[(query.page - 1) * query.per_page : query.page * query.per_page]]
    return json_reply(200, {"data": told, "page": query.page, "per_page": query.per_page, "total": len(rows)})
