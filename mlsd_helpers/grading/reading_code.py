"""Code of cells as syntax trees, and what the names and constants in them evaluate to.

Code is never run, and each node is evaluated once. Text that is put together is cut at _LONGEST characters.
"""

import ast
import base64
import binascii
import codecs
import math
import operator
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, ClassVar

_DECODES = re.compile(
    r"(?:^|\.)(?:[ab]\d\d?(?:hex)?decode|standard_b64decode|urlsafe_b64decode|decodebytes|fromhex|unhexlify|a2b_\w+"
    r"|decompress|loads|chr|maketrans|translate|decode|reversed)$"
)
_MAGIC = re.compile(r"^[ \t]*(?:[A-Za-z_][\w, ]*=[ \t]*)?(?:[!%?].*|[\w.]+\?\??[ \t]*)$")
_PYTHON_MAGICS = {
    "time", "timeit", "capture", "prun", "python", "python3", "pypy", "writefile", "memit", "debug",
}  # fmt: skip
_BY_ATTRIBUTE = {"getattr", "setattr", "delattr", "hasattr", "inspect.getattr_static"}
_SAME_TEXT = {"str", "Path", "PosixPath", "PurePath", "expanduser", "abspath", "fspath"}
_LONGEST = 10_000
_ALL_TEXT = 1_000_000
_DEEPEST = 40

BINDING_NODES = (
    ast.Import, ast.ImportFrom, ast.Assign, ast.NamedExpr, ast.AnnAssign, ast.For, ast.comprehension,
)  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """A cell of code: its tree where it is Python, its lines, and the lines that are not Python."""

    tree: ast.AST | None
    lines: Sequence[str]
    others: Sequence[str] = ()


def read(source: str) -> Cell:
    """Read a cell of IPython: Python with magics and shell commands in it, or another language."""
    lines = re.split(r"\r\n|\r|\n", source)  # as Python counts them
    head = next((number for number, line in enumerate(lines) if line.strip()), 0)
    magic = lines[head].strip() if lines else ""
    others: list[str] = []
    if magic.startswith("%%"):
        if not _PYTHON_MAGICS.intersection(magic[2:].split()[:1]):
            return Cell(
                None, (), [f"<script> {magic}"] if "js" in magic or "javascript" in magic else lines[head:]
            )
        others, lines = [lines[head]], ["", *lines[head + 1 :]]
    tree = _parsed("\n".join(lines))
    if tree is None:
        shell = {number for number, line in enumerate(lines) if _MAGIC.match(line)}
        kept = [re.sub(r"\S.*", "pass", line) if n in shell else line for n, line in enumerate(lines)]
        others = [*others, *(lines[number] for number in sorted(shell))]
        tree = _parsed("\n".join(kept))
        if tree is None:
            others = [*others, *(line for line in lines if not line.lstrip().startswith("#"))]
    return Cell(tree, lines, others)


def _parsed(source: str) -> ast.AST | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            return compile(source, "cell", "exec", flags, dont_inherit=True)  # type: ignore[no-any-return]
    return None


# ---- values ---------------------------------------------------------------------------------------


@dataclass
class Bindings:
    """What the names of all cells are bound to: modules and their members, texts, numbers."""

    names: dict[str, str] = field(
        default_factory=lambda: {"mlsd": "mlsd_helpers", "np": "numpy", "__builtins__": "builtins"}
    )
    texts: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)  # names bound to decoded values
    counted: set[str] = field(default_factory=set)  # loop variables that count
    stars: set[str] = field(default_factory=set)  # modules of which everything is imported
    left: int = _ALL_TEXT  # characters of text that are still put together and inspected
    # Values by node, until a name is added.
    _known: dict[tuple[str, int], str | None] = field(default_factory=dict)

    def add(self, node: ast.AST) -> None:
        """Add the names that an import, an assignment or a loop binds."""
        self._known.clear()
        if isinstance(node, ast.Import):
            for one in node.names:
                whole = one.name if one.asname else one.name.partition(".")[0]
                self.names[one.asname or whole] = whole
        elif isinstance(node, ast.ImportFrom):
            for one in node.names:
                if one.name == "*":
                    self.stars.add(node.module or "")
                else:
                    self.names[one.asname or one.name] = f"{node.module}.{one.name}"
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self._assign(target, node.value)
        elif isinstance(node, ast.NamedExpr | ast.AnnAssign) and node.value is not None:
            self._assign(node.target, node.value)
        elif (
            isinstance(node, ast.For | ast.comprehension)
            and isinstance(node.target, ast.Name)
            and is_counting(node.iter)
        ):
            self.counted.add(node.target.id)

    def _assign(self, target: ast.AST, value: ast.AST) -> None:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for one, its in zip(target.elts, value.elts, strict=False):
                if isinstance(one, ast.Name):
                    self._assign(one, its)
            return
        if not isinstance(target, ast.Name):
            return
        if (text := self.text(value)) is not None:
            self.texts[target.id] = text
        elif (number := self.number(value)) is not None:
            self.numbers[target.id] = number
        elif isinstance(value, ast.Attribute | ast.Name | ast.Call | ast.Subscript):
            name = self.name(value)
            followed = "(" not in name and "[" not in name and len(name) < 200
            if (followed and name.partition(".")[0] != target.id) or name == "get_ipython()":
                self.names.setdefault(target.id, name)
        if self.decoded(value):
            self.hidden.add(target.id)

    def name(self, node: ast.AST, depth: int = 0) -> str:
        """Return the resolved name of an expression, as `module.name`, or nothing."""
        if depth > _DEEPEST:
            return ""
        key = "name", id(node)
        if key not in self._known:  # each node once: nested calls would take exponential time
            self._known[key] = self._name(node, depth)
        return self._known[key] or ""

    def _name(self, node: ast.AST, depth: int) -> str:
        if isinstance(node, ast.Name):
            return self.names.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            return f"{self.name(node.value, depth + 1)}.{node.attr}"
        if isinstance(node, ast.Subscript):
            return self._element(node, depth)
        if isinstance(node, ast.Call):
            return self._called(node, depth)
        return self.name(node.value, depth + 1) if isinstance(node, ast.NamedExpr | ast.Await) else ""

    def _element(self, node: ast.Subscript, depth: int) -> str:
        base, key = self.name(node.value, depth + 1), self.text(node.slice)
        if key is None:
            return f"{base}[]"
        if base in {"sys.modules", "globals()", "locals()", "vars()"} or base.endswith(".user_ns"):
            return self.names.get(key, key)
        is_module = base.endswith((".__dict__", "builtins"))
        return f"{base.removesuffix('.__dict__')}.{key}" if is_module else f"{base}[]"

    def _called(self, node: ast.Call, depth: int) -> str:
        function = self.name(node.func, depth + 1).removeprefix("builtins.")
        texts = [self.text(one) for one in node.args[:2]]
        if function in _BY_ATTRIBUTE and len(texts) > 1:
            return f"{self.name(node.args[0], depth + 1)}.{texts[1] or '?'}"
        if function in {"__import__", "importlib.import_module", "importlib.__import__"} and texts:
            return texts[0] or "?"
        if function == "vars" and node.args:
            return f"{self.name(node.args[0], depth + 1)}.__dict__"
        getter = node.func.args if isinstance(node.func, ast.Call) else []
        if function.endswith("attrgetter()") and getter and node.args:
            return f"{self.name(node.args[0], depth + 1)}.{self.text(getter[0]) or '?'}"
        return f"{function}()"

    def decoded(self, node: ast.AST) -> bool:
        """Tell whether an expression decodes text, or is a name that is bound to decoded text."""
        steps = [node]
        for step in steps:  # the loop appends to the list
            if len(steps) > _DEEPEST:
                break
            if self._decodes(step):
                return True
            if isinstance(step, ast.Call):
                steps += [*step.args, step.func]
            elif isinstance(step, ast.GeneratorExp | ast.ListComp):
                steps.append(step.elt)
            elif isinstance(step, ast.Attribute | ast.Starred):
                steps.append(step.value)
        return False

    def _decodes(self, node: ast.AST) -> bool:
        if isinstance(node, ast.Subscript):  # backwards, or every second character
            return isinstance(node.slice, ast.Slice) and node.slice.step is not None
        if isinstance(node, ast.Call):
            return bool(_DECODES.search(self.name(node.func)))
        return isinstance(node, ast.Name) and node.id in self.hidden

    def text(self, node: ast.AST, depth: int = 0) -> str | None:
        """Return the text that an expression evaluates to, with {} for unknown parts; None where it is not text."""
        read = self._TEXT_OF.get(type(node))
        if read is None or depth > _DEEPEST:
            return None
        key = "text", id(node)
        if key not in self._known:
            with suppress(ValueError, binascii.Error, UnicodeError, OverflowError):
                self._known[key] = read(self, node, depth + 1)
        return self._known.setdefault(key, None)

    def _constant(self, node: ast.Constant, _: int) -> str | None:
        value = node.value.decode("latin-1") if isinstance(node.value, bytes) else node.value
        return value[:_LONGEST] if isinstance(value, str) else None

    def _pieces(self, node: ast.JoinedStr, depth: int) -> str:
        pieces = (one.value if isinstance(one, ast.FormattedValue) else one for one in node.values)
        return _joined(self.text(one, depth) for one in pieces)

    def _sum(self, node: ast.BinOp, depth: int) -> str | None:
        pieces: list[ast.AST] = []
        rest: ast.AST = node
        while isinstance(rest, ast.BinOp) and isinstance(rest.op, ast.Add):
            pieces.append(rest.right)
            rest = rest.left
        if not pieces:
            return self._formatted(node, depth)
        texts = [self.text(one, depth) for one in (rest, *reversed(pieces))]
        return _joined(texts) if any(one is not None for one in texts) else None

    def _formatted(self, node: ast.BinOp, depth: int) -> str | None:
        """Return the text of `"%s" % x`, or of a path: `Path("a") / "b"`."""
        left, right = self.text(node.left, depth), self.text(node.right, depth)
        if isinstance(node.op, ast.Mod):
            return left and _replaced(left, "%s", right or "{}")
        is_path = isinstance(node.op, ast.Div) and (left or right) is not None
        return f"{left or '{}'}/{right or '{}'}" if is_path else None

    def _slice(self, node: ast.Subscript, depth: int) -> str | None:
        if not isinstance(node.slice, ast.Slice) or (whole := self.text(node.value, depth)) is None:
            return None
        steps = (node.slice.lower, node.slice.upper, node.slice.step)
        places = [None if one is None else self.number(one) for one in steps]
        return whole[slice(*(None if one is None or abs(one) > _LONGEST else int(one) for one in places))]

    def _made(self, node: ast.Call, depth: int) -> str | None:
        """Return the text that a call makes, for the calls that can hide text."""
        name = self.name(node.func).removeprefix("builtins.")
        method = name.rpartition(".")[2]
        whole = self.text(node.func.value, depth) if isinstance(node.func, ast.Attribute) else None
        if method == "join" and whole is not None and node.args:
            pieces = self._elements(node.args[0], depth)
            return _joined([piece for one in pieces for piece in (whole, one)][1:])
        given = [self.text(one, depth) for one in node.args[:2]]
        first = given[0] if given else None
        self.left -= sum(map(len, filter(None, (whole, *given))))
        if self.left < 0:
            return None
        if whole is not None:
            return self._of_text(node, whole, method, given)
        if method in {"bytes", "bytearray"} and node.args:
            return _joined(self._elements(node.args[0], depth)) or first
        if method == "chr" and node.args:
            return chr(int(self.number(node.args[0]) or -1))
        path = "/".join(self.text(one) or "{}" for one in node.args)[:_LONGEST]
        return path if name == "os.path.join" else self._decoded(method, given)

    def _of_text(self, node: ast.Call, whole: str, method: str, given: Sequence[str | None]) -> str | None:
        """Return the result of a method of str."""
        if method == "format":
            pieces = whole.split("{}")
            texts = [self.text(one) or "{}" for one in node.args[: len(pieces) - 1]]
            texts += ["{}"] * (len(pieces) - 1 - len(texts))
            return _joined(one for two in zip_longest(pieces, texts, fillvalue="") for one in two)
        if method == "replace":
            return _replaced(whole, *(one or "" for one in given)) if len(given) > 1 else whole
        if method in {"lower", "upper", "swapcase", "strip", "casefold", "title"}:
            return str(getattr(whole, method)())
        return whole if method in {"decode", "encode", "expanduser", "resolve"} else None

    def _decoded(self, method: str, given: Sequence[str | None]) -> str | None:
        first = given[0] if given else None
        if first is None or method in _SAME_TEXT:
            return first
        if method == "decode" and len(given) > 1 and (given[1] or "").replace("_", "") == "rot13":
            return codecs.decode(first, "rot13")
        return _DECODERS[method](first).decode("latin-1") if method in _DECODERS else None

    def _elements(self, node: ast.AST, depth: int) -> list[str]:
        """Return the parts of a list of texts or of character codes."""
        if depth > _DEEPEST:
            return []
        if isinstance(node, ast.Call) and node.args:  # map(chr, …), reversed(…), list(…)
            pieces = self._elements(node.args[-1], depth + 1)
            return pieces[::-1] if self.name(node.func).endswith("reversed") else pieces
        if isinstance(node, ast.GeneratorExp | ast.ListComp):
            return self._elements(node.generators[0].iter, depth + 1)
        if not isinstance(node, ast.List | ast.Tuple | ast.Set):
            return list(self.text(node, depth) or "")
        numbers = ((one, self.number(one)) for one in node.elts[:_LONGEST])
        return [self.text(one, depth) or "{}" if n is None else chr(int(n) % 0x110000) for one, n in numbers]

    def number(self, node: ast.AST, depth: int = 0) -> float | None:
        """Return the number that an expression evaluates to, or None."""
        if depth > _DEEPEST:
            return None
        if isinstance(node, ast.Constant):
            is_number = isinstance(node.value, int | float) and not isinstance(node.value, bool)
            return _float(node.value) if is_number else None
        if isinstance(node, ast.Name):
            return self.numbers.get(node.id)
        if isinstance(node, ast.UnaryOp):
            inner = self.number(node.operand, depth + 1)
            return None if inner is None else -inner if isinstance(node.op, ast.USub) else inner
        return self._arithmetic(node, depth) if isinstance(node, ast.BinOp) else None

    def _arithmetic(self, node: ast.BinOp, depth: int) -> float | None:
        work = _ARITHMETIC.get(type(node.op))
        left, right = self.number(node.left, depth + 1), self.number(node.right, depth + 1)
        if work is None or left is None or right is None:
            return None
        try:
            return work(left, right)
        except (OverflowError, ZeroDivisionError, ValueError):
            return math.inf

    _TEXT_OF: ClassVar[Mapping[type[ast.AST], Callable[[Any, Any, int], str | None]]] = {
        ast.Constant: _constant,
        ast.Name: lambda self, node, _: self.texts.get(node.id),
        ast.JoinedStr: _pieces,
        ast.BinOp: _sum,
        ast.Subscript: _slice,
        ast.Call: _made,
    }


_DECODERS: Mapping[str, Callable[[str], bytes]] = {
    **dict.fromkeys(
        ("b64decode", "standard_b64decode", "a2b_base64"), lambda text: base64.b64decode(f"{text}===")
    ),
    "urlsafe_b64decode": lambda text: base64.urlsafe_b64decode(f"{text}==="),
    "b32decode": base64.b32decode,
    "b16decode": base64.b16decode,
    "a85decode": base64.a85decode,
    "b85decode": base64.b85decode,
    **dict.fromkeys(("fromhex", "unhexlify", "a2b_hex"), bytes.fromhex),
}
_ARITHMETIC: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: math.pow,
    ast.LShift: lambda a, b: a * math.pow(2, b),
}


def _float(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:
        return math.inf


def _joined(texts: Iterable[str | None]) -> str:
    whole, length = list[str](), 0
    for text in texts:
        whole.append("{}" if text is None else text)
        length += len(whole[-1])
        if length > _LONGEST:
            break
    return "".join(whole)[:_LONGEST]


def _replaced(whole: str, old: str, new: str) -> str:
    return whole.replace(old, new) if old and whole.count(old) * len(new) <= _LONGEST else whole


def is_counting(node: ast.AST) -> bool:
    """Tell whether an iterable counts: it is a range, or a list with an integer or a range in it."""
    if isinstance(node, ast.Starred):
        return is_counting(node.value)
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return any(
            is_counting(one) or (isinstance(one, ast.Constant) and isinstance(one.value, int))
            for one in node.elts
        )
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range"
