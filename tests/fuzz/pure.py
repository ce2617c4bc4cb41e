"""Every reader of what comes from outside: how many inputs it gets, and how one of them is made and read."""

import base64
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from werkzeug.datastructures import Headers

from imagegen.doors import batches
from imagegen.doors.oidc import OidcTokens
from imagegen.doors.signing_keys import SigningKeys, UnknownKey
from imagegen.errors import InvalidRequest, SegmindBadImage, Unauthenticated
from imagegen.pipeline import job_files
from imagegen.pipeline.claims import new_claim
from imagegen.references import validation
from imagegen.references.rules import Rules
from imagegen.references.upload_urls import parse_wish
from imagegen.segmind import history, v1, v2
from imagegen.segmind.failures import error_of, message_of
from imagegen.segmind.images import json_in, picture_in
from mock_segmind import Picture
from tests.cases import table
from tests.fuzz.instance import VENDOR_KEY
from tests.fuzz.mutations import Mutations
from tests.harness.clock import NOON, FakeClock

PROMPT = "sentinel-prompt"  # in each order
IMAGES = {kind: Picture("me").encoded(kind) for kind in ("png", "jpeg", "webp")}
DATA_URI = f"data:image/png;base64,{base64.b64encode(IMAGES['png']).decode()}"
RULES = Rules("uploads", "ada")
URIS = (
    *("https://images.example.com/me.png", "https://user@a.example/x", "https://10.0.0.1/", "http://a.example/"),
    *("gs://uploads/references/me.png", "gs://results/jobs/x", DATA_URI),
)
GOOD = table("fuzz")
ORDER, JOB, ROW, RECORD, FAILURES = (GOOD[name] for name in ("order", "job", "row", "record", "failures"))
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OF_RSA = jwt.PyJWK.from_json(jwt.get_algorithm_by_name("RS256").to_jwk(RSA.public_key()), "RS256")
ISSUER = "https://issuer.example"


class Keys(SigningKeys):
    """An issuer with one key, which needs no network."""

    def of(self, kid: str | None) -> jwt.PyJWK:
        if kid != "rsa":
            raise UnknownKey
        return OF_RSA


TOKENS = OidcTokens(ISSUER, "imagegen", Keys(ISSUER, FakeClock()))
HEAD = {"alg": "RS256", "kid": "rsa", "typ": "JWT"}


def order(change: Mutations) -> dict[str, object]:
    """Return a valid order, or nearly one."""
    uris = [change.one_of(URIS) for _ in range(change.random.randrange(4))]
    uris = [change.data(uri.encode()).decode("utf-8", "surrogateescape") if change.chance(0.3) else uri for uri in uris]
    return {**ORDER, "referenceImages": [{"tag": f"tag{i}", "uri": uri} for i, uri in enumerate(uris)]}


def request(change: Mutations) -> None:
    with suppress(InvalidRequest):
        validation.parse(change.json(order(change)), RULES).fingerprint.encode()


def batch(change: Mutations) -> None:
    images = [order(change) for _ in range(change.random.randrange(4))]
    with suppress(InvalidRequest):
        batches.parse(change.json({"name": "nightly", "images": images}), RULES)


def job_file(change: Mutations) -> None:
    name = f"jobs/{change.one_of(('one', 'a' * 26, 'größe'))}.json"
    upload = job_files.Upload("uploads", name, 1, 1, "application/json", {}, NOON)
    with suppress(InvalidRequest):
        found = job_files.order_of_job(upload, change.json({**JOB, **order(change)}))
        json.dumps(job_files.job_body(found, new_claim(found, NOON, 10).id)).encode()
        assert found.owner.encode() is not None


def photo(change: Mutations) -> None:
    changed = change.value({"prompt": "a @image", "ratio": "1280:720", "tag": "image"})
    metadata = {str(k): str(v) for k, v in changed.items()} if isinstance(changed, dict) else {"prompt": str(changed)}
    upload = job_files.Upload("uploads", "me.png", 1, 1, "image/png", metadata, NOON)
    with suppress(InvalidRequest):
        if job_files.is_photo(upload):
            job_files.order_of_photo(upload).request.fingerprint.encode()


def wish(change: Mutations) -> None:
    with suppress(InvalidRequest):
        parse_wish(change.json({"contentType": "image/png"}))


def vendor_error(change: Mutations) -> None:
    """Segmind's words are shown to callers: whatever they are, the key is not among them, and no URL is."""
    body = change.json(change.one_of(FAILURES)) if change.chance(0.8) else change.data(b"<html><body>no</body>")
    headers = {change.one_of(("retry-after", "x-rate-limit-reset-at-utc")): change.text(change.one_of(GOOD["resets"]))}
    found = error_of(change.one_of(GOOD["statuses"]), headers, body, VENDOR_KEY, NOON)
    assert VENDOR_KEY not in found.detail
    assert "https://a.example" not in found.detail
    assert len(found.detail) <= 500
    assert found.retry_after is None or found.retry_after >= 0
    found.detail.encode()
    message_of(body)


def image(change: Mutations) -> None:
    data = change.one_of(list(IMAGES.values()))
    encoded = base64.b64encode(data).decode()
    shapes = ({"image": encoded}, {"data": [{"b64_json": encoded}]}, {"output": ["https://cdn.example/x"]}, encoded)
    body = change.data(data) if change.chance(0.6) else change.json(change.one_of(shapes))
    try:
        found = picture_in(body, lambda _: change.data(data))
    except SegmindBadImage:
        return
    assert found.width > 0 < found.height


def history_row(change: Mutations) -> None:
    page = change.json(change.one_of(({"data": [ROW] * 2}, [ROW], {"data": {"items": [ROW]}})))
    with suppress(ValueError):
        for value in history._listed(json_in(page)) or []:
            row = history.row_of(value)
            assert row is None or row.request_id.encode()


def vendor_record(change: Mutations) -> None:
    with suppress(ValueError):
        value = json_in(change.json(RECORD))
        if isinstance(value, dict):
            v2.receipt_in(value)
    names = ("x-request-id", "x-cost", "x-remaining-credits", "x-generation-time")
    v1.receipt_in({name: change.text("0.1") for name in names})


def token(change: Mutations) -> None:
    claims = {**GOOD["claims"], "exp": (datetime.now(UTC) + timedelta(minutes=5)).timestamp()}
    parts = [change.json(HEAD) if change.chance(0.3) else json.dumps(HEAD).encode()]
    parts.append(change.json(claims) if change.chance(0.7) else json.dumps(claims).encode())
    signed = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    signature = jwt.get_algorithm_by_name("RS256").sign(signed, RSA) if change.chance(0.2) else b"x" * 256
    whole = signed + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")
    sent = (change.data(whole) if change.chance(0.2) else whole).decode("latin-1")
    refusal = ""
    try:
        found = TOKENS.caller(Headers([("Authorization", f"Bearer {sent}".replace("\n", "").replace("\r", ""))]))
        assert found.owner.encode()
    except Unauthenticated as error:
        refusal = error.detail
    assert len(sent) < 20 or sent not in refusal


PURE: Mapping[str, tuple[int, Callable[[Mutations], None]]] = {
    "request bodies": (20_000, request),
    "job files": (14_000, job_file),
    "photos": (4_000, photo),
    "batches": (5_000, batch),
    "wishes for an upload": (3_000, wish),
    "errors of the vendor": (12_000, vendor_error),
    "images of the vendor": (12_000, image),
    "rows of the history": (8_000, history_row),
    "records and headers of the vendor": (4_000, vendor_record),
    "tokens": (6_000, token),
}
