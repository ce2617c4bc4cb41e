"""v1: one blocking call that answers the image's bytes."""

import json
import time
from decimal import Decimal

from mock_segmind import checks
from mock_segmind.errors import utc
from mock_segmind.images import Picture
from mock_segmind.messages import Reply, json_reply
from mock_segmind.plan import Generation
from mock_segmind.references import fetch_all
from mock_segmind.vendor import Exchange

FREE_CREDITS = 0.01


def generate(exchange: Exchange) -> Reply:
    """`POST /v1/runway-gen4-image`: check, hold, generate, bill, answer."""
    vendor, call = exchange.vendor, exchange.call
    checks.method(call, "POST")
    checks.slug(call)
    account = checks.account(call, vendor.accounts)
    picture, uris = checks.picture(call)
    with exchange.held(account) as price:
        exchange.entry.fetched = fetch_all(uris, vendor.settings.fetch_references)
        exchange.pause(exchange.seconds)
        remaining = exchange.paid(account, price)
    generation = Generation(picture, lambda hosting: exchange.publish(picture, hosting))
    return exchange.plan.shape(generation).with_headers(_headers(exchange, picture, remaining))


def _headers(exchange: Exchange, picture: Picture, remaining: Decimal) -> dict[str, str]:
    width, height = picture.size
    return {
        "x-request-id": exchange.entry.request_id,
        "x-cost": str(exchange.vendor.settings.price),
        "x-remaining-credits": str(remaining),
        "x-generation-time": f"{exchange.seconds:.2f}",
        "x-seed-value": str(picture.seed),
        "x-output-metadata": json.dumps({"width": width, "height": height}),
        "x-rate-limit-reset-at-utc": utc((time.time() // 60 + 1) * 60),
    }


def user_credits(exchange: Exchange) -> Reply:
    """`GET /v1/get-user-credits`: free of charge."""
    checks.method(exchange.call, "GET", "HEAD")
    account = checks.account(exchange.call, exchange.vendor.accounts)
    return json_reply(200, {"credits": float(account.balance), "free-credits": FREE_CREDITS})
