"""The playground: one HTML file that asks this service, the bucket and, on one's own machine, the fake vendor."""

import base64
import hashlib
import ipaddress
import json
import re
from pathlib import Path
from urllib.parse import urlsplit

from imagegen.settings import Settings

_FILE = Path(__file__).with_name("playground.html")
_SETTINGS = '<script id="settings" type="application/json">{}</script>'
_STORAGE = "https://storage.googleapis.com"  # where signed URLs point to


def page(settings: Settings) -> tuple[str, dict[str, str]]:
    """Return the page with what it has to know of this service, and the headers that keep it in its place."""
    told = json.dumps(_told(settings)).replace("<", "\\u003c")
    html = _FILE.read_text("utf-8").replace(_SETTINGS, _SETTINGS.replace("{}", told))
    return html, {"Content-Security-Policy": _policy(html, settings), "Referrer-Policy": "no-referrer"}


def fake_vendor(base_url: str) -> str | None:
    """Return the address of a vendor on this machine, which can only be a fake; its failures are free to play with."""
    host = urlsplit(base_url).hostname or ""
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost" or host.endswith(".localhost")
    return base_url if local else None


def _told(settings: Settings) -> dict[str, object]:
    return {
        "auth": settings.auth,
        "uploads": settings.uploads_bucket is not None,
        "fakeVendor": fake_vendor(settings.segmind_base_url),
        "segmindApi": settings.segmind_api,
    }


def _policy(html: str, settings: Settings) -> str:
    """Return a CSP under which only the file's own script and style run, and no string ever becomes markup or code."""
    storage = settings.storage_emulator_host or _STORAGE
    asked = " ".join(filter(None, ("'self'", storage, fake_vendor(settings.segmind_base_url))))
    rules = {
        "default-src": "'none'",
        "script-src": _hashes(html, "script"),
        "style-src": _hashes(html, "style"),
        "img-src": f"data: blob: {storage}",
        "connect-src": asked,
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _hashes(html: str, tag: str) -> str:
    texts = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
    digests = (hashlib.sha256(text.encode()).digest() for text in texts)
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
