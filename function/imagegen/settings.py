"""Settings: one frozen object, read from a mapping, which `wiring/` takes from the environment.

docs/settings.md lists them for operators. Every setting that is missing or wrong is named in one line, so that an
operator corrects a deployment once.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

IAM_MAX_TTL = 43_200  # signBlob's keys rotate
KEY_FILE_MAX_TTL = 604_800  # V4 signatures end here


class SettingsError(Exception):
    """One line that names every setting that is wrong."""


def _origin(url: str) -> str:
    parts = urlsplit(url)
    plain = parts.scheme in {"http", "https"} and parts.hostname and not (parts.query or parts.fragment)
    if not plain or "@" in parts.netloc or not re.fullmatch("[!-~]+", url):
        raise ValueError("must be an http(s) URL without credentials, query or fragment")
    if parts.port == 0:  # reading it raises ValueError where it is no port at all
        raise ValueError("has no valid port")
    return url.rstrip("/")


def _page_origin(text: str) -> str:
    """Return what a browser sends as Origin of such a page: scheme, host and port, in lower case."""
    found = _origin(text).lower()
    if urlsplit(found).path or "*" in found:
        raise ValueError("has an origin with a path or a wildcard: give scheme, host and port, or * alone for all")
    return found


def _page_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    return origins if origins == ("*",) else tuple(map(_page_origin, origins))


def _whole(value: object) -> object:
    """Take digits only: pydantic would read 0.0, +0 and 1_0 as well, and `_together` would not."""
    if isinstance(value, str) and not re.fullmatch("[0-9]+", value):
        raise ValueError("must be a whole number")
    return value


def _sendable(key: SecretStr) -> SecretStr:
    if not re.fullmatch("[!-~]+", key.get_secret_value()):
        raise ValueError("must be visible ASCII characters, as a header can carry them")
    return key


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part for part in (p.strip() for p in value.split(",")) if part)
    return value


def _key_pairs(value: object) -> object:
    if not isinstance(value, str):
        return value
    pairs = [part.rpartition(":") for part in re.split(r"[,\s]+", value) if part]
    wrong = [
        i
        for i, (name, _, digest) in enumerate(pairs, 1)
        if not name or not re.fullmatch("[0-9a-f]{64}", digest.lower())
    ]
    if wrong:
        raise ValueError(f"entry {', '.join(map(str, wrong))} is not name:sha256-of-the-key in hex")
    return {digest.lower(): name for name, _, digest in pairs}


Url = Annotated[str, AfterValidator(_origin)]
Whole = Annotated[int, BeforeValidator(_whole)]
Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
Bucket = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$")]
Level = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
    BeforeValidator(lambda v: v.upper() if isinstance(v, str) else v),
]
Flag = Annotated[bool, BeforeValidator(lambda v: v.strip().lower() if isinstance(v, str) else v)]


class Settings(BaseModel):
    """Everything that can be set. Secrets print as stars."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, alias_generator=str.upper)

    segmind_api_key: Annotated[SecretStr, AfterValidator(_sendable)]
    segmind_base_url: Url = "https://api.segmind.com"
    segmind_upload_url: Url = "https://workflows-api.segmind.com/upload-asset"
    segmind_api: Literal["v1", "v2"] = "v1"
    segmind_timeout_seconds: Annotated[float, Field(ge=1, le=3500)] = 180.0
    segmind_history_url: Url | None = "https://api.spotprod.segmind.com/inference-request/request-history"
    results_bucket: Bucket
    uploads_bucket: Bucket | None = None
    signed_url_ttl_seconds: Annotated[Whole, Field(ge=60, le=KEY_FILE_MAX_TTL)] = 3600
    signing_service_account: Annotated[str | None, Field(pattern=r"^\S+@\S+$")] = None
    max_images_per_day: Annotated[Whole, Field(ge=0, le=100_000)] = 0
    max_images_per_user_per_day: Annotated[Whole, Field(ge=0, le=100_000)] = 0
    auth: Literal["iam", "oidc", "keys", "none"] = "iam"
    oidc_issuer: Url | None = None
    oidc_audience: str | None = None
    api_keys: Annotated[dict[str, str], BeforeValidator(_key_pairs), Field(repr=False)] = {}
    cors_origins: Annotated[Names, AfterValidator(_page_origins)] = ()
    reference_delivery: Literal["signed-url", "segmind-asset"] = "signed-url"
    event_max_age_seconds: Annotated[Whole, Field(ge=0)] = 3600
    max_bodies_in_memory: Annotated[Whole, Field(ge=1, le=1000)] = 16
    playground: Flag = False
    log_level: Level = "INFO"
    storage_emulator_host: str | None = None
    threads: Annotated[Whole, Field(ge=1, le=2000)] = 8  # functions-framework's own variable
    project: Annotated[str | None, Field(alias="GOOGLE_CLOUD_PROJECT")] = None  # only completes trace names in logs

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Read the settings; an empty variable counts as not set. Raises SettingsError."""
        given = {k: v.strip() for k, v in env.items() if v.strip()}
        known = {str(f.alias) for f in cls.model_fields.values()}
        wrong = _together(given)
        values: dict[str, str | None] = {k: v for k, v in given.items() if k in known}
        if not env.get("SEGMIND_HISTORY_URL", "unset").strip():
            values["SEGMIND_HISTORY_URL"] = None  # the one variable whose emptiness says something: no history
        try:
            settings = cls.model_validate(values)
        except ValidationError as e:
            wrong = [_line(error) for error in e.errors()] + wrong
        if wrong:
            raise SettingsError(f"imagegen cannot start: {'; '.join(wrong)}")
        return settings


def _together(env: Mapping[str, str]) -> list[str]:
    """Return what is wrong between settings; read from the text, so that it shows beside other errors."""
    auth, ttl = env.get("AUTH", "iam"), env.get("SIGNED_URL_TTL_SECONDS", "0")
    wrong = []
    if env.get("UPLOADS_BUCKET") == env.get("RESULTS_BUCKET", ""):
        wrong.append("UPLOADS_BUCKET must be another bucket than RESULTS_BUCKET, or each image would be an event")
    if auth == "none" and not env.get("MAX_IMAGES_PER_DAY", "").strip("0"):
        wrong.append("AUTH=none needs MAX_IMAGES_PER_DAY: an open endpoint needs a cap")
    if auth == "oidc" and not env.keys() >= {"OIDC_ISSUER", "OIDC_AUDIENCE"}:
        wrong.append("AUTH=oidc needs OIDC_ISSUER and OIDC_AUDIENCE")
    if auth == "keys" and not re.search(r"[^,\s]", env.get("API_KEYS", "")):
        wrong.append("AUTH=keys needs API_KEYS")
    if ttl.isdecimal() and int(ttl) > IAM_MAX_TTL and "GOOGLE_APPLICATION_CREDENTIALS" not in env:
        wrong.append(
            f"SIGNED_URL_TTL_SECONDS above {IAM_MAX_TTL} needs a key file: the keys that IAM signs with rotate"
        )
    return wrong


def _line(error: "ErrorDetails") -> str:
    name = str(error["loc"][0]) if error["loc"] else ""
    text = error["msg"].removeprefix("Value error, ")
    if error["type"] == "missing":
        text = "is required"
    return f"{name} {text[0].lower()}{text[1:]}"
