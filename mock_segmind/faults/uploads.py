"""Faults of `POST /upload-asset`. Uploads are free."""

from mock_segmind.calls import Operation
from mock_segmind.faults.behaviour import Edit
from mock_segmind.faults.entry import Entry, Seen, edits
from mock_segmind.replies import Json, Reply, json_reply

UPLOAD: tuple[Operation, ...] = ("upload",)


def _renamed(reply: Reply) -> Reply:
    body = reply.fields
    return json_reply(reply.status, {"urls": body.pop("file_urls", None), **body}) if reply.status == 200 else reply


def _one_less(reply: Reply) -> Reply:
    body = reply.fields
    urls: Json = body.get("file_urls")
    return json_reply(200, {**body, "file_urls": urls[:-1]}) if isinstance(urls, list) else reply


def _entry(name: str, does: str, body: str, edit: Edit) -> Entry:
    return Entry(name, f"upload-asset answers {does}", edits(lambda _: edit), Seen(200, body), on=UPLOAD, billed=False)


ENTRIES = (
    _entry("upload-urls", "`urls` instead of `file_urls`", "urls instead of file_urls", _renamed),
    _entry("upload-fewer", "one URL too few", "one URL too few", _one_less),
)
