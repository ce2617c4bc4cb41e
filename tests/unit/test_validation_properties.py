"""Validation of anything at all: a request or InvalidRequest, never another exception."""

import json

from hypothesis import given
from hypothesis import strategies as st

from imagegen.errors import InvalidRequest
from imagegen.model import ImageRequest
from imagegen.references.rules import Rules
from imagegen.references.validation import MAX_PROMPT_UNITS, MAX_REFERENCES, check, parse
from tests import strategies

KNOWN = {"promptText", "referenceImages", "ratio"}
RULES = st.sampled_from([Rules(), Rules("uploads"), Rules("uploads", "ada")])


def outcome(body: bytes, rules: Rules | None = None) -> ImageRequest | InvalidRequest:
    try:
        return parse(body, rules or Rules())
    except InvalidRequest as error:
        return error


BODIES = st.one_of(strategies.json_values, strategies.almost_bodies).map(strategies.as_json)


@given(st.one_of(BODIES, st.binary(max_size=400)), RULES)
def test_problems_of_any_body_can_be_shown(body: bytes, rules: Rules) -> None:
    """Of any shape: a refusal says one thing at least, in text that UTF-8 and JSON can carry, and points (RFC 6901)."""
    found = outcome(body, rules)
    assert isinstance(found, ImageRequest) or found.problems
    for problem in found.problems if isinstance(found, InvalidRequest) else ():
        assert problem.pointer == "" or problem.pointer.startswith("/")
        assert json.loads(json.dumps([problem.pointer, problem.detail]).encode())
        assert (problem.pointer + problem.detail).encode()


@given(strategies.bodies)
def test_a_good_request_comes_through_whole(body: dict[str, object]) -> None:
    """What is sent to Segmind is what was asked, with the defaults filled in, and no more than Runway takes."""
    made = check(body)
    assert made.body() == {"ratio": "1280:720", **body}
    assert parse(json.dumps(made.body()).encode()) == made
    assert len(made.prompt.encode("utf-16-le")) // 2 <= MAX_PROMPT_UNITS
    assert len({r.tag for r in made.references}) == len(made.references) <= MAX_REFERENCES


@given(strategies.bodies, st.randoms(use_true_random=False))
def test_the_fingerprint_is_the_requests_own(body: dict[str, object], random: object) -> None:
    """Neither the order of names nor a default that is spelled out changes it; any other difference does."""
    names = list(body)
    random.shuffle(names)  # type: ignore[attr-defined]  # a random.Random
    again = check({"ratio": "1280:720", **{name: body[name] for name in names}})
    assert again.fingerprint == check(body).fingerprint
    other = check({**body, "promptText": f"{body['promptText']!s}"[:399] + "!"})
    assert (other.fingerprint == again.fingerprint) == (other == again)


@given(strategies.bodies, strategies.any_text.filter(lambda name: name not in KNOWN))
def test_an_unknown_field_is_always_refused(body: dict[str, object], name: str) -> None:
    """A misspelt option that is silently left out would cost an image."""
    found = outcome(strategies.as_json({**body, name: 1}))
    assert isinstance(found, InvalidRequest)
    assert len(found.problems) in {1, 2}
