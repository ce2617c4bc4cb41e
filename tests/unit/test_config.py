"""Settings come from a mapping: each with its default, and every wrong one named in one line that shows no secret."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from imagegen.settings import Settings, SettingsError
from tests.cases import Case, load, named, rows

REQUIRED = {"SEGMIND_API_KEY": "SG_sentinel", "RESULTS_BUCKET": "results"}
CASES = load("settings")
DIGEST = "0" * 64
GOOD = [(case["name"], case["field"], text, value) for case in CASES for text, value in case["good"].items()]
BAD = [(case["name"], text, says) for case in CASES for text, says in case["bad"].items()]


def line(env: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(env)
    return str(caught.value)


def test_every_setting_has_a_case() -> None:
    assert {case["field"]: case["name"] for case in CASES} == {
        name: field.alias for name, field in Settings.model_fields.items()
    }


@pytest.mark.parametrize("case", [case for case in CASES if "default" in case], ids=named)
@pytest.mark.parametrize("text", [None, "", "  "])
def test_a_default(case: Case, text: str | None) -> None:
    """Not set and set to nothing are the same."""
    env = REQUIRED if text is None else {**REQUIRED, case["name"]: text}
    found = getattr(Settings.from_env(env), case["field"])
    assert (list(found) if isinstance(found, tuple) else found) == case["default"]


@pytest.mark.parametrize(("text", "asks"), [(None, True), ("", False), ("  ", False)])
def test_no_history_is_a_choice(text: str | None, asks: bool) -> None:
    """The one variable whose emptiness says something: Segmind's history is not asked."""
    env = REQUIRED if text is None else {**REQUIRED, "SEGMIND_HISTORY_URL": text}
    url = "https://api.spotprod.segmind.com/inference-request/request-history"
    assert Settings.from_env(env).segmind_history_url == (url if asks else None)


@pytest.mark.parametrize(("name", "field", "text", "value"), GOOD)
def test_a_good_value(name: str, field: str, text: str, value: object) -> None:
    """Spaces around it are dropped."""
    found = getattr(Settings.from_env({**REQUIRED, name: f" {text} "}), field)
    assert (list(found) if isinstance(found, tuple) else found) == value


@pytest.mark.parametrize(("name", "text", "says"), BAD)
def test_a_bad_value(name: str, text: str, says: str) -> None:
    """It is named, with what is wrong, and nothing else is."""
    told = line({**REQUIRED, name: text})
    assert told.startswith("imagegen cannot start: ")
    assert says in told
    assert name in told
    assert all(name in part for part in told.split("; "))
    assert "\n" not in told


@pytest.mark.parametrize(("env", "fine"), rows("settings_together"))
def test_settings_that_depend_on_each_other(env: dict[str, str], fine: bool) -> None:
    """What is safe only together is checked together."""
    if fine:
        assert Settings.from_env({**REQUIRED, **env}).results_bucket == "results"
    else:
        assert "cannot start" in line({**REQUIRED, **env})


def test_secrets_are_not_shown() -> None:
    """Neither the key nor the callers' digests, in any way a settings object can be printed."""
    settings = Settings.from_env({**REQUIRED, "AUTH": "keys", "API_KEYS": f"ada:{DIGEST}"})
    shown = f"{settings} {settings!r} {settings.segmind_api_key}"
    assert "sentinel" not in shown
    assert DIGEST not in shown
    assert settings.segmind_api_key == SecretStr("SG_sentinel")


@given(st.fixed_dictionaries({case["name"]: st.just("sentinel\x7f§") for case in CASES}))
def test_a_bad_value_is_not_repeated(env: dict[str, str]) -> None:
    """A value pasted into the wrong variable may be a secret: the line names settings and rules, no values."""
    assert "sentinel" not in line(env)


@given(st.dictionaries(st.sampled_from([case["name"] for case in CASES]), st.text(max_size=20), max_size=8))
def test_any_environment(env: dict[str, str]) -> None:
    """Settings or one line, never another exception."""
    try:
        assert Settings.from_env({**REQUIRED, **env}).model_fields_set
    except SettingsError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either is right


def test_other_variables_are_not_ours() -> None:
    """The platform sets dozens; and what was checked at start is what is in force."""
    settings = Settings.from_env({**REQUIRED, "PORT": "8080", "K_SERVICE": "x", "segmind_api": "v2"})
    assert settings.segmind_api == "v1"
    with pytest.raises(ValidationError):
        settings.auth = "none"  # type: ignore[misc]  # the point
