"""The ways in which an order comes to a deployment, each the same whenever the same order comes again."""

from collections.abc import Callable

import requests

from mock_segmind import Picture
from tests.harness.orders import Body
from tests.harness.site import Site

Way = Callable[[Site, Body, str], object]


def by_http(site: Site, body: Body, key: str, timeout: float = 60.0, **headers: str) -> None:
    site.post(body, key, timeout, **headers)


def by_a_job_file(site: Site, body: Body, key: str) -> None:
    name = f"jobs/{key}.json"
    site.deliver(site.uploads.event(name) if name in site.uploads.names() else site.uploads.put(name, body))


def by_a_photo(site: Site, body: Body, key: str) -> None:
    """The photo is a reference of its own, so only the body's prompt and ratio count."""
    asked = {"prompt": body["promptText"]} | ({"ratio": body["ratio"]} if "ratio" in body else {})
    known = key in site.uploads.names()
    site.deliver(site.uploads.event(key) if known else site.uploads.put_photo(key, _PHOTO, **asked))


def by_the_queue(site: Site, body: Body, key: str, wait: str = "", **headers: str) -> None:
    """Queue it only."""
    site.queue(body, key, wait, **headers)


def by_a_batch(site: Site, body: Body, key: str) -> None:
    """Queue it only."""
    site.batch({"name": key, "images": [body]})


def survives(way: Way, site: Site, body: Body, key: str) -> bool:
    """Tell whether the process that an order came to lived to answer it."""
    try:
        way(site, body, key)
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        return False
    return True


_PHOTO = Picture("me").encoded("png")
