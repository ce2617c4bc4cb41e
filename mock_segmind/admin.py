"""The admin routes under `/_mock/`: what Python can do with the fake, over HTTP and under the same names."""

import inspect
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from pydantic import ConfigDict, ValidationError, validate_call

from mock_segmind.calls import Call
from mock_segmind.faults import catalogue
from mock_segmind.faults.history import foreign_row
from mock_segmind.replies import Json, Reply, json_reply, parsed
from mock_segmind.settings import FETCH_MODES
from mock_segmind.vendor import Vendor

Action: TypeAlias = Callable[..., Json]
CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Headers": "content-type",
}
STRICT: Final = ConfigDict(strict=True, arbitrary_types_allowed=True)


def answered(vendor: Vendor, call: Call) -> Reply | None:
    """Return the answer to an admin request, or None where there is no such route."""
    for pattern, route in ROUTES.items():
        if found := re.fullmatch(pattern, call.path):
            return _answered(vendor, route, call, [*found.groups()]).with_headers(CORS)
    return None


def _answered(vendor: Vendor, route: Mapping[str, Action], call: Call, named: list[str]) -> Reply:
    """Do it; what is wrong with the request is told in a 400 that says what would be right."""
    if call.method == "OPTIONS":
        return Reply(204)
    action = route.get(call.method)
    if action is None:
        return json_reply(405, {"error": f"This route takes {', '.join(route)}"})
    body = parsed(call.raw) if call.raw else {}
    if not isinstance(body, dict):
        return json_reply(400, {"error": "The body must be a JSON object"})
    try:
        return json_reply(200, _checked(action)(vendor, *map(int, named), **body))
    except ValidationError as wrong:
        names = ", ".join(str(problem["loc"][0]) for problem in wrong.errors())
        takes = ", ".join([*inspect.signature(action).parameters][1:])
        return json_reply(400, {"error": f"Unknown, missing or of a wrong type: {names}. There are: {takes}"})
    except ValueError as wrong:
        return json_reply(400, {"error": str(wrong)})


def _checked(action: Action) -> Action:
    return validate_call(config=STRICT)(action)


def _ledger(vendor: Vendor) -> Json:
    ledger = vendor.ledger
    entries: list[Json] = [entry.as_json() for entry in ledger.entries()]
    return {"entries": entries, "billed": len(ledger.billed()), "totalBilled": float(ledger.total_billed)}


def _accounts(vendor: Vendor) -> Json:
    return {"accounts": [account.as_json() for account in vendor.accounts.all()]}


def _open_account(  # noqa: PLR0913  the names of `Accounts.open`
    vendor: Vendor,
    key: str,
    credits: float,  # noqa: A002  the vendor's own word for it
    *,
    forbidden: bool = False,
    spend_limit: float | None = None,
    rate_limit: int | None = None,
) -> Json:
    account = vendor.accounts.open(key, credits, forbidden=forbidden, spend_limit=spend_limit, rate_limit=rate_limit)
    return account.as_json()


def _scripts(vendor: Vendor) -> Json:
    return {"faults": [script.as_json() for script in vendor.faults.all()]}


def _script(  # noqa: PLR0913  the names of `Faults.add`
    vendor: Vendor,
    faults: list[str] | None = None,
    *,
    times: int | None = 1,
    skip: int = 0,
    prompt: str | None = None,
    path: str | None = None,
    optional: bool = False,
) -> Json:
    made = vendor.faults.add(*(faults or ()), times=times, skip=skip, prompt=prompt, path=path, optional=optional)
    return made.as_json()


def _forget_scripts(vendor: Vendor) -> Json:
    vendor.faults.clear()
    return _scripts(vendor)


def _forget_script(vendor: Vendor, number: int) -> Json:
    if not vendor.faults.remove(number):
        raise ValueError(f"There is no fault {number}")
    return _scripts(vendor)


def _settings(vendor: Vendor) -> Json:
    return {name: getattr(vendor.settings, name) for name in inspect.signature(_change).parameters if name != "vendor"}


def _change(
    vendor: Vendor,
    latency: float | None = None,
    fetch_references: str | None = None,
    job_seconds: float | None = None,
    history_lists_v1: bool | None = None,
) -> Json:
    if fetch_references not in (None, *FETCH_MODES):
        raise ValueError(f"fetch_references is one of {', '.join(FETCH_MODES)}")
    given = {"latency": latency, "fetch_references": fetch_references, "job_seconds": job_seconds}
    given |= {"history_lists_v1": history_lists_v1}
    for name, value in given.items():
        if value is not None:
            setattr(vendor.settings, name, value)
    return _settings(vendor)


def _foreign(vendor: Vendor, count: int = 1, prompt: str = "a dog", cost: float = 0.1) -> Json:
    rows = [foreign_row(uuid.uuid4().hex, vendor.clock.now(), prompt, cost) for _ in range(count)]
    vendor.foreign += rows
    return {"rows": [*rows]}


def _advance(vendor: Vendor, advance: float) -> Json:
    vendor.clock.advance(advance)
    return {"now": vendor.clock.now()}


def _clear(vendor: Vendor) -> Json:
    vendor.clear()
    return {"status": "cleared"}


ROUTES: Final[Mapping[str, Mapping[str, Action]]] = {
    r"/_mock/health": {"GET": lambda _: {"status": "ok"}},
    r"/_mock/magic": {"GET": lambda _: catalogue.as_json()},
    r"/_mock/ledger": {"GET": _ledger},
    r"/_mock/accounts": {"GET": _accounts, "POST": _open_account},
    r"/_mock/faults": {"GET": _scripts, "POST": _script, "DELETE": _forget_scripts},
    r"/_mock/faults/(\d+)": {"DELETE": _forget_script},
    r"/_mock/settings": {"GET": _settings, "POST": _change},
    r"/_mock/history/foreign": {"POST": _foreign},
    r"/_mock/clock": {"POST": _advance},
    r"/_mock/clear": {"POST": _clear},
}
