"""Fetching reference images as Runway does, where asked: HEAD, GET, no redirect, an image of known length."""

import requests
from urllib3.exceptions import HTTPError

from mock_segmind.replies import JsonObject, Refused, refused

LARGEST = 16 * 1024 * 1024
TIMEOUT_SECONDS = 10


def fetch_all(uris: list[str], mode: str) -> list[JsonObject]:
    """Fetch each reference by URL and return what came; refuse with a 500 at the first that fails."""
    if mode == "off":
        return []
    return [_fetch(uri, mode) for uri in uris if not uri.startswith("data:")]


def _fetch(uri: str, mode: str) -> JsonObject:
    try:
        if mode == "head":
            _headers_of(requests.head(uri, allow_redirects=False, timeout=TIMEOUT_SECONDS), uri)
        with requests.get(uri, allow_redirects=False, stream=True, timeout=TIMEOUT_SECONDS) as response:
            content_type = _headers_of(response, uri)
            size = len(response.raw.read(LARGEST + 1))
    except (requests.RequestException, HTTPError) as problem:
        raise _unreachable(uri, type(problem).__name__) from problem
    if size > LARGEST or str(size) != response.headers["Content-Length"]:
        raise _unreachable(uri, "its size is not what Content-Length said, or above 16 MB")
    return {"uri": uri.partition("?")[0], "contentType": content_type, "bytes": size}


def _headers_of(response: requests.Response, uri: str) -> str:
    """Return the Content-Type, or refuse what Runway refuses."""
    headers = response.headers
    if response.status_code != 200:
        raise _unreachable(uri, f"{response.request.method} answered {response.status_code}")
    if not headers.get("Content-Type", "").startswith("image/"):
        raise _unreachable(uri, "its Content-Type is no image")
    if "Content-Length" not in headers:
        raise _unreachable(uri, "it has no Content-Length")
    return headers["Content-Type"]


def _unreachable(uri: str, why: str) -> Refused:
    """500: the model could not fetch a reference image; only host and path of its address are repeated."""
    return refused(500, f"Failed to fetch reference image {uri.partition('?')[0]}: {why}")
