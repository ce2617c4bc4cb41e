"""Is this finalized object ours, and what does it ask for? Decided without looking at anything else."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.errors import InvalidRequest
from imagegen.failure import Problem
from imagegen.model import Order
from imagegen.pipeline.claims import image_id
from imagegen.pipeline.job_files import Upload, is_job, is_photo, job_body, job_name, order_of_job, order_of_photo
from imagegen.references.validation import check
from tests import strategies
from tests.cases import rows
from tests.harness.clock import NOON

FILE = Upload("uploads", "jobs/one.json", 7, 2, "application/json", {}, NOON)
PHOTO = Upload("uploads", "inbox/me.jpg", 7, 2, "image/jpeg", {"prompt": "@image at sea"}, NOON)
BODY = {"promptText": "a boat", "referenceImages": []}
KEYS = st.none() | st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=255)


@pytest.mark.parametrize(("name", "ours"), rows("job_names"))
def test_a_job_file_is_known_by_its_name(name: str, ours: bool) -> None:
    """jobs/*.json, and nothing that only looks like it."""
    assert is_job(replace(FILE, name=name)) is ours


@pytest.mark.parametrize(("name", "kind", "metadata", "ours"), rows("photos"))
def test_a_photo_is_known_by_type_metadata_and_place(
    name: str, kind: str, metadata: dict[str, str], ours: bool
) -> None:
    """An image with a prompt, outside references/."""
    assert is_photo(replace(PHOTO, name=name, content_type=kind, metadata=metadata)) is ours


@pytest.mark.parametrize("change", [{"bucket": "other"}, {"name": "jobs/two.json"}, {"generation": 8}])
def test_the_own_id_is_bucket_name_and_generation(change: dict[str, str | int]) -> None:
    """The same for every delivery, another one for another object; what else the event says does not matter."""
    other = replace(FILE, **change)  # type: ignore[arg-type]  # each value is of its field's type
    assert replace(FILE, size=9, content_type="x", metadata={"a": "b"}).own_id == FILE.own_id
    assert other.own_id != FILE.own_id


@given(strategies.bodies, st.text(max_size=40), KEYS)
def test_a_queued_order_comes_back_whole(body: dict[str, object], owner: str, key: str | None) -> None:
    """What is queued is what the event door reads: request, owner, key and id, which is the key's own without one."""
    ours = Order(check(body), "http", owner, key)
    known = image_id(owner, key)
    file = replace(FILE, name=job_name(known))
    written = job_body(ours, known)
    found = order_of_job(file, json.dumps(written).encode())
    assert (found.request, found.owner, found.key, found.image_id) == (ours.request, owner, key, known)
    if key is not None:
        del written["id"]
        assert order_of_job(FILE, json.dumps(written).encode()).image_id == known


@pytest.mark.parametrize(
    ("written", "name"),
    [("a" * 26, name) for name in ("jobs/one.json", f"jobs/{'b' * 26}.json", f"jobs/x/{'a' * 26}.json")]
    + [(text, f"jobs/{text}.json") for text in ("", "a" * 25, "a" * 27, "../../../../../../etc/pass")],
)
def test_an_id_is_believed_under_its_own_name_only(written: str, name: str) -> None:
    """A writer of job files cannot take another image's id with them; and only what can be an id is one."""
    file = replace(FILE, name=name)
    assert order_of_job(file, json.dumps({**BODY, "id": written}).encode()).image_id == file.own_id


def test_the_ticket_makes_each_try_its_own() -> None:
    """Two writes of one order differ, so that neither takes the other's object for its own."""
    ours = Order(check(BODY), "http", "", "k")
    assert job_body(ours, "a" * 26) != job_body(ours, "a" * 26)


@given(st.one_of(strategies.json_values, strategies.almost_bodies))
def test_any_job_file(value: object) -> None:
    """Any file is an order under an id, or InvalidRequest that says why."""
    found = _order_or_problems(lambda: order_of_job(FILE, strategies.as_json(value)))
    assert found.image_id if isinstance(found, Order) else found


@given(st.dictionaries(st.sampled_from(["prompt", "ratio", "tag", "other"]), st.text(max_size=30)))
def test_any_metadata(metadata: dict[str, str]) -> None:
    """A photo is its own only reference, or InvalidRequest says why."""
    photo = replace(PHOTO, metadata={"prompt": "x", **metadata})
    found = _order_or_problems(lambda: order_of_photo(photo))
    if isinstance(found, Order):
        assert [r.uri for r in found.request.references] == ["gs://uploads/inbox/me.jpg"]
        assert (found.image_id, found.key, found.owner) == (photo.own_id, None, "")
    else:
        assert found


def _order_or_problems(read: Callable[[], Order]) -> Order | tuple[Problem, ...]:
    try:
        return read()
    except InvalidRequest as error:
        return error.problems


@pytest.mark.parametrize(("fields", "pointers"), rows("job_file_fields"))
def test_what_a_file_says_beside_the_request(fields: dict[str, object], pointers: list[str]) -> None:
    """Owner, key and id are text, and a key is one that the HTTP door would take."""
    found = _order_or_problems(lambda: order_of_job(FILE, json.dumps({**BODY, **fields}).encode()))
    assert (sorted(p.pointer for p in found) if isinstance(found, tuple) else []) == pointers
