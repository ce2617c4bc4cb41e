"""`GET /problems/{code}`: a short page on a problem, at the address that its `type` names."""

from html import escape

from flask import Response

from imagegen.errors import BY_CODE, NotFound

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
_COST = {"no": "Nothing was billed.", "maybe": "It may have been billed.", "yes": "It was billed."}
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body{{font:1rem/1.6 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}}dt{{font-weight:600}}\
dd{{margin:0 0 1rem}}</style>
<h1>{title}</h1>
<dl>
<dt>Problem</dt><dd><code>{code}</code>, answered with status {status}</dd>
<dt>What happened</dt><dd>{cause}</dd>
<dt>What it cost</dt><dd>{cost}</dd>
<dt>What to do</dt><dd>{action}</dd>
<dt>The same Idempotency-Key</dt><dd>{key}</dd>
</dl>
</html>
"""


def page(code: str) -> Response:
    """Return the page of a problem. Raises NotFound where there is no such problem."""
    kind = BY_CODE.get(code)
    if kind is None:
        raise NotFound("There is no such problem.")
    key = "may be tried again: the key is free." if kind.frees_key else "gets the same answer again."
    told = {"title": kind.title, "code": code, "status": str(kind.status), "cause": kind.cause, "action": kind.action}
    html = _PAGE.format(**{n: escape(v) for n, v in told.items()}, cost=_COST[kind.billed], key=key)
    return Response(html, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": _POLICY})
