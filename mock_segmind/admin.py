"""The admin routes under `/_mock/`: what Python can do with the fake, over HTTP and under the same names."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias, get_type_hints

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from mock_segmind.accounts import Terms
from mock_segmind.calls import Call
from mock_segmind.faults import registry
from mock_segmind.faults.rules import Calls
from mock_segmind.replies import Json, Reply, json_reply, parsed
from mock_segmind.settings import Changes
from mock_segmind.vendor import Vendor

Action: TypeAlias = Callable[..., Json]
CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Headers": "content-type",
}


class Nothing(TypedDict):
    """The body of a request that needs none."""


class NewAccount(Terms):
    key: str
    credits: float


class NewRule(Calls, total=False):
    faults: list[str]


class Foreign(TypedDict, total=False):
    count: int
    prompt: str
    cost: float


class Advance(TypedDict):
    advance: float


def answered(vendor: Vendor, call: Call) -> Reply | None:
    """Return the answer to an admin request, or None where there is no such route."""
    for pattern, methods in ROUTES.items():
        if found := re.fullmatch(pattern, call.path):
            return _answered(vendor, methods, call, found.groups()).with_headers(CORS)
    return None


def _answered(vendor: Vendor, methods: Mapping[str, tuple[type, Action]], call: Call, named: tuple[str, ...]) -> Reply:
    """Do it; what is wrong with the request is told in a 400 that says what would be right."""
    if call.method == "OPTIONS":
        return Reply(204)
    if call.method not in methods:
        return json_reply(405, {"error": f"This route takes {', '.join(methods)}"})
    takes, action = methods[call.method]
    given = parsed(call.raw) if call.raw else {}
    if not isinstance(given, dict):
        return json_reply(400, {"error": "The body must be a JSON object"})
    try:
        body: dict[str, Any] = TypeAdapter(takes).validate_python(given, strict=True, extra="forbid")
        return json_reply(200, action(vendor, *map(int, named), **body))
    except ValidationError as wrong:
        names = ", ".join(str(problem["loc"][0]) for problem in wrong.errors())
        there_are = ", ".join(get_type_hints(takes))
        return json_reply(400, {"error": f"Unknown, missing or of a wrong type: {names}. There are: {there_are}"})
    except ValueError as wrong:
        return json_reply(400, {"error": str(wrong)})


def _ledger(vendor: Vendor) -> Json:
    ledger = vendor.ledger
    entries: list[Json] = [entry.as_json() for entry in ledger.entries()]
    return {"entries": entries, "billed": len(ledger.billed()), "totalBilled": float(ledger.total_billed)}


def _accounts(vendor: Vendor) -> Json:
    return {"accounts": [account.as_json() for account in vendor.accounts.all()]}


def _rules(vendor: Vendor) -> Json:
    return {"faults": [rule.as_json() for rule in vendor.faults.all()]}


def _forget(vendor: Vendor, number: int | None = None) -> Json:
    """Forget one rule, or all. Raises ValueError where there is none of this number."""
    if number is None:
        vendor.faults.clear()
    elif not vendor.faults.remove(number):
        raise ValueError(f"There is no fault {number}")
    return _rules(vendor)


def _settings(vendor: Vendor, **changes: Any) -> Json:  # noqa: ANN401  the values of `Changes`, validated
    vendor.settings = replace(vendor.settings, **changes)
    return {name: getattr(vendor.settings, name) for name in get_type_hints(Changes)}


def _foreign(vendor: Vendor, count: int = 1, prompt: str = "a dog", cost: float = 0.1) -> Json:
    return {"rows": [vendor.add_foreign(prompt, cost=cost) for _ in range(count)]}


def _advance(vendor: Vendor, advance: float) -> Json:
    vendor.clock.advance(advance)
    return {"now": vendor.clock.now()}


def _clear(vendor: Vendor) -> Json:
    vendor.clear()
    return {"status": "cleared"}


ROUTES: Final[Mapping[str, Mapping[str, tuple[type, Action]]]] = {
    r"/_mock/health": {"GET": (Nothing, lambda _: {"status": "ok"})},
    r"/_mock/magic": {"GET": (Nothing, lambda _: registry.as_json())},
    r"/_mock/ledger": {"GET": (Nothing, _ledger)},
    r"/_mock/accounts": {
        "GET": (Nothing, _accounts),
        "POST": (NewAccount, lambda vendor, **terms: vendor.accounts.open(**terms).as_json()),
    },
    r"/_mock/faults": {
        "GET": (Nothing, _rules),
        "POST": (NewRule, lambda vendor, faults=(), **calls: vendor.faults.add(*faults, **calls).as_json()),
        "DELETE": (Nothing, _forget),
    },
    r"/_mock/faults/(\d+)": {"DELETE": (Nothing, _forget)},
    r"/_mock/settings": {"GET": (Nothing, _settings), "POST": (Changes, _settings)},
    r"/_mock/history/foreign": {"POST": (Foreign, _foreign)},
    r"/_mock/clock": {"POST": (Advance, _advance)},
    r"/_mock/clear": {"POST": (Nothing, _clear)},
}
