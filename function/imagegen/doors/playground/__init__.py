"""The playground: a page, its style and scripts, which ask this service, the bucket and a fake vendor on loopback."""

import base64
import hashlib
import ipaddress
import json
import re
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from flask import Request, Response

from imagegen.errors import NotFound
from imagegen.settings import Settings

_FOLDER = Path(__file__).parent
_SETTINGS = '<script id="settings" type="application/json">{}</script>'
_STORAGE = "https://storage.googleapis.com"  # where signed URLs point to
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
_FOR_EVER = "public, max-age=31536000, immutable"


def page(settings: Settings) -> tuple[str, dict[str, str]]:
    """Return the page with what it has to know of this service, and the headers that keep it in its place."""
    told = {
        "auth": settings.auth,
        "uploads": settings.uploads_bucket is not None,
        "fakeVendor": fake_vendor(settings.segmind_base_url),
        "segmindApi": settings.segmind_api,
    }
    html = (_FOLDER / "index.html").read_text("utf-8").replace("VERSION", version())
    html = html.replace(_SETTINGS, _SETTINGS.replace("{}", json.dumps(told).replace("<", "\\u003c")))
    return html, {"Content-Security-Policy": _policy(html, settings), "Referrer-Policy": "no-referrer"}


def file(request: Request, wanted: str, name: str) -> Response:
    """Return a file of the page, kept for ever below the version that it has now. Raises NotFound."""
    if name not in _files():
        raise NotFound("The playground has no such file.")
    content = _files()[name]
    response = Response(content, content_type=_TYPES[Path(name).suffix])
    response.headers["Cache-Control"] = _FOR_EVER if wanted == version() else "no-cache"
    response.set_etag(hashlib.sha256(content).hexdigest()[:32])
    response.make_conditional(request)
    return response


@cache
def version() -> str:
    """Return a name for the files as they are: it changes with any of them, since they import each other."""
    every = b"".join(name.encode() + hashlib.sha256(content).digest() for name, content in sorted(_files().items()))
    return hashlib.sha256(every).hexdigest()[:16]


def fake_vendor(base_url: str) -> str | None:
    """Return the address of a vendor on this machine, which can only be a fake; its failures are free to play with."""
    host = urlsplit(base_url).hostname or ""
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost" or host.endswith(".localhost")
    return base_url if local else None


@cache
def _files() -> dict[str, bytes]:
    """Return the page's scripts and style, by their path below this folder."""
    found = (path for path in _FOLDER.rglob("*") if path.suffix in _TYPES)
    return {path.relative_to(_FOLDER).as_posix(): path.read_bytes() for path in found}


def _policy(html: str, settings: Settings) -> str:
    """Return a CSP under which only this service's files and the page's one inline script run, and no text is code."""
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    storage = settings.storage_emulator_host or _STORAGE
    asked = " ".join(filter(None, ("'self'", storage, fake_vendor(settings.segmind_base_url))))
    rules = {
        "default-src": "'none'",
        "script-src": f"'self' 'sha256-{digest}'",
        "style-src": "'self'",
        "img-src": f"data: blob: {storage}",
        "connect-src": asked,
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())
