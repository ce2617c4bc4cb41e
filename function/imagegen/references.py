"""Which reference URIs may be passed on to Segmind. Pure.

Segmind and Runway fetch these, not we; the rules keep a caller from making them look at addresses that are
nobody's public business, and refuse what Runway is known to refuse, before it costs anything.
"""

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

MAX_URI_LENGTH = 2048
_LOCAL_SUFFIXES = (
    "localhost",
    "local",
    "internal",
    "intranet",
    "lan",
    "home",
    "corp",
    "private",
    "localdomain",
    "arpa",
)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)


def problems_of(uri: str) -> Iterator[str]:
    """Yield everything that keeps `uri` from being a reference image; nothing where it is fine."""
    scheme = uri.partition(":")[0].lower()
    if scheme in {"gs", "data"}:
        yield f"{scheme}: references are not supported yet; use an https:// URI"
        return
    if len(uri) > MAX_URI_LENGTH:
        yield f"has {len(uri)} characters; at most {MAX_URI_LENGTH:,} are allowed"
    if not re.fullmatch(r"[!-\[\]-~]+", uri, re.ASCII):
        yield "has spaces, control characters, backslashes or non-ASCII characters; percent-encode them"
        return
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        yield "is not a valid URI"
        return
    yield from _problems_of_parts(parts, port)


def _problems_of_parts(parts: SplitResult, port: int | None) -> Iterator[str]:
    if parts.scheme != "https":
        yield "must be an https:// URI"
    if "@" in parts.netloc:
        yield "must not carry user info"
    if port not in {None, 443} or parts.netloc.endswith(":"):
        yield "must use the default port"
    yield from _problems_of_host((parts.hostname or "").removesuffix("."))


def _problems_of_host(host: str) -> Iterator[str]:
    labels = host.split(".")
    if not host:
        yield "has no host name"
    elif _is_address(host, labels[-1]):
        yield "must name its host; IP addresses are not allowed"
    elif len(labels) == 1 or labels[-1] in _LOCAL_SUFFIXES:
        yield "must not name a local or internal host"
    elif len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):  # noqa: PLR2004 - RFC 1035
        yield "has a host name that is not valid"


def _is_address(host: str, last_label: str) -> bool:
    """Tell addresses in every spelling that a fetcher may understand: 127.1, 0x7f.1, 2130706433, [::1]."""
    if ":" in host or re.fullmatch(r"\d+|0x[0-9a-f]*", last_label):
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
