"""Write docs/reference/, the design language and the rules, and the first review in README.md: `make fix` does it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields
from itertools import chain, groupby
from textwrap import dedent
from typing import Any, Literal, get_args, get_origin

from mlsd_helpers.design import ANY_PLANE, KINDS, Design
from mlsd_helpers.design.dataflow import Scalar
from mlsd_helpers.design.decisions import Day, RuleCode
from mlsd_helpers.design.kinds import WHAT_A_KIND_IS
from mlsd_helpers.design.quantities import EXTRA, MONEY, Positive, Quantity, write
from mlsd_helpers.design.reading import Lines, Node, parse, read
from mlsd_helpers.design.requirements import TimeOfDay
from mlsd_helpers.design.value import Id, Text, TextOrNumber, Value
from mlsd_helpers.review import RULES, Rule, report, review
from mlsd_helpers.units import SCALES
from tools.design_model import ROOT, Steps, keys, parts_in, places, readers
from tools.writing import write_changed

REFERENCE = ROOT / "docs" / "reference"
EXAMPLES = ROOT / "mlsd_helpers" / "design" / "examples"
README = ROOT / "README.md"

_MADE = "Made by `make fix` from {}: change it there."
_DESIGN = """\
A design is a YAML file. Only `name` is needed; every part may be left out while the design is being made. Keys that
begin with `x-` are notes, which are not read. Where a list of texts or ids is asked for, one may stand alone. *Read by*
names the [rules](rules.md) of which the code shows that they read the field; others may."""
_RULES = """\
What `mlsd check` looks for in a [design](design.md). An error makes it end with status 1; warnings and infos do not. A
finding that you accept is written down under [accepted](design.md#accepted)."""
_MONEY = """\
All amounts of money in a design are in one currency: `$0.20`, `€40`, `40 EUR`, `1,200 CHF`. An amount without a
currency is in the one that the others have, or in dollars."""
_ABOVE_ZERO = get_args(Positive[float])[1]
_WORDS = {
    bool: "true or false",
    Text: "text",
    Id: "id",
    TimeOfDay: "time of day",
    Day: "day",
    RuleCode: "code of a rule",
    Scalar: "number, text, true or false",
    TextOrNumber: "text or number",
}
_COMMON = {"id": "What other places of the design call it.", "owner": "Who answers for it."}
_MANY = 12  # choices; more stand in a section of their own


# ---------------------------------------------------------------- the design language


def design_page() -> str:
    """Return the page on every part, field, kind and unit of the design language."""
    sections = list(places(Design, ()))
    top = {steps[0] for steps, _ in sections if steps}
    contents = [f"[{name}](#{name})" for name in keys(Design) if name in top]
    units = "Quantities: [how each is written](#quantities). Components: [which kind is mine?](#which-kind-is-mine)"
    return "\n\n".join([
        "# The design language",
        _MADE.format("the model and the examples in `mlsd_helpers/design/`, and the rules"),
        _DESIGN,
        f"Parts: {', '.join(contents)}. {units}.",
        *(_section(steps, kind) for steps, kind in sections),
        *_kinds(),
        *_quantities(),
    ]) + "\n"  # fmt: skip


def _section(steps: Steps, kind: type[Value]) -> str:
    title = ".".join(steps) or "The file"
    about = _prose(kind.__doc__)
    wider = next(
        (other for other in kind.__subclasses__() if other.model_fields.keys() > kind.model_fields.keys()),
        None,
    )
    if wider:  # such as a fleet, which has the fields of a capacity plan
        more = ", ".join(f"`{key}`" for key in keys(wider) if key not in keys(kind))
        table = f"It has the fields of [{steps[0]}](#{steps[0]}), without {more}."
    else:
        heads = ("key", "value", "default", "what it says", "read by")
        table = "\n".join(
            [_row(heads), _row(["---"] * len(heads)), *(_field(kind, name) for name in kind.model_fields)]
        )
    if len(steps) == 1 and any(chain.from_iterable(map(parts_in, keys(kind).values()))):
        shown = f"Example: [{steps[0]}.yaml](../../mlsd_helpers/design/examples/{steps[0]}.yaml); its parts follow."
    else:
        shown = f"```yaml\n{example(steps, kind)}```" if steps else ""
    blocks = [f"{'##' if len(steps) < 2 else '###'} {title}", about, table]
    return "\n\n".join(filter(None, [*blocks, shown]))


def _field(kind: type[Value], name: str) -> str:
    field = kind.model_fields[name]
    key = field.alias or name
    hint = keys(kind)[key]
    default = "needed" if field.is_required() else _default(field.default, hint)
    parts = list(parts_in(hint))
    says = field.description or _COMMON.get(name) or (parts[0].__doc__ if parts else None)
    if says is None:
        raise SystemExit(f"{kind.__name__}.{name} has no docstring. Write what it says.")
    read_by = () if parts else readers().get((kind.__name__, name), ())  # a part says it of its own fields
    codes = ", ".join(f"[{code}](rules.md#{code.lower()})" for code in read_by)
    return _row((f"`{key}`", _value(hint), default, _cell(says), codes))


def _default(default: Any, hint: Any) -> str:
    if default is None or default == ():
        return ""
    kind = next((one for one in get_args(hint) if isinstance(one, Quantity)), None)
    shown = write(default, kind) if kind else str(default).lower() if isinstance(default, bool) else default
    return f"`{shown}`"


def _value(hint: Any) -> str:
    """Say what may be written for a field."""
    found = next((words for known, words in _WORDS.items() if hint == known), None)
    if found or (isinstance(hint, type) and issubclass(hint, Value)):
        return found or _link(hint)
    if get_origin(hint) is Literal:
        choices = get_args(hint)
        many = len(choices) > _MANY
        return "[kind](#which-kind-is-mine)" if many else ", ".join(f"`{one}`" for one in choices)
    inside = get_args(hint)
    if quantity := next((one for one in inside if isinstance(one, Quantity)), None):
        above = " above 0" if _ABOVE_ZERO in inside else ""
        return f"[{_named(quantity)}](#quantities){above}"
    if get_origin(hint) is tuple:
        return f"list of {_value(inside[0])}"
    if hasattr(hint, "__metadata__"):  # a list of which one may stand alone, or a choice of types
        inside = inside[:1]
    return " or ".join(_value(one) for one in inside if one is not type(None))


def _named(quantity: Quantity) -> str:
    return f"{quantity.dimension.name}{', also above 100%' if quantity is EXTRA else ''}"


def _link(kind: type[Value]) -> str:
    title = next(".".join(steps) for steps, other in places(Design, ()) if other is kind)
    return f"[{title}](#{_slug(title)})"


def _slug(title: str) -> str:
    """Return the anchor that code hosts give to a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _kinds() -> Iterator[str]:
    yield "## Which kind is mine?"
    yield (
        "The kind of a component says in which plane it stands: by what it answers for, not by who calls it. Where "
        "`plane` is said to be yours, write it; without it the component stands in `serving`."
    )
    planes = [*((plane, kinds) for plane, kinds in KINDS.items()), ("yours", ANY_PLANE)]
    rows = (
        _row((f"`{kind}`", plane, _cell(WHAT_A_KIND_IS[kind]))) for plane, kinds in planes for kind in kinds
    )
    yield "\n".join([_row(("kind", "plane", "what it is")), _row(["---"] * 3), *rows])


def _quantities() -> Iterator[str]:
    found: dict[str, Quantity] = {}
    for _, kind in places(Design, ()):
        for hint in keys(kind).values():
            for quantity in _quantities_in(hint):
                found.setdefault(_named(quantity), quantity)
    yield "## Quantities"
    scales = ", ".join(f"`{scale}`" for scale in SCALES)
    yield (
        "A quantity is text with a unit, such as `40 ms`, or a number in the unit that comes first here. Where the "
        f"last column says so, {scales} may stand before the unit."
    )
    yield _MONEY
    heads = ("quantity", "example", "units", "scales")
    yield "\n".join(
        [_row(heads), _row(["---"] * len(heads)), *(_quantity(*one) for one in sorted(found.items()))]
    )


def _quantities_in(hint: Any) -> Iterator[Quantity]:
    for part in get_args(hint):
        yield from [part] if isinstance(part, Quantity) else _quantities_in(part)


def _quantity(name: str, kind: Quantity) -> str:
    units = sorted(filter(None, kind.dimension.units), key=lambda unit: unit != kind.base_unit)
    shown = ", ".join(f"`{unit}`" for unit in units) if kind is not MONEY else "a sign or an ISO 4217 code"
    scales = "yes" if kind.dimension.takes_scales else ""
    return _row((name, f"`{kind.dimension.example}`", shown or "none", scales))


# ---------------------------------------------------------------- examples


def example(steps: Steps, kind: type[Value]) -> str:
    """Return the lines on a part in the example of its part of a design."""
    name = "workloads" if "workloads" in steps else steps[0]
    text = (EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8")
    node, _ = read(text, steps[0])
    found = next(
        (place for place, part in _values(Design.parse(text, steps[0]), ()) if type(part) is kind), None
    )
    if found is None:
        raise SystemExit(f"examples/{name}.yaml has no {'.'.join(steps)}. Write one.")
    nodes = [node]
    for step in found:
        nodes.append(_at(nodes[-1], step))
    if not isinstance(found[-1], int):
        return _lines(text, nodes[-1])
    whole, entry = nodes[-2:]
    if whole.in_one_piece or not isinstance(
        whole.value, list
    ):  # an entry that stands alone, or a list on one line
        return _lines(text, whole)
    start = text.rfind("-", 0, entry.start)
    return f"{found[-2]}:\n{_lines(text, entry, start)}"


def _at(node: Node, step: str | int) -> Node:
    """Return what stands at a key or position; a single entry is its own first."""
    return (node.step(step) if not isinstance(step, int) or isinstance(node.value, list) else None) or node


def _values(value: Any, place: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Value]]:
    """Yield every part in a part of a design, with its place."""
    if isinstance(value, tuple):
        for position, entry in enumerate(value):
            yield from _values(entry, (*place, position))
    elif isinstance(value, Value):
        yield place, value
        for name, field in type(value).model_fields.items():
            if name in value.model_fields_set:
                yield from _values(getattr(value, name), (*place, field.alias or name))


def _lines(text: str, node: Node, start: int | None = None) -> str:
    begin = node.key_start if start is None else start
    column = begin - (text.rfind("\n", 0, begin) + 1)
    return dedent(" " * column + text[begin : node.end]).rstrip() + "\n"


# ---------------------------------------------------------------- the rules


def rules_page() -> str:
    """Return the page on every rule, each under its code."""
    groups = [(prefix, list(rules)) for prefix, rules in groupby(_in_order(), key=_prefix)]
    heads = ("code", "severity", "what is found")
    rows = (
        _row((f"[{one.code}](#{one.code.lower()})", one.severity, _cell(one.title))) for one in _in_order()
    )
    return "\n\n".join([
        "# The rules",
        _MADE.format("the rules in `mlsd_helpers/review/`"),
        _RULES,
        "\n".join([_row(heads), _row(["---"] * len(heads)), *rows]),
        *chain.from_iterable([f"## {prefix}", *map(_rule, rules)] for prefix, rules in groups),
    ]) + "\n"  # fmt: skip


def _in_order() -> list[Rule]:
    first = list(dict.fromkeys(map(_prefix, RULES)))
    return sorted(RULES, key=lambda one: (first.index(_prefix(one)), one.code))


def _prefix(one: Rule) -> str:
    return one.code.rstrip("0123456789")


_LABELS = {"reason": "Why", "prevents": "Prevents", "wrong_when": "When it is wrong", "incident": "Published"}
_HEAD = {"code", "title", "severity", "check"}


def _rule(one: Rule) -> str:
    said = {
        name: getattr(one, name)
        for name in _LABELS | {field.name: "" for field in fields(one)}
        if name not in _HEAD
    }
    lines = (
        f"- {_LABELS.get(name, name.replace('_', ' ').capitalize())}: {_prose(text)}"
        for name, text in said.items()
        if text and isinstance(text, str)
    )
    return f"### {one.code}\n\n**{_prose(one.title)}** ({one.severity})\n\n" + "\n".join(lines)


# ---------------------------------------------------------------- the first review


_FIRST = re.compile(r"(```yaml\n(name: .*?)```.*?```text\n).*?(```)", re.DOTALL)
_SHOWN = 2  # findings, of which there are more in so small a design


def first_review(readme: str) -> str:
    """Return README.md with the beginning and end of what `mlsd check` prints on its first design."""
    found = _FIRST.search(readme)
    if found is None:
        raise SystemExit(
            "README.md has no design followed by its review. Write the blocks ```yaml and ```text."
        )
    design, lines = parse(Design, found[2], "design.yaml")
    *paragraphs, total = printed(design, lines).split("\n\n")
    shown = [*paragraphs[:_SHOWN], "[…]", total] if len(paragraphs) > _SHOWN else [*paragraphs, total]
    review_of_it = "\n\n".join(shown) + "\n"
    return readme[: found.end(1)] + review_of_it + readme[found.start(3) :]


def printed(design: Design, lines: Lines) -> str:
    """Return what `mlsd check design.yaml` prints."""
    return report.as_text("design.yaml", review(design), lines)


# ---------------------------------------------------------------- Markdown


def _prose(text: str | None) -> str:
    """Write our own words as one paragraph: double backticks are single ones in Markdown, and $ begins no formula."""
    words = " ".join((text or "").split()).replace("``", "`")
    code = re.compile(r"(`[^`]*`)")
    return "".join(
        part if place % 2 else re.sub(r"([$<*_])", r"\\\1", part)
        for place, part in enumerate(code.split(words))
    )


def _cell(text: str) -> str:
    return _prose(text).replace("|", r"\|")


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    REFERENCE.mkdir(exist_ok=True)
    write_changed(REFERENCE / "design.md", design_page())
    write_changed(REFERENCE / "rules.md", rules_page())
    write_changed(README, first_review(README.read_text(encoding="utf-8")))
