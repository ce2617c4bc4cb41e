"""Hypothesis strategies: requests as callers write them, right and wrong."""

import json
import string
from typing import Any

from hypothesis import strategies as st

RATIOS = ("1280:720", "720:1280", "1104:832", "832:1104", "960:960", "1584:672", "1920:1080", "1080:1920")
_LABELS = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=12).filter(str.isalnum)

text = st.text(max_size=40)  # whole Unicode, without lone surrogates
any_text = st.text(st.characters(), max_size=40)  # with them
tags = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{2,15}", fullmatch=True)
hosts = st.builds("{}.{}.{}".format, _LABELS, _LABELS, st.sampled_from(["com", "org", "example", "co.uk"]))
paths = st.text(string.ascii_letters + string.digits + "-._~/?=&%#+:", max_size=40)
uris = st.builds("https://{}/{}".format, hosts, paths)

prompts = st.text(min_size=1, max_size=400).filter(str.strip)
references = st.lists(
    st.fixed_dictionaries({"tag": tags}, optional={"uri": uris}),
    max_size=3,
    unique_by=lambda reference: reference["tag"],
)
bodies = st.fixed_dictionaries(
    {"promptText": prompts, "referenceImages": references}, optional={"ratio": st.sampled_from(RATIOS)}
)

numbers = st.one_of(st.integers(), st.sampled_from([10**400, -(10**4000)]), st.floats())
json_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, any_text),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(any_text, inner, max_size=5)),
    max_leaves=20,
)
_FIELDS = st.sampled_from(["promptText", "referenceImages", "ratio", "tag", "uri"])
almost_bodies: st.SearchStrategy[Any] = st.dictionaries(
    st.one_of(_FIELDS, any_text),
    st.one_of(
        json_values, st.lists(st.dictionaries(_FIELDS, st.one_of(json_values, uris, tags), max_size=3), max_size=5)
    ),
    max_size=5,
)


def as_json(value: object) -> bytes:
    """Return a value as a caller's JSON; lone surrogates and NaN become what Python writes for them."""
    return json.dumps(value).encode()
