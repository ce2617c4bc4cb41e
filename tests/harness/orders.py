"""Requests for images, as callers write them: over HTTP, in job files, in batches."""

from typing import Any, TypeAlias

Body: TypeAlias = dict[str, Any]


def order(prompt: str = "a red bicycle against a white wall", **fields: object) -> Body:
    """Return a valid body; fields replace or add."""
    return {"promptText": prompt, "referenceImages": [], **fields}


def reference(tag: str, uri: str | None = None) -> dict[str, str]:
    """Return one entry of `referenceImages`."""
    return {"tag": tag} if uri is None else {"tag": tag, "uri": uri}
