"""Faults that change what a 200 is: every shape that was seen, and broken ones. All are billed."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

from mock_segmind.images import CONTENT_TYPES, Picture
from mock_segmind.messages import Json, JsonObject, Operation, Reply, json_reply
from mock_segmind.plan import Generation, Hosting, Option, Options, Plan, Shape, Spec, raw

FORMAT = Option("format", "jpeg", "the image's format", choices=tuple(CONTENT_TYPES))
FIELD = Option("field", "output", "where the URL stands", choices=("output", "image", "images"))
V1: tuple[Operation, ...] = ("v1",)
V1_AND_RESULT: tuple[Operation, ...] = ("v1", "v2-result")


def _billed(name: str, does: str, shape: Callable[[Options], Shape], *options: Option) -> Spec:
    return Spec(
        name,
        "answers",
        does,
        lambda plan, given: replace(plan, shape=shape(given)),
        options,
        on=V1,
        billed="yes",
    )


def _fixed(name: str, does: str, reply: Callable[[Picture], Reply]) -> Spec:
    return _billed(name, does, lambda _: lambda generation: reply(generation.picture))


def _base64(options: Options) -> Shape:
    kind, prefixed, name = options.text("format"), options.flag("data_uri"), options.text("field")

    def shape(generation: Generation) -> Reply:
        text = base64.b64encode(generation.picture.encoded(kind)).decode()
        value = f"data:{CONTENT_TYPES[kind]};base64,{text}" if prefixed else text
        return json_reply(200, {**_in_field(name, value), "status": "Success"})

    return shape


def _in_field(name: str, value: str) -> JsonObject:
    images: list[Json] = [{"url": value, "content_type": "image/jpeg"}]
    return {"images": images} if name == "images" else {name: value}


def _hosted(name: str, does: str, hosting: Callable[[Options], Hosting], *options: Option) -> Spec:
    """Return a fault that answers with JSON naming a hosted URL, on v1; on v2 it changes only that URL."""

    def apply(plan: Plan, given: Options) -> Plan:
        host = hosting(given)

        def shape(generation: Generation) -> Reply:
            return json_reply(200, _in_field(given.text("field"), generation.publish(host)))

        return replace(plan, shape=shape, hosting=host)

    return Spec(name, "answers", does, apply, (*options, FIELD), on=V1_AND_RESULT, billed="yes")


def _in_mode(name: str, does: str, mode: str) -> Spec:
    return _hosted(name, does, lambda _: Hosting(mode=mode))


def _half(picture: Picture) -> Reply:
    data = picture.encoded()
    return _jpeg(data[: len(data) // 2])


def _jpeg(data: bytes) -> Reply:
    return Reply(200, data, {"Content-Type": "image/jpeg"})


def _oversized(options: Options) -> Shape:
    return lambda generation: _jpeg(padded(generation.picture, options.whole("mib")))


@lru_cache(maxsize=2)
def padded(picture: Picture, mib: int) -> bytes:
    """Return a whole jpeg followed by zeros, `mib` MiB and one byte in all."""
    return picture.encoded().ljust(mib * 1024 * 1024 + 1, b"\0")


def _other_size(picture: Picture) -> Reply:
    return _jpeg(replace(picture, ratio="832:1104" if picture.ratio != "832:1104" else "960:960").encoded())


def _json(value: Json) -> Callable[[Picture], Reply]:
    return lambda _: json_reply(200, value)


def _typed(content_type: str, body: bytes) -> Callable[[Picture], Reply]:
    headers: Mapping[str, str] = {"Content-Type": content_type}
    return lambda _: Reply(200, body, headers)


PAGE = b"<!doctype html><html><title>Just a moment...</title><body>Checking your browser</body></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="1280" height="720"><script>alert(1)</script></svg>'

SPECS: tuple[Spec, ...] = (
    _billed("jpeg", "raw jpeg bytes: the usual answer, to lift another fault", lambda _: raw("jpeg")),
    _billed("png", "raw png bytes", lambda _: raw("png")),
    _billed("webp", "raw webp bytes", lambda _: raw("webp")),
    _billed(
        "base64",
        'JSON `{"image": BASE64, "status": …}`',
        _base64,
        Option("data_uri", "false", "with `data:image/…;base64,` in front", "flag"),
        FORMAT,
        Option("field", "image", "where the text stands", choices=("image", "output", "images")),
    ),
    _hosted("hosted", "JSON with the URL of a hosted image", lambda given: Hosting(given.text("format")), FORMAT),
    _in_mode("hosted-missing", "a hosted URL that answers 404", "missing"),
    _in_mode("hosted-redirect", "a hosted URL that redirects to the image on the same host", "redirect"),
    _in_mode("hosted-redirect-private", "a hosted URL that redirects to a private address", "redirect-private"),
    _in_mode("hosted-html", "a hosted URL that answers an HTML page with 200", "html"),
    _in_mode("hosted-truncated", "a hosted URL that answers half an image", "truncated"),
    _in_mode("hosted-huge", "a hosted URL that answers more than 32 MiB", "huge"),
    _hosted(
        "hosted-elsewhere",
        "a URL on another host",
        lambda given: Hosting(url=given.text("url")),
        Option("url", "https://images.segmind.invalid/outputs/image.jpg", "that URL"),
    ),
    _hosted(
        "hosted-private",
        "a URL with a private address",
        lambda given: Hosting(url=given.text("url")),
        Option("url", "http://169.254.169.254/computeMetadata/v1/instance/", "that URL"),
    ),
    _fixed("ok-html", "a 200 that is an HTML page", _typed("text/html; charset=utf-8", PAGE)),
    _fixed("ok-empty", "a 200 with no body", _typed("image/jpeg", b"")),
    _fixed("ok-error", "a 200 that is a JSON error", _json({"error": "Something went wrong"})),
    _fixed("ok-null", "a 200 of JSON without an image", _json({"status": "Success", "output": None})),
    _fixed("ok-array", "a 200 of JSON that is no object", _json([1, 2, 3])),
    _fixed("ok-broken-json", "a 200 of JSON that ends early", _typed("application/json", b'{"image": "iVBORw0')),
    _fixed("ok-broken-base64", "a 200 of JSON whose base64 is none", _json({"image": "!!!not base64!!!"})),
    _fixed("ok-truncated", "half an image with the right Content-Length for the half", _half),
    _fixed("ok-not-image", "a 200 that says image/jpeg and is none", _typed("image/jpeg", b"\x00\x01\x02" * 4096)),
    _fixed("ok-svg", "a 200 that is an SVG with a script", _typed("image/svg+xml", SVG)),
    _fixed("ok-other-size", "a good image of another size than asked", _other_size),
    _billed(
        "ok-huge",
        "an image larger than 32 MiB",
        _oversized,
        Option("mib", "32", "its size in MiB; one byte is added", "whole"),
    ),
)
