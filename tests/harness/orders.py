"""Requests for images, as callers write them: over HTTP, in job files, in batches."""

import hashlib
from typing import Any, TypeAlias

Body: TypeAlias = dict[str, Any]
KEYS = {"alice": "alice-key-0123456789", "bob": "bob-key-9876543210"}
CALLERS = {  # settings of a deployment that knows these two
    "AUTH": "keys",
    "API_KEYS": ",".join(f"{name}:{hashlib.sha256(key.encode()).hexdigest()}" for name, key in KEYS.items()),
}


def order(prompt: str = "a red bicycle against a white wall", **fields: object) -> Body:
    """Return a valid body; fields replace or add."""
    return {"promptText": prompt, "referenceImages": [], **fields}


def reference(tag: str, uri: str | None = None) -> dict[str, str]:
    """Return one entry of `referenceImages`."""
    return {"tag": tag} if uri is None else {"tag": tag, "uri": uri}
