"""What JSON Schema cannot say, for schemathesis (SCHEMATHESIS_HOOKS). Nothing that is meant to be refused is mended."""

import contextlib
import re
import secrets
from datetime import date
from typing import Any

import schemathesis
from hypothesis import strategies as st

# Which URIs may be used is decided by rules (public hosts, real images) that no pattern holds.
URIS = ("https://www.example.com/a.png", "https://images.example.org/b/c.jpg?size=large")
schemathesis.openapi.format("uri", st.sampled_from(URIS))


@schemathesis.hook  # type: ignore[untyped-decorator,unused-ignore]  # untyped where the package is not installed
def before_call(context: object, case: Any, kwargs: object) -> None:  # noqa: ANN401 - schemathesis' own type
    """Make true what holds between two values: of one request, or of this request and an earlier one."""
    del context, kwargs
    _distinct_tags(case.body)
    headers, query = case.headers or {}, case.query or {}
    if re.fullmatch("[!-~]{1,255}", str(headers.get("Idempotency-Key", ""))):
        headers["Idempotency-Key"] = secrets.token_hex(16)  # another request's key is refused, and rightly
    with contextlib.suppress(ValueError, KeyError):
        query |= dict.fromkeys(("from", "to"), f"{date.fromisoformat(str(query.get('from') or query['to']))}")
    with contextlib.suppress(ValueError, TypeError):
        if 1 < float(query.get("wait", 0)) <= 60:
            query["wait"] = 1  # no event door runs here: a queued image never ends


def _distinct_tags(body: Any) -> None:  # noqa: ANN401 - any JSON value
    references = body.get("referenceImages") if isinstance(body, dict) else None
    entries = [entry for entry in references if isinstance(entry, dict)] if isinstance(references, list) else []
    tags = [entry["tag"] for entry in entries if isinstance(entry.get("tag"), str)]
    if len(set(tags)) < len(tags):
        for n, entry in enumerate(entries):
            if isinstance(entry.get("tag"), str) and 3 <= len(entry["tag"]) <= 16:
                entry["tag"] = f"{entry['tag'][:15]}{n}"
