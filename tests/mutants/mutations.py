"""The changes that are made to a module, one at a time: each is a mistake that its tests should see.

Left alone is what the tests do not promise: texts for people (whatever holds a space), log lines, annotations,
decorators, imports and assertions.
"""

import ast
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_CALCULATED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_OTHER_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
_REMOVED = (ast.Expr, ast.AugAssign, ast.Raise, ast.Continue, ast.Break, ast.Delete)
_LEFT_ALONE = (ast.Import, ast.ImportFrom, ast.Assert)
_SPEECHLESS = {"log", "TypeVar", "cast", "re"}  # calls of these say nothing that a test promises, or only cases do


@dataclass(frozen=True)
class Mutant:
    """One change. `line` is the changed line's text, `change` says what became of what: both name it in a file."""

    file: str
    line: str
    change: str
    lines: range  # of the statement, up to the change: a test that runs none of them cannot see it
    tree: ast.Module
    old: ast.AST
    new: ast.AST

    def code(self) -> ast.Module:
        """Return the whole module with this change."""
        copied: ast.Module = deepcopy(self.tree, {id(self.old): ast.copy_location(self.new, self.old)})
        return ast.fix_missing_locations(copied)


def mutants_of(file: str) -> list[Mutant]:
    """Return every mutant of a file, which is named from the project's root."""
    text = (ROOT / file).read_text()
    tree, lines = ast.parse(text), text.splitlines()
    found = []
    for start, old, new in _changes(tree, 1):
        number, end = getattr(old, "lineno", start), getattr(old, "end_lineno", start)
        change = " ".join(f"{ast.unparse(old)} -> {ast.unparse(new)}".split())
        found.append(Mutant(file, lines[number - 1].strip(), change, range(start, end + 1), tree, old, new))
    return found


def _changes(node: ast.AST, start: int) -> Iterator[tuple[int, ast.AST, ast.AST]]:
    """Yield (first line of the statement, what stands there, what could stand there by mistake), here and below."""
    if isinstance(node, _LEFT_ALONE) or _speechless(node):
        return
    start = node.lineno if isinstance(node, (ast.stmt, ast.ExceptHandler)) else start
    yield from ((start, node, new) for new in _mistakes(node))
    if isinstance(node, (ast.If, ast.IfExp, ast.While)) and isinstance(node.test, (ast.Name, ast.Attribute, ast.Call)):
        yield start, node.test, ast.UnaryOp(ast.Not(), node.test)
    for child in _children(node):
        yield from _changes(child, start)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    hidden = {"annotation", "returns", "decorator_list", "format_spec"}
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and name not in hidden:
                yield child


def _speechless(node: ast.AST) -> bool:
    """Tell a docstring, a log line, and what is only there for the type checker."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    called = node.value.func if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) else None
    called = node.func if isinstance(node, ast.Call) else called
    return (
        called is not None and ast.unparse(called).partition(".")[0] in _SPEECHLESS and "escape" not in ast.dump(node)
    )


def _mistakes(node: ast.AST) -> Iterator[ast.AST]:  # noqa: C901, PLR0912 - one case a kind of node
    match node:
        case ast.Compare(ops=ops):
            for at, op in enumerate(ops):
                for other in _COMPARED[type(op)]:
                    yield _copy(node, ops=[*ops[:at], other(), *ops[at + 1 :]])
        case ast.BoolOp():
            yield _copy(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.BinOp() | ast.AugAssign() if type(node.op) in _CALCULATED:
            yield _copy(node, op=_CALCULATED[type(node.op)]())
        case ast.comprehension(ifs=[_, *_]):
            yield _copy(node, ifs=[])
        case ast.Constant():
            yield from (ast.Constant(value) for value in _other_values(node.value))
        case ast.Call(func=ast.Name(id=name)) if name in _OTHER_NAMES:
            yield _copy(node, func=ast.Name(_OTHER_NAMES[name], ast.Load()))
        case ast.Call(func=ast.Name(id="suppress")):
            yield _copy(node, args=[])
        case ast.ExceptHandler(type=ast.expr()):
            yield _copy(node, type=ast.Tuple([], ast.Load()))
        case ast.Match(cases=cases):
            yield from (_copy(node, cases=[c for c in cases if c is not left]) for left in cases)
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield ast.Return(ast.Constant(None))
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield ast.Pass()
    if isinstance(node, _REMOVED):
        yield ast.Pass()


def _other_values(value: object) -> Iterator[bool | float | str]:
    match value:
        case bool():
            yield not value
        case int() | float():
            yield value + 1
        case str() if not any(c.isspace() for c in value):
            yield f"X{value}"


def _copy(node: ast.AST, **changed: object) -> ast.AST:
    """Return a node of the same kind, some of its fields changed."""
    return type(node)(**{name: changed.get(name, value) for name, value in ast.iter_fields(node)})
