"""An importer that gives one module other code than its file has: a seeded defect, or a mutant."""

from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType


class Changed:
    """Goes first into `sys.meta_path`, before that module is imported."""

    def __init__(self, name: str, code: CodeType) -> None:
        self._name, self._code = name, code

    def find_spec(self, name: str, _path: object, _target: object = None) -> ModuleSpec | None:
        return ModuleSpec(name, self, origin="changed") if name == self._name else None  # type: ignore[arg-type] # duck

    def create_module(self, _spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code, module.__dict__)  # noqa: S102 - the change
