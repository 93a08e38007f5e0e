"""Answers whose code is the same but for names, comments and layout: a hint for the instructor, and no judgement.

What was given with the exercise does not count, nor what is too short to be written in many ways. Those who think alike
also write alike, and the solutions of the course are public: only a talk with the students tells more.
"""

import ast
import builtins
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

LEAST = 40
"""Nodes of the syntax tree that an answer has to have beyond what was given; a formula and its return have some 20."""

_GIVEN_NAMES = frozenset(dir(builtins))
_NO_NODE = ast.expr_context | ast.operator | ast.unaryop | ast.cmpop | ast.boolop


@dataclass(frozen=True)
class Alike:
    """Students with the same code in some exercises; `as_course` are those where it is that of the course itself."""

    students: tuple[str, ...]
    exercises: tuple[str, ...]
    as_course: tuple[str, ...] = ()


def groups(
    code: Mapping[str, Mapping[str, str]], given: Mapping[str, str], solutions: Mapping[str, str]
) -> tuple[Alike, ...]:
    """Find who wrote the same: `code` is by student and exercise, `given` and `solutions` are by exercise.

    The groups with the most exercises come first.
    """
    members: dict[tuple[str, str], list[str]] = defaultdict(list)
    for student, answers in sorted(code.items()):
        for exercise, source in answers.items():
            if form := normal_form(source, given.get(exercise, "")):
                members[exercise, form].append(student)
    same: dict[tuple[str, ...], list[str]] = defaultdict(list)
    known = {exercise: normal_form(source, given.get(exercise, "")) for exercise, source in solutions.items()}
    from_course: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for (exercise, form), students in sorted(members.items()):
        if len(students) > 1:
            same[tuple(students)].append(exercise)
            if known.get(exercise) == form:
                from_course[tuple(students)].append(exercise)
    found = (Alike(who, tuple(what), tuple(from_course[who])) for who, what in same.items())
    return tuple(sorted(found, key=lambda one: (-len(one.exercises), len(one.students), one.students)))


def normal_form(source: str, given: str = "") -> str:
    """Return code without names of its own, comments, docstrings, annotations and what was given.

    "" for code that can't be parsed, or that has fewer than `LEAST` nodes of its own.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            tree, start = ast.parse(source), ast.parse(given)
        names = _GIVEN_NAMES | _names_in(start)
        of_start = set(_lines(start, names))
        lines = [line for line in _lines(tree, names) if line not in of_start]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    return "\n".join(line for line, _ in lines) if sum(nodes for _, nodes in lines) >= LEAST else ""


def _names_in(tree: ast.AST) -> frozenset[str]:
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.alias(name=name):
                found.add(name)
    return frozenset(found)


def _lines(tree: ast.Module, kept: frozenset[str]) -> Iterator[tuple[str, int]]:
    """Yield each statement in a normal form, a compound one without its body, and the number of its nodes."""
    renamed: dict[str, str] = {}

    def name(old: str) -> str:
        return old if old in kept else renamed.setdefault(old, f"_{len(renamed)}")

    def visit(body: list[ast.stmt], depth: int) -> Iterator[tuple[str, int]]:
        for statement in body:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                continue  # a docstring, or a string in place of a comment
            parts = [getattr(statement, field, []) for field in ("body", "orelse", "finalbody")]
            parts += [handler.body for handler in getattr(statement, "handlers", [])]
            header = _header(statement)
            for node in ast.walk(header):
                _rename(node, name)
            nodes = sum(not isinstance(node, _NO_NODE) for node in ast.walk(header))
            yield f"{depth} {ast.dump(header)}", nodes
            for part in parts:
                yield from visit(part, depth + 1)

    yield from visit(tree.body, 0)


def _header(statement: ast.stmt) -> ast.AST:
    """Return a statement without the statements in it, and without annotations."""
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        return ast.Assign([statement.target], statement.value)
    fields = {name: value for name, value in ast.iter_fields(statement) if name != "returns"}
    fields |= {name: [] for name in fields.keys() & {"body", "orelse", "finalbody", "handlers"}}
    return type(statement)(**fields)


def _rename(node: ast.AST, name: Callable[[str], str]) -> None:
    match node:
        case ast.Name(id=old):
            node.id = name(old)
        case ast.arg(arg=old):
            node.arg, node.annotation = name(old), None
        case ast.FunctionDef(name=old):
            node.name = name(old)
        case ast.ExceptHandler(name=str(old)):
            node.name = name(old)
