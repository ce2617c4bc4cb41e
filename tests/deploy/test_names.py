"""Names that Terraform and the function have to share: entry points, settings, log events."""

import ast
import re
import tomllib

from imagegen.settings import Settings
from imagegen.timeouts import SWEEP_SECONDS, Timeouts
from tests.deploy.evaluated import Evaluated
from tests.deploy.infra_files import FUNCTION, INFRA, ROOT, Door, blocks, doors, environment_names

NOT_SET = {
    "SEGMIND_BASE_URL": "in the cloud there is one vendor, at its default address",
    "SEGMIND_UPLOAD_URL": "as above",
    "SIGNING_SERVICE_ACCOUNT": "each door signs as itself, which is the default",
    "STORAGE_EMULATOR_HOST": "only ever on one's own machine",
}
NOT_OURS = {
    "LOG_EXECUTION_ID": "functions-framework's own: its wrapping loses our lines at INFO",
    "DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA": "the storage client's own: no door may read a bucket's metadata",
}
# Fields that log.py takes out of a report by their names.
OUT_OF_A_REPORT = {"reconciled": {"vendorsOnly"}}
PLATFORM_SECONDS = {
    "http": 3600,
    "events": 540,
    "schedule": 1800,
}  # the longest run that the caller of each door waits for
ENTRY_POINTS = {"functions_framework.http", "functions_framework.cloud_event", "functions_framework.typed"}


def test_entry_points_are_the_decorated_functions() -> None:
    """Every decorated function of main.py is deployed, each once, with a trigger if and only if it takes events."""
    tree = ast.parse((FUNCTION / "main.py").read_text())
    decorated = {f.name: _decorators(f) for f in tree.body if isinstance(f, ast.FunctionDef)}
    entry_points = {name: kinds for name, kinds in decorated.items() if ENTRY_POINTS & set(kinds)}
    assert {door.entry_point: door.has_trigger for door in doors()} == {
        "generate_image": False,
        "on_upload": True,
        "on_schedule": False,
    }
    assert entry_points == {door.entry_point: [_decorator_of(door)] for door in doors()}


def test_every_setting_is_set_or_left_out_on_purpose() -> None:
    """No setting is forgotten in Terraform, and Terraform sets none that nobody reads."""
    settings = {str(field.alias) for field in Settings.model_fields.values()}
    assert set(NOT_SET) <= settings
    assert environment_names() == settings - set(NOT_SET) | set(NOT_OURS)


def test_the_function_starts_with_what_terraform_sets(evaluated: Evaluated) -> None:
    """At every door the default deployment's values are valid, fit each other and fit the platform's limits."""
    for door in doors():
        (service,) = evaluated.resources[f'google_cloudfunctions2_function.door["{door.key}"]']["service_config"]
        secrets = {s["key"]: "a-key" for s in service["secret_environment_variables"]}
        settings = Settings.from_env(service["environment_variables"] | secrets)
        assert settings.threads == service["max_instance_request_concurrency"]
        limits = Timeouts(settings.segmind_timeout_seconds, settings.max_bodies_in_memory)
        assert limits.request_seconds < service["timeout_seconds"] <= PLATFORM_SECONDS[door.key]
        assert settings.results_bucket != settings.uploads_bucket


def test_terraforms_timeouts_are_the_functions_own() -> None:
    """functions.tf's table of waits is Timeouts, step by step, and the sweep ends before its caller stops waiting."""
    functions = (INFRA / "functions.tf").read_text()
    (table,) = re.findall(r"^  waits = \{ (.*) \}$", functions, re.MULTILINE)
    waits = {name: float(seconds) for name, seconds in re.findall(r"(\w+) = (\d+)", table)}
    assert waits.pop("platform") > 0
    limits = Timeouts(generation_seconds=180.0)
    assert waits == {name: getattr(limits, f"{name}_seconds") for name in waits}
    assert limits.request_seconds == limits.generation_seconds + sum(waits.values())
    (sweep,) = re.findall(r"^  sweep_seconds += (\d+)", functions, re.MULTILINE)
    assert int(sweep) > SWEEP_SECONDS


def test_the_runtime_is_the_tested_python() -> None:
    """Unless told otherwise, Google's builder uses the version that types and tests are checked with."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (runtime,) = re.findall(r'^  default += "python(\d+)"$', blocks("variable")["runtime"], re.MULTILINE)
    assert runtime == project["tool"]["mypy"]["python_version"].replace(".", "")


def test_metrics_read_what_the_log_writes() -> None:
    """Every event and field that a metric names is written by log.py: a renamed one would count nothing, silently."""
    metrics = (INFRA / "monitoring.tf").read_text()
    filters = re.findall(r'event=(\\"\w+\\"|\(.*?\))', metrics)
    events = {name for found in filters for name in re.findall(r'\\"(\w+)\\"', found)}
    fields = set(re.findall(r"jsonPayload\.(\w+)", metrics)) - {"event"}
    written = _written_by_log()
    for event, names in OUT_OF_A_REPORT.items():
        assert names <= _texts_in_log()
        written[event] |= names
    assert {"image_succeeded", "image_failed", "key_freed", "bug"} <= events
    assert events <= set(written)
    assert fields <= {"door"}.union(*(written[event] for event in events))
    assert _errors_in_log() <= events, "an ERROR that no metric counts wakes nobody"


def _decorators(function: ast.FunctionDef) -> list[str]:
    return [ast.unparse(decorator) for decorator in function.decorator_list]


def _decorator_of(door: Door) -> str:
    return "functions_framework.cloud_event" if door.has_trigger else "functions_framework.http"


def _written_by_log() -> dict[str, set[str]]:
    """Return the fields of every event, from log.py's calls of `_write`."""
    calls = [node for node in ast.walk(ast.parse((FUNCTION / "imagegen" / "log.py").read_text())) if _is_write(node)]
    return {ast.literal_eval(c.args[1]): {k.arg for k in c.keywords if k.arg} for c in calls if isinstance(c, ast.Call)}


def _errors_in_log() -> set[str]:
    """Return the events that are always written as errors."""
    calls = [node for node in ast.walk(ast.parse((FUNCTION / "imagegen" / "log.py").read_text())) if _is_write(node)]
    first = [[a.value for a in c.args[:2] if isinstance(a, ast.Constant)] for c in calls if isinstance(c, ast.Call)]
    return {str(words[1]) for words in first if words[0] in {"ERROR", "CRITICAL"}}


def _texts_in_log() -> set[str]:
    tree = ast.parse((FUNCTION / "imagegen" / "log.py").read_text())
    return {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def _is_write(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_write"
