"""The admin routes under `/_mock/`: what Python can do with the fake, over HTTP and under the same names."""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Final, TypeAlias

from werkzeug import Request, Response

from mock_segmind import catalogue
from mock_segmind.messages import Json, JsonObject, parsed
from mock_segmind.settings import FETCH_MODES, Settings
from mock_segmind.vendor import Vendor

Action: TypeAlias = Callable[[Vendor, JsonObject], Json]
Route: TypeAlias = Mapping[str, Action]
CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Headers": "content-type",
}
Kinds: TypeAlias = tuple[type, ...]
SCRIPT: Final[Mapping[str, Kinds]] = {
    "faults": (list,),
    "times": (int, type(None)),
    "skip": (int,),
    "prompt": (str, type(None)),
    "path": (str, type(None)),
    "optional": (bool,),
}
ACCOUNT: Final[Mapping[str, Kinds]] = {
    "key": (str,),
    "credits": (int, float),
    "forbidden": (bool,),
    "spend_limit": (int, float, type(None)),
    "rate_limit": (int, type(None)),
}
CHANGEABLE: Final[Mapping[str, Kinds]] = {
    "latency": (int, float),
    "fetch_references": (str,),
    "job_seconds": (int, float),
}


def serve(vendor: Vendor, route: Route, request: Request) -> Response:
    """Answer an admin request; what is wrong with it is told in a 400 that says what would be right."""
    if request.method == "OPTIONS":
        return Response(status=204, headers=CORS)
    action = route.get(request.method)
    if action is None:
        return _json(405, {"error": f"This route takes {', '.join(route)}"})
    try:
        return _json(200, action(vendor, _body(request)))
    except (ValueError, TypeError) as problem:
        return _json(400, {"error": str(problem)})


def _json(status: int, value: Json) -> Response:
    return Response(json.dumps(value), status, CORS, content_type="application/json")


def _body(request: Request) -> JsonObject:
    body = parsed(request.get_data()) if request.get_data() else {}
    if not isinstance(body, dict):
        raise ValueError("The body must be a JSON object")  # noqa: TRY004  told as a 400
    last = request.path.rpartition("/")[2]
    return {**body, "id": int(last)} if last.isdecimal() else body


def _checked(body: JsonObject, known: Mapping[str, Kinds]) -> None:
    """Raise ValueError naming every field that is unknown or of a wrong type, and what there is."""
    wrong = [name for name, value in body.items() if name not in known or not _is(value, known[name])]
    if wrong:
        right = ", ".join(f"{name} ({'|'.join(kind.__name__ for kind in kinds)})" for name, kinds in known.items())
        raise ValueError(f"Unknown or of a wrong type: {', '.join(wrong)}. There are: {right}")


def _is(value: Json, kinds: Kinds) -> bool:
    return isinstance(value, kinds) and (not isinstance(value, bool) or bool in kinds)


def _health(_: Vendor, __: JsonObject) -> Json:
    return {"status": "ok"}


def _ledger(vendor: Vendor, _: JsonObject) -> Json:
    ledger = vendor.ledger
    entries: list[Json] = [entry.as_json() for entry in ledger.entries()]
    return {"entries": entries, "billed": len(ledger.billed()), "totalBilled": float(ledger.total_billed)}


def _accounts(vendor: Vendor, _: JsonObject) -> Json:
    return {"accounts": [account.as_json() for account in vendor.accounts.all()]}


def _open_account(vendor: Vendor, body: JsonObject) -> Json:
    _checked(body, ACCOUNT)
    if "key" not in body or "credits" not in body:
        raise ValueError("An account has a key and credits")
    return vendor.accounts.open(**body).as_json()  # type: ignore[arg-type]  # _checked has seen to the types


def _scripts(vendor: Vendor, _: JsonObject) -> Json:
    return {"faults": [script.as_json() for script in vendor.faults.all()]}


def _script(vendor: Vendor, body: JsonObject) -> Json:
    _checked(body, SCRIPT)
    faults = body.pop("faults", [])
    names = [str(fault) for fault in faults] if isinstance(faults, list) else []
    return vendor.faults.add(*names, **body).as_json()  # type: ignore[arg-type]  # likewise


def _forget_scripts(vendor: Vendor, _: JsonObject) -> Json:
    vendor.faults.clear()
    return _scripts(vendor, {})


def _forget_script(vendor: Vendor, body: JsonObject) -> Json:
    number = body["id"]
    if not isinstance(number, int) or not vendor.faults.remove(number):
        raise ValueError(f"There is no fault {number}")
    return _scripts(vendor, {})


def _settings(vendor: Vendor, _: JsonObject) -> Json:
    return {name: getattr(vendor.settings, name) for name in CHANGEABLE}


def _change_settings(vendor: Vendor, body: JsonObject) -> Json:
    _checked(body, CHANGEABLE)
    if body.get("fetch_references", "off") not in FETCH_MODES:
        raise ValueError(f"fetch_references is one of {', '.join(FETCH_MODES)}")
    for field in fields(Settings):
        if field.name in body:
            setattr(vendor.settings, field.name, body[field.name])
    return _settings(vendor, {})


def _magic(_: Vendor, __: JsonObject) -> Json:
    return catalogue.as_json()


def _clear(vendor: Vendor, _: JsonObject) -> Json:
    vendor.clear()
    return {"status": "cleared"}


ROUTES: Final[Mapping[str, Route]] = {
    r"/_mock/health": {"GET": _health},
    r"/_mock/magic": {"GET": _magic},
    r"/_mock/ledger": {"GET": _ledger},
    r"/_mock/accounts": {"GET": _accounts, "POST": _open_account},
    r"/_mock/faults": {"GET": _scripts, "POST": _script, "DELETE": _forget_scripts},
    r"/_mock/faults/\d+": {"DELETE": _forget_script},
    r"/_mock/settings": {"GET": _settings, "POST": _change_settings},
    r"/_mock/clear": {"POST": _clear},
}
