"""Hosted images and uploads: public URLs that need no key, and must not be sent one."""

import base64

from mock_segmind import checks
from mock_segmind.faults.behaviour import GONE, Asset, Hosting
from mock_segmind.images import CONTENT_TYPES
from mock_segmind.replies import Json, Reply, bad_request, json_reply
from mock_segmind.vendor import Exchange, Vendor


def asset_of(vendor: Vendor, path: str) -> Asset | None:
    """Return what a path hosts: a request for an image carries that image's magic prompt."""
    return vendor.assets.get(path.removeprefix("/hosted/"))


def fetch(exchange: Exchange) -> Reply:
    """`GET /hosted/{name}`; whether a key came with it is in the ledger (`Ledger.leaks`)."""
    checks.method(exchange.call, "GET", "HEAD")
    asset = asset_of(exchange.vendor, exchange.call.path)
    if asset is None:
        return GONE
    return asset.hosting.answer(asset, exchange.host) if asset.hosting.answer else asset.reply


def upload(exchange: Exchange) -> Reply:
    """`POST /upload-asset`: data URLs in, hosted URLs out, in the same order."""
    checks.method(exchange.call, "POST")
    checks.account(exchange.call, exchange.vendor.accounts)
    data_urls = checks.json_object(exchange.call).get("data_urls")
    if not isinstance(data_urls, list) or not data_urls:
        raise bad_request("'data_urls' must be a non-empty array of data URLs")
    assets = [_decoded(data_url) for data_url in data_urls]
    urls: list[Json] = [exchange.host(asset) for asset in assets]
    return json_reply(200, {"file_urls": urls, "message": "Files uploaded successfully"})


def _decoded(data_url: Json) -> Asset:
    """Return the image in a data URL, or refuse what is none."""
    head, _, text = str(data_url).partition(";base64,")
    kind = head.removeprefix("data:image/")
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as problem:
        raise bad_request("'data_urls' has an item that is not base64") from problem
    if kind not in CONTENT_TYPES or not data:
        raise bad_request("'data_urls' takes data:image/jpeg, png or webp")
    return Asset(Hosting(kind), data=data)
