"""Which web pages may read what: a bucket's CORS configuration, for preflights and for answers.

As on Cloud Storage only the XML API asks for it, and a preflight gets 200 whether it is granted or not.
"""

from collections.abc import Sequence
from typing import TypedDict, cast

from flask import Request

from local.storage.store import Bucket


class Rule(TypedDict, total=False):
    """One entry of a bucket's `cors` list."""

    origin: list[str]
    method: list[str]
    responseHeader: list[str]
    maxAgeSeconds: int


def deployed_rules(bucket: str, origins: Sequence[str]) -> list[Rule]:
    """Return the rules that `infra/storage.tf` gives this bucket, so that what a page may do here it may do there.

    Behind the redirect of `/content`, from one foreign origin to another, a browser's origin is "null".
    """
    readers = ["*"] if "*" in origins else [*origins, "null"]
    uploaded = ["Content-Type", "x-goog-content-length-range", "x-goog-if-generation-match"]
    rules = {
        "results": (readers, ["GET", "HEAD"], ["Content-Type", "Content-Length", "Content-Range", "ETag"]),
        "uploads": (list(origins), ["PUT"], uploaded),
    }
    if not origins or bucket not in rules:
        return []
    origin, method, headers = rules[bucket]
    return [{"origin": origin, "method": method, "responseHeader": headers, "maxAgeSeconds": 3600}]


def preflight_headers(bucket: Bucket, request: Request) -> dict[str, str]:
    """Return the grant for `OPTIONS`, or nothing."""
    rule = _rule_for(bucket, request, request.headers.get("Access-Control-Request-Method", ""))
    if rule is None:
        return {}
    asked = request.headers.get("Access-Control-Request-Headers", "")
    return _origin(rule, request) | {
        "Access-Control-Allow-Methods": ",".join(rule.get("method", [])),
        "Access-Control-Allow-Headers": ",".join(_granted_headers(rule, asked)),
        "Access-Control-Max-Age": str(rule.get("maxAgeSeconds", 3600)),
    }


def response_headers(bucket: Bucket, request: Request) -> dict[str, str]:
    """Return what lets a page read this answer, or nothing."""
    rule = _rule_for(bucket, request, request.method)
    if rule is None:
        return {}
    return _origin(rule, request) | {"Access-Control-Expose-Headers": ",".join(rule.get("responseHeader", []))}


def _rule_for(bucket: Bucket, request: Request, method: str) -> Rule | None:
    origin = request.headers.get("Origin")
    rules = cast("list[Rule]", bucket.get("cors") or [])
    matching = (
        rule for rule in rules if _allows(rule.get("origin", []), origin) and _allows(rule.get("method", []), method)
    )
    return next(matching, None) if origin else None


def _allows(allowed: list[str], wanted: str | None) -> bool:
    return "*" in allowed or wanted in allowed


def _origin(rule: Rule, request: Request) -> dict[str, str]:
    if "*" in rule.get("origin", []):
        return {"Access-Control-Allow-Origin": "*"}
    return {"Access-Control-Allow-Origin": request.headers.get("Origin", ""), "Vary": "Origin"}


def _granted_headers(rule: Rule, asked: str) -> list[str]:
    """Of the headers the page wants to send, return those that the rule names."""
    allowed = [name.lower() for name in rule.get("responseHeader", [])]
    wanted = [name.strip() for name in asked.split(",") if name.strip()]
    return [name for name in wanted if _allows(allowed, name.lower())]
