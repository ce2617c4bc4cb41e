"""v1: one blocking call that answers the image's bytes."""

import json

from mock_segmind import checks
from mock_segmind.replies import Reply, json_reply, refused, utc
from mock_segmind.vendor import Exchange, Generation

FREE_CREDITS = 0.01


def generate(exchange: Exchange) -> Reply:
    """`POST /v1/runway-gen4-image`: check, hold, generate, bill, answer."""
    account, picture, uris = checks.generation(exchange.call, exchange.vendor.accounts)
    generation = exchange.begin(account, picture)
    exchange.fetch(generation, uris)
    exchange.pause(exchange.seconds)
    exchange.end(generation)
    if generation.error:
        raise refused(500, generation.error)
    if exchange.behaviour.silent:
        return Reply(200)  # no byte of it is sent, so it need not be drawn
    reply = exchange.behaviour.v1_answer(picture, lambda hosting: exchange.publish(picture, hosting))
    return reply.with_headers(_headers(exchange, generation))


def _headers(exchange: Exchange, generation: Generation) -> dict[str, str]:
    width, height = generation.picture.size
    return {
        "x-cost": str(generation.price),
        "x-remaining-credits": str(generation.remaining),
        "x-generation-time": f"{generation.seconds:.2f}",
        "x-seed-value": str(generation.picture.seed),
        "x-output-metadata": json.dumps({"width": width, "height": height}),
        "x-rate-limit-reset-at-utc": utc((exchange.vendor.clock.now() // 60 + 1) * 60),
    }


def user_credits(exchange: Exchange) -> Reply:
    """`GET /v1/get-user-credits`: free of charge."""
    checks.method(exchange.call, "GET", "HEAD")
    account = checks.account(exchange.call, exchange.vendor.accounts)
    return json_reply(200, {"credits": float(account.balance), "free-credits": FREE_CREDITS})
