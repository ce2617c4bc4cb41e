"""Who may call, and whose images they see."""

import json
from hashlib import sha256
from itertools import product

import pytest

from imagegen.doors.routes import ROUTES
from tests.harness.orders import CALLERS, KEYS, Body, order
from tests.harness.site import Site

ALICE, BOB = KEYS.values()


@pytest.fixture
def site(site: Site) -> Site:
    return site(**CALLERS)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer("unknown-key-000000"),
        bearer(""),
        {"Authorization": f"Basic {ALICE}"},
        {"Authorization": ALICE},
        {"x-api-key": "unknown-key-000000"},
        {"x-api-key": sha256(ALICE.encode()).hexdigest()},
        bearer(f"{ALICE} {BOB}"),
    ],
)
def test_who_has_no_key_gets_a_401(site: Site, headers: dict[str, str]) -> None:
    """No key, an unknown one, another scheme, the hash itself: 401 with WWW-Authenticate, on every route of images."""
    paths = [("POST", "/v1/images"), ("GET", f"/v1/images/{'a' * 26}"), ("GET", f"/v1/images/{'a' * 26}/content")]
    answers = [site.call(method, path, order(), headers=headers) for method, path in paths]
    assert {(a.status_code, a.json()["code"]) for a in answers} == {(401, "unauthenticated")}
    assert {a.headers["WWW-Authenticate"] for a in answers} == {"Bearer"}
    assert site.ledger.posts() == []


def test_credentials_come_before_anything_else(site: Site) -> None:
    """Who is not let in learns neither what is wrong with a body nor which ids could exist; a probe needs no key."""
    assert site.post({"bad": 1}).status_code == 401
    assert [site.get(f"/v1/images/{path}").status_code for path in ("short", f"{'a' * 26}?wait=-1")] == [401, 401]
    assert [site.get(path).status_code for path in ("/health", "/")] == [200, 200]


@pytest.mark.parametrize("headers", [bearer(ALICE), {"Authorization": f"bearer  {ALICE} "}, {"x-api-key": ALICE}])
def test_a_key_opens_the_door(site: Site, headers: dict[str, str]) -> None:
    """As a bearer token, in any case of the scheme, or as x-api-key."""
    assert site.call("POST", "/v1/images", order(), headers=headers).status_code == 200


UNKNOWN = "a" * 26
OPEN = {"index", "openapi", "problem", "playground_file", "health"}  # these ask for no credentials, and know no images
OF_AN_IMAGE = {"show", "content", "delete", "submitted_status", "submitted_result"}
ORDERING = {"create", "create_as_segmind", "submit"}
RULES = [rule for rule in ROUTES.iter_rules() if rule.endpoint not in OPEN]
METHODS = [(rule, method) for rule in RULES for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}]


def test_every_route_is_in_a_table_of_two_callers() -> None:
    """A route that is added says to whom it belongs."""
    assert {rule.endpoint for rule in RULES} == OF_AN_IMAGE | ORDERING | {"usage", "upload"}


@pytest.mark.parametrize(
    ("path", "method"), [(rule.rule, method) for rule, method in METHODS if rule.endpoint in OF_AN_IMAGE]
)
@pytest.mark.parametrize("accept", ["application/json", "image/*"])
def test_an_image_of_someone_else_does_not_exist(site: Site, path: str, method: str, accept: str) -> None:
    """Whether it runs, has ended or waits in the queue: Bob's answer is that of no image, and Alice keeps hers."""
    ended = site.call("POST", "/v1/images", order(), headers=bearer(ALICE)).json()["id"]
    queued = site.call("POST", "/v2/runway-gen4-image", order(), headers=bearer(ALICE)).json()["request_id"]
    own = {"Accept": accept, **bearer(BOB)}
    answers = [
        site.call(method, path.replace("<image_id>", image_id) + query, headers=own)
        for image_id, query in product((ended, queued, UNKNOWN), ("", "?wait=1"))
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({json.dumps({**answer.json(), "requestId": 0}) for answer in answers}) == 1
    shown = [site.call("GET", f"/v1/images/{found}", headers=bearer(ALICE)).json() for found in (ended, queued)]
    assert [found["status"] for found in shown] == ["succeeded", "queued"]
    kept = site.call(method, path.replace("<image_id>", ended), headers=bearer(ALICE))
    assert kept.status_code in {200, 204, 302}


@pytest.mark.parametrize("path", [rule.rule for rule, _ in METHODS if rule.endpoint in ORDERING])
@pytest.mark.parametrize("body", [order("a boat"), order("a train")], ids=["equal", "another"])
def test_two_callers_may_use_the_same_key(site: Site, path: str, body: Body) -> None:
    """Idempotency-Key belongs to its owner: Bob's is neither Alice's image nor a clash with it, on any route."""
    made = site.call("POST", "/v1/images", order("a boat"), headers={**bearer(ALICE), "Idempotency-Key": "k"})
    his = site.call("POST", path, body, headers={**bearer(BOB), "Idempotency-Key": "k", "Accept": "application/json"})
    found = his.json().get("id") or his.json()["request_id"]
    assert (made.status_code, his.status_code in {200, 202}, found != made.json()["id"]) == (200, True, True)
    assert "Idempotent-Replayed" not in his.headers
    assert site.billed == (2 if his.status_code == 200 else 1)


def test_an_account_and_a_folder_are_ones_own(site: Site) -> None:
    """Bob's account has nothing of Alice's in it, and what he may upload lies in his own folder."""
    assert site.call("POST", "/v1/images", order(), headers=bearer(ALICE)).status_code == 200
    site.rest()
    totals = [site.call("GET", "/v1/usage", headers=bearer(who)).json()["total"] for who in (ALICE, BOB)]
    assert [(total["images"], total["costUsd"] > 0) for total in totals] == [(1, True), (0, False)]
    wish = {"contentType": "image/png"}
    folders = {
        site.call("POST", "/v1/uploads", wish, headers=bearer(who)).json()["gsUri"].rpartition("/")[0]
        for who in (ALICE, ALICE, BOB)
    }
    assert len(folders) == 2


def test_a_cap_for_each_user(site: Site) -> None:
    """MAX_IMAGES_PER_USER_PER_DAY stops the one who used it up, and no other caller."""
    site = site(MAX_IMAGES_PER_USER_PER_DAY="2")
    spent = [site.call("POST", "/v1/images", order(), headers=bearer(ALICE)).status_code for _ in range(3)]
    other = site.call("POST", "/v1/images", order(), headers=bearer(BOB))
    assert (spent, other.status_code) == ([200, 200, 429], 200)
    assert site.billed == 3
