"""Hosted images and uploads: public URLs that need no key, and must not be sent one."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from mock_segmind import checks
from mock_segmind.errors import bad_request
from mock_segmind.images import CONTENT_TYPES, Picture
from mock_segmind.messages import Json, Refused, Reply, json_reply
from mock_segmind.plan import Hosting
from mock_segmind.shapes import PAGE, padded
from mock_segmind.vendor import Asset, Exchange, Vendor

PRIVATE: Final = "http://169.254.169.254/computeMetadata/v1/instance/"
GONE: Final = b"<?xml version='1.0' encoding='UTF-8'?><Error><Code>NoSuchKey</Code></Error>"


def asset_of(vendor: Vendor, path: str) -> Asset | None:
    """Return what a path hosts: a request for an image carries that image's magic prompt."""
    return vendor.assets.get(path.removeprefix("/hosted/"))


def fetch(exchange: Exchange) -> Reply:
    """`GET /hosted/{name}`; whether a key came with it is in the ledger (`Ledger.leaks`)."""
    checks.method(exchange.call, "GET", "HEAD")
    asset = asset_of(exchange.vendor, exchange.call.path)
    if asset is None:
        return Reply(404, GONE, {"Content-Type": "application/xml"})
    return _MODES[asset.hosting.mode](exchange, asset)


def _ok(_: Exchange, asset: Asset) -> Reply:
    return Reply(200, asset.bytes, {"Content-Type": CONTENT_TYPES[asset.hosting.kind]})


def _missing(_: Exchange, __: Asset) -> Reply:
    return Reply(404, GONE, {"Content-Type": "application/xml"})


def _redirect(exchange: Exchange, asset: Asset) -> Reply:
    name = exchange.vendor.assets.put(replace(asset, hosting=Hosting(asset.hosting.kind)))
    return Reply(302, b"", {"Location": exchange.url(f"/hosted/{name}")})


def _redirect_private(_: Exchange, __: Asset) -> Reply:
    return Reply(302, b"", {"Location": PRIVATE})


def _page(_: Exchange, __: Asset) -> Reply:
    return Reply(200, PAGE, {"Content-Type": "text/html; charset=utf-8"})


def _truncated(exchange: Exchange, asset: Asset) -> Reply:
    reply = _ok(exchange, asset)
    return replace(reply, body=reply.body[: len(reply.body) // 2])


def _huge(exchange: Exchange, asset: Asset) -> Reply:
    picture = asset.picture or Picture("an upload")
    return replace(_ok(exchange, asset), body=padded(picture, 32))


_MODES: Mapping[str, Callable[[Exchange, Asset], Reply]] = {
    "ok": _ok,
    "missing": _missing,
    "redirect": _redirect,
    "redirect-private": _redirect_private,
    "html": _page,
    "truncated": _truncated,
    "huge": _huge,
}


def upload(exchange: Exchange) -> Reply:
    """`POST /upload-asset`: data URLs in, hosted URLs out, in the same order."""
    checks.method(exchange.call, "POST")
    checks.account(exchange.call, exchange.vendor.accounts)
    data_urls = checks.json_object(exchange.call).get("data_urls")
    if not isinstance(data_urls, list) or not data_urls:
        raise Refused(bad_request("'data_urls' must be a non-empty array of data URLs"))
    assets = [_decoded(data_url) for data_url in data_urls]
    urls: list[Json] = [exchange.url(f"/hosted/{exchange.vendor.assets.put(asset)}") for asset in assets]
    if "upload-fewer" in exchange.plan.marks:
        urls.pop()
    name = "urls" if "upload-urls" in exchange.plan.marks else "file_urls"
    return json_reply(200, {name: urls, "message": "Files uploaded successfully"})


def _decoded(data_url: Json) -> Asset:
    """Return the image in a data URL, or refuse what is none."""
    head, _, text = str(data_url).partition(";base64,")
    kind = head.removeprefix("data:image/")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as problem:
        raise Refused(bad_request("'data_urls' has an item that is not base64")) from problem
    if kind not in CONTENT_TYPES or not data:
        raise Refused(bad_request("'data_urls' takes data:image/jpeg, png or webp"))
    return Asset(Hosting(kind), data=data)
