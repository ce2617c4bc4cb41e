"""Which reference images may be used, and what a `gs://` or `data:` one is. Pure.

Segmind and Runway fetch `https` references, not we; the rules keep a caller from making them look at addresses
that are nobody's public business, and refuse what Runway is known to refuse, before it costs anything.
"""

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from imagegen.image_bytes import NotAnImage, picture_of
from imagegen.model import Reference, owner_hash

FOLDER = "references/"
MAX_URI_LENGTH = 2048
MAX_NAME_BYTES = 1024  # Cloud Storage's own
MAX_DATA_URI_LENGTH = 5 * 1024 * 1024
_LOCAL_SUFFIX = re.compile("local(host|domain)?|internal|intranet|lan|home|corp|private|arpa")
_ADDRESS_SUFFIX = re.compile("[0-9]+|0x[0-9a-f]*")  # 127.1, 0x7f.1, 2130706433: any spelling that a fetcher understands
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_DATA = re.compile(r"data:image/(png|jpeg|webp);base64,", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rules:
    """Where a caller's own reference images lie: `gs://bucket/references/…`, with accounts in a folder for each."""

    bucket: str | None = None
    owner: str = ""

    @property
    def folder(self) -> str:
        """The prefix of the names that this caller may use."""
        return f"{FOLDER}{owner_hash(self.owner)}/" if self.owner else FOLDER


def problems_of(uri: str, rules: Rules) -> Iterator[str]:
    """Yield everything that keeps `uri` from being a reference image; nothing where it is fine."""
    scheme = uri.partition(":")[0].lower()
    if not uri:
        yield "must not be empty; a reference without an image has no uri"
    elif scheme in {"gs", "data"} and rules.bucket is None:
        yield f"{scheme}: references need an uploads bucket, and this service has none; use an https:// URI"
    elif scheme == "gs":
        yield from _problems_of_object(uri, rules)
    elif scheme == "data":
        yield from _problems_of_data(uri)
    else:
        yield from _problems_of_url(uri)


def reference(tag: str, uri: str | None, rules: Rules) -> Reference:
    """Return a reference that has passed. A `data:` image becomes the object it will be staged as, named by content."""
    found = _DATA.match(uri or "")
    if uri is None or found is None:
        return Reference(tag, uri)
    data = base64.b64decode(uri[found.end() :], validate=True)
    name = f"{rules.folder}{hashlib.sha256(data).hexdigest()}.{found[1].lower().replace('jpeg', 'jpg')}"
    return Reference(tag, f"gs://{rules.bucket}/{name}", inline=data)


def _problems_of_object(uri: str, rules: Rules) -> Iterator[str]:
    prefix = f"gs://{rules.bucket}/{rules.folder}"
    name = uri.removeprefix(f"gs://{rules.bucket}/")
    if not uri.startswith(prefix) or len(uri) == len(prefix):
        yield "must be one of your own references in the uploads bucket, as POST /v1/uploads returns them"
    elif len(name.encode("utf-8", "surrogatepass")) > MAX_NAME_BYTES or not name.isprintable():
        yield "is not a valid object name"


def _problems_of_data(uri: str) -> Iterator[str]:
    found = _DATA.match(uri)
    if len(uri) > MAX_DATA_URI_LENGTH:
        yield f"has {len(uri):,} characters; at most {MAX_DATA_URI_LENGTH:,} are allowed"
        return
    if found is None:
        yield "must begin with data:image/png;base64, (or jpeg, or webp)"
        return
    told = f"image/{found[1].lower()}"
    try:
        picture = picture_of(base64.b64decode(uri[found.end() :], validate=True))
    except ValueError as e:
        yield str(e) if isinstance(e, NotAnImage) else "is not valid base64"
    else:
        if picture.content_type != told:
            yield f"says {told}, but its bytes are {picture.content_type}"


def _problems_of_url(uri: str) -> Iterator[str]:
    if len(uri) > MAX_URI_LENGTH:
        yield f"has {len(uri):,} characters; at most {MAX_URI_LENGTH:,} are allowed"
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
    if "[" in parts.netloc:  # an address of version 6 or of the future
        yield "must name its host; IP addresses are not allowed"
    else:
        yield from _problems_of_host((parts.hostname or "").removesuffix("."))


def _problems_of_host(host: str) -> Iterator[str]:
    labels = host.split(".")
    if not host:
        yield "has no host name"
    elif _ADDRESS_SUFFIX.fullmatch(labels[-1]):
        yield "must name its host; IP addresses are not allowed"
    elif len(labels) == 1 or _LOCAL_SUFFIX.fullmatch(labels[-1]):
        yield "must not name a local or internal host"
    elif len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):  # noqa: PLR2004 - RFC 1035
        yield "has a host name that is not valid"
