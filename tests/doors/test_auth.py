"""Who may call, and whose images they see."""

from hashlib import sha256
from itertools import product

import pytest

from tests.harness.orders import CALLERS, KEYS, order
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


def test_each_caller_sees_only_their_own_images(site: Site) -> None:
    """An image of someone else is a 404 exactly like one that there is not, on every route that reads."""
    path = site.call("POST", "/v1/images", order(), headers=bearer(ALICE)).headers["Location"]
    for suffix, accept in product(("", "?wait=1", "/content"), ("application/json", "image/*")):
        own = site.call("GET", path + suffix, headers={**bearer(ALICE), "Accept": accept})
        other = site.call("GET", path + suffix, headers={**bearer(BOB), "Accept": accept})
        nobody = site.call("GET", f"/v1/images/{'a' * 26}" + suffix, headers={**bearer(BOB), "Accept": accept})
        assert own.status_code in {200, 302}
        assert other.status_code == 404
        assert {**other.json(), "requestId": 0} == {**nobody.json(), "requestId": 0}


def test_two_callers_may_use_the_same_key(site: Site) -> None:
    """Idempotency-Key belongs to its owner: Bob's "k" is neither Alice's image nor a clash with it."""
    headers = [{**bearer(who), "Idempotency-Key": "k"} for who in (ALICE, BOB)]
    asked = [order("a boat"), order("a train")]
    made = [site.call("POST", "/v1/images", body, headers=sent) for body, sent in zip(asked, headers, strict=True)]
    assert [answer.status_code for answer in made] == [200, 200]
    assert made[0].json()["id"] != made[1].json()["id"]
    assert site.billed == 2


def test_a_cap_for_each_user(site: Site) -> None:
    """MAX_IMAGES_PER_USER_PER_DAY stops the one who used it up, and no other caller."""
    site = site(MAX_IMAGES_PER_USER_PER_DAY="2")
    spent = [site.call("POST", "/v1/images", order(), headers=bearer(ALICE)).status_code for _ in range(3)]
    other = site.call("POST", "/v1/images", order(), headers=bearer(BOB))
    assert (spent, other.status_code) == ([200, 200, 429], 200)
    assert site.billed == 3


def test_open_to_all_with_a_cap(site: Site) -> None:
    """AUTH=none with MAX_IMAGES_PER_DAY lets every caller in."""
    assert site(AUTH="none", MAX_IMAGES_PER_DAY="5").post(order()).status_code == 200
