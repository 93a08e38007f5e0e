"""Sanitising: makes what a student wrote safe to show in an instructor's browser.

The formgrader shows a graded notebook in JupyterLab's origin, logged in. Nothing of a student's may run or load
anything there, cover a part of the page, or use an id of it. So this module is a list of what is allowed: kinds of
output, keys of metadata, and (by nh3) tags, attributes, classes and styles. Text, tables and embedded pictures stay.

`mlsd grade` and `nbgrader autograde` sanitise before they write anything. nbgrader's pages sanitise again, for the
notebooks that were graded earlier: see `nbgrader_config.py`. nbgrader's pages load MathJax from another server, so it
is left out, and a formula appears as it was typed.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from functools import lru_cache
from html import escape
from io import BytesIO
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree as ET

import nbformat
import nh3
from markupsafe import Markup
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import compute_checksum
from PIL import Image
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers.python import PythonLexer
from pygments.token import STANDARD_TYPES


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_TAGS = _set(
    "abbr b blockquote br caption center code col colgroup dd del details div dl dt em figcaption figure font h1 h2 "
    "h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strike strong sub summary sup table tbody td "
    "tfoot th thead tr tt u ul var"
)
_DROPPED = _set(  # with their content, which is not text for a reader
    "applet embed frameset head iframe math noembed noframes noscript object script style svg template title "
    "textarea xmp"
)
_ATTRIBUTES = {
    "*": {"align", "class", "dir", "style", "title", "valign"},
    "col": {"span", "width"},
    "colgroup": {"span"},
    "details": {"open"},
    "font": {"color"},
    "img": {"alt", "height", "src", "width"},
    "ol": {"start", "type"},
    "table": {"border", "cellpadding", "cellspacing", "width"},
    "td": {"colspan", "rowspan", "width"},
    "th": {"colspan", "rowspan", "scope", "width"},
}
_WORDS = frozenset({"alt", "title"})
_STYLES = _set(
    "background background-color border border-bottom border-collapse border-left border-right border-top color "
    "font-family font-size font-style font-weight padding padding-left padding-right text-align text-decoration "
    "vertical-align white-space width"
)
_SVG_TAGS = _set(
    "circle clipPath defs desc ellipse g image line linearGradient marker mask path pattern polygon polyline "
    "radialGradient rect stop svg symbol text textPath title tspan use"
)
_SVG_ATTRIBUTES = _set(
    "class clip-path clip-rule clipPathUnits cx cy d dominant-baseline dx dy fill fill-opacity fill-rule font-family "
    "font-size font-style font-weight fx fy gradientTransform gradientUnits height href id letter-spacing "
    "marker-end marker-mid marker-start markerHeight markerUnits markerWidth mask offset opacity orient overflow "
    "paint-order patternTransform patternUnits points preserveAspectRatio r refX refY rotate rx ry spreadMethod "
    "startOffset stop-color stop-opacity stroke stroke-dasharray stroke-dashoffset stroke-linecap stroke-linejoin "
    "stroke-miterlimit stroke-opacity stroke-width style text-anchor text-decoration textLength transform "
    "vector-effect version viewBox visibility width x x1 x2 xlink:href y y1 y2"
)
_BLOCKS = _set("blockquote caption dd div dl dt h1 h2 h3 h4 h5 h6 hr img li ol p pre table td th tr ul")
_SIZED = {one for one in _STYLES if one.startswith(("padding", "border"))} | {"font-size"}
_NUMBERS = {"border": 40, "cellpadding": 40, "cellspacing": 40, "colspan": 30, "rowspan": 99, "span": 30}
_KEYWORDS_ONLY = frozenset({"text-decoration", "vertical-align"})  # with a length, they cover other text
_COLOUR = re.compile(r"#[0-9a-f]{3,8}\b|(?:rgb|hsl)a?\([^()]*\)")
_LENGTH = re.compile(r"([0-9]*\.?[0-9]+)([a-z%]*)")
_MOST_LENGTH = {"": 40, "px": 40, "pt": 40, "em": 3, "rem": 3, "%": 300}
_CLASS = re.compile(  # of pandas and pygments; no script or style of a page uses them
    r"dataframe|highlight|hl-\w+|data|blank|row_heading|col_heading|index_name|(?:level|row|col)\d+|task-list-item"
)
_PYGMENTS = frozenset(STANDARD_TYPES.values()) - {""}
_VALUE = re.compile(r"[A-Za-z0-9 #%.,+-]{1,40}")
_FUNCTION = re.compile(r"([\w-]*)\s*\(")
_HARMLESS = frozenset({"rgb", "rgba", "hsl", "hsla", "linear-gradient", "calc"})
_REFERENCE = re.compile(r"url\(\s*[\"']?#[\w.:-]+[\"']?\s*\)")  # to another part of the same picture
_ELSEWHERE = re.compile(r"(?i)url|[\\@]")
_ACTIVE = re.compile(  # HTML, links, pictures, code in other languages, and headings, which get ids
    r"<|\][(\[:]|://|www\.|mailto:|```|~~~|#|^[ \t>]*[-=]+[ \t]*$", re.MULTILINE
)
_DATA = re.compile(r"data:(image/[a-z+]+);base64,([A-Za-z0-9+/=\s]*)")
_RASTER = {"image/png": "iVBORw0KGgo", "image/jpeg": "/9j/", "image/gif": "R0lGOD", "image/webp": "UklGR"}
_SVG = "image/svg+xml"
_REUSED = _set("clipPath marker mask pattern symbol")  # drawn wherever another element refers to it
_MOST_USED = 20_000  # elements that a picture draws by reference
_MOST_PIXELS = 16_000_000

MOST_TAGS = 20_000
"""The most tags in the outputs of a notebook: a parser's time can grow with their square."""

_A_TAG = 50  # characters that take as long as a tag
_PAYLOAD = re.compile(r"[A-Za-z0-9+/=]{200,}")  # base64, which takes no time
_NO_SVG_TAG = re.compile(rf"<(?!/?(?:{'|'.join(_SVG_TAGS)})\b)")
_MOST_TEXT = 20_000  # characters of Markdown or of coloured code
_MOST_STYLE = 500
_MOST_BLANKS = 300  # in a row
_MOST_BACKSLASHES = 1_000  # each may open a formula
_KEPT = 256  # cells, most of them released


# ---- HTML, SVG and Markdown -----------------------------------------------------------------------


def html(text: str) -> str:
    """Return HTML with only the allowed tags, attributes, classes and styles, and embedded pictures."""
    return _HTML.clean(_styled(_drawn(text)))


def svg(text: str) -> str:
    """Return an SVG picture as XML, without scripts, links and external resources; "" where it is not one."""
    clean = _DRAWING.clean(text).strip().replace("&nbsp;", "&#160;").replace(" xlink:href=", " href=")
    try:
        root = ET.fromstring(clean)  # noqa: S314 - no declarations are left, so no entities
    except ET.ParseError:
        return ""
    return clean if root.tag.endswith("}svg") and _is_flat(root) else ""


def _is_flat(root: ET.Element) -> bool:
    """Tell whether no reused element reuses others: nested reuse grows exponentially and crashes a browser's page."""
    sizes: dict[ET.Element, int] = {}
    refers: dict[ET.Element, bool] = {}
    for element in reversed(list(root.iter())):  # children before parents
        sizes[element] = 1 + sum(sizes[one] for one in element)
        own = "href" in element.attrib or any("url(" in value for value in element.attrib.values())
        refers[element] = own or any(refers[one] for one in element)
    if any(refers[one] for one in sizes if one.tag.rpartition("}")[2] in _REUSED):
        return False
    named = {one.get("id"): one for one in sizes if "id" in one.attrib}
    used = [named[name] for one in sizes if (name := one.get("href", "")[1:]) in named]
    return not any(refers[one] for one in used) and sum(sizes[one] for one in used) <= _MOST_USED


def markdown(source: str, attachments: Mapping[str, Any] | None = None) -> str:
    """Return plain Markdown (paragraphs, emphasis, lists, tables) unchanged, and other Markdown as sanitised HTML.

    The HTML is a single line. It is valid Markdown too, which every renderer leaves as it is: an HTML block ends only
    at a blank line.
    """
    source = re.sub(r"\r\n?", "\n", source)  # a carriage return ends a line of Markdown too
    if not (_ACTIVE.search(source) or _is_slow(source)):
        return source
    if is_line(source):
        return _line(html(source))
    return _rendered(source, attachments) if attachments else _rendered_once(source)


def _rendered(source: str, attachments: Mapping[str, Any]) -> str:
    if _is_slow(source):
        return _line(f"<div>{_plainly(source)}</div>")
    try:
        made = MarkdownWithMath(renderer=_Renderer(attachments)).render(source)
    except Exception:  # noqa: BLE001 - mistune and nbconvert raise many errors on bad Markdown, RecursionError too
        made = _plainly(source)
    return _line(f"<div>{html(made)}</div>")


@lru_cache(_KEPT)
def _rendered_once(source: str) -> str:
    return _rendered(source, {})


def is_line(source: str) -> bool:
    """Tell whether Markdown is one line of HTML."""
    return source.startswith("<div>") and source.endswith("</div>") and source.splitlines() == [source]


def _line(text: str) -> str:
    return "&#10;".join(text.splitlines())


def _plainly(source: str) -> str:
    return f"<pre>{escape(source)}</pre>"


def _is_slow(source: str) -> bool:
    """Tell whether a parser of Markdown or Python may take seconds; text that is written by hand is not so."""
    if len(source) > _MOST_TEXT or source.count("\\") > _MOST_BACKSLASHES:
        return True
    return max(map(len, re.findall(r"\s+", source)), default=0) > _MOST_BLANKS


class _Renderer(IPythonRenderer):
    """nbconvert's renderer, which shows the address of a link after its text, and embeds attached pictures."""

    def __init__(self, attachments: Mapping[str, Any]) -> None:
        super().__init__(escape=False, exclude_anchor_links=True, attachments=dict(attachments))

    def block_code(self, code: str, info: str | None = None) -> str:
        return highlighted(code) if (info or "").strip() in {"python", "py", "python3"} else _plainly(code)

    def link(self, text: str, url: str, title: str | None = None) -> str:  # noqa: ARG002 - mistune's signature
        return text if escape(url) in text else f"{text} ({escape(url)})"

    def image(self, text: str, url: str, title: str | None = None) -> str:  # noqa: ARG002 - mistune's signature
        source = url
        if url.startswith("attachment:"):
            kinds = self.attachments.get(url.removeprefix("attachment:"))
            kind, data = next(iter(kinds.items()), ("", "")) if isinstance(kinds, Mapping) else ("", "")
            source = f"data:{kind};base64,{data}"
        if picture := _picture(source):
            return f'<img alt="{escape(text)}" src="{picture}">'
        return f"[{text or 'picture'}: {escape(url)}]"

    def task_list_item(self, text: str, checked: bool = False) -> str:
        return f"<li>{'☑' if checked else '☐'} {text}</li>\n"


def _allowed(tag: str, name: str, value: str) -> str | None:
    """Return the value of an allowed attribute, or None when its value is not allowed."""
    if name == "class":
        return " ".join(one for one in value.split() if one in _PYGMENTS or _CLASS.fullmatch(one)) or None
    if name == "style":
        return _style(tag, value)
    if name in _NUMBERS:  # the size of a table grows with the product of its spans
        return value if re.fullmatch(r"[0-9]{0,2}", value) and int(value or 0) <= _NUMBERS[name] else None
    if name == "src":
        return _picture(value)
    return value if name in _WORDS or not value or _VALUE.fullmatch(value) else None


def _style(tag: str, value: str) -> str | None:
    """Return the declarations that draw nothing outside the element's own box, or None where there is none."""
    if len(value) > _MOST_STYLE or set("\\@") & set(value):
        return None
    kept = []
    for declaration in value.lower().split(";"):
        name, _, given = declaration.partition(":")
        name = name.strip()
        if not set(_FUNCTION.findall(given)) <= _HARMLESS:
            return None
        # The padding and border of an inline element overlap the lines around it.
        boxed = name.startswith(("padding", "border")) and tag not in _BLOCKS
        large = name in _SIZED and not _is_modest(given)
        length = name in _KEYWORDS_ONLY and re.search("[0-9]", given)
        if name in _STYLES and not (boxed or large or length):
            kept.append(f"{name}:{given}")
    return ";".join(kept) or None


def _is_modest(value: str) -> bool:
    """Tell whether all lengths of a style are short, in known units, and not computed."""
    plain = _COLOUR.sub("", value)
    return "(" not in plain and all(
        unit in _MOST_LENGTH and float(number) <= _MOST_LENGTH[unit]
        for number, unit in _LENGTH.findall(plain)
    )


def _allowed_in_svg(tag: str, name: str, value: str) -> str | None:
    if name in {"href", "xlink:href"}:
        if tag == "image":
            return _picture(value) if not value.startswith(f"data:{_SVG}") else None
        return value if re.fullmatch(r"#[\w.:-]+", value) else None
    return value if _ELSEWHERE.search(_REFERENCE.sub("", value)) is None else None


def _picture(source: str) -> str | None:
    """Return the data URL of an embedded picture, sanitised, or None for any other address."""
    found = _DATA.fullmatch(source.strip())
    if found is None:
        return None
    kind, data = found[1], "".join(found[2].split())
    if kind == _SVG:
        drawing = _decoded(data)
        return f"data:{_SVG};base64,{b64encode(drawing.encode()).decode()}" if drawing else None
    return f"data:{kind};base64,{data}" if _is_raster(kind, data) else None


def _is_raster(kind: str, data: str) -> bool:
    """Tell whether data are a picture of the given kind, and small enough for a browser to decode."""
    if kind not in _RASTER or not data.startswith(_RASTER[kind]):
        return False
    try:
        with Image.open(BytesIO(b64decode(data))) as picture:
            return picture.width * picture.height <= _MOST_PIXELS
    except Exception:  # noqa: BLE001 - Pillow raises many errors on data that are not a picture
        return False


def _decoded(data: str) -> str:
    try:
        drawing = b64decode(data, validate=True).decode("utf-8")
    except ValueError:
        return ""
    return svg(drawing) if _cost(drawing, _NO_SVG_TAG) <= MOST_TAGS else ""


_HTML = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags=_DROPPED,
    attributes=_ATTRIBUTES,
    attribute_filter=_allowed,
    url_schemes={"data"},
    link_rel=None,
    filter_style_properties=_STYLES,
)
_DRAWING = nh3.Cleaner(
    tags=_SVG_TAGS,
    clean_content_tags=_DROPPED - {"svg", "title"} | {"foreignObject", "metadata"},
    attributes={"*": set(_SVG_ATTRIBUTES)},
    attribute_filter=_allowed_in_svg,
    set_tag_attribute_values={"svg": {"xmlns": "http://www.w3.org/2000/svg"}},
    url_schemes={"data"},
    link_rel=None,
)


def _drawn(text: str) -> str:
    """Turn the SVG drawings in HTML into pictures, in which nothing runs or loads."""
    parts = re.split(r"(?i)</svg\s*>", text)
    for number, part in enumerate(parts[:-1]):
        start = re.search(r"(?i)<svg\b", part)
        if start:
            picture = b64encode(f"{part[start.start() :]}</svg>".encode()).decode()
            parts[number] = f'{part[: start.start()]}<img alt="drawing" src="data:{_SVG};base64,{picture}">'
    return "".join(parts)


def _styled(text: str) -> str:
    """Move the styles of a table, which pandas writes into a style sheet by the ids of the cells, into the cells."""
    styles: dict[str, str] = {}
    for sheet in re.findall(r"<style[^<>]*>([^<>]*)</style>", text):
        for rule in sheet.split("}"):
            cells, _, style = rule.partition("{")
            style = " ".join(style.split())
            for name in re.findall(r"#(T_\w+)(?=\s*(?:,|$))", cells) if len(style) < _MOST_STYLE else ():
                styles[name] = (styles.get(name, "") + style)[:_MOST_STYLE]

    def with_style(cell: re.Match[str]) -> str:
        return f'{cell[1]}style="{escape(styles.get(cell[2], ""))}"'

    return re.sub(r"(<t[dh]\b[^<>]*?)\bid=\"(T_\w+)\"", with_style, text) if styles else text


def _cost(text: str, tag: re.Pattern[str]) -> int:
    return len(tag.findall(text)) + text.count("&") + len(_PAYLOAD.sub("", text)) // _A_TAG


# ---- code -----------------------------------------------------------------------------------------


@lru_cache(_KEPT)
def _highlighted(source: str) -> str:
    if _is_slow(source):
        return f'<div class=" highlight hl-ipython3">{_plainly(source)}</div>'
    return str(highlight(source or " ", _LEXER, _FORMATTER))


def highlighted(source: str, language: str = "", metadata: Mapping[str, Any] | None = None) -> str:  # noqa: ARG001
    """Return code as HTML, in place of nbconvert's filter: always as Python, whatever language a cell names.

    IPython's own lexer, and some of the 500 that a cell may name, take time that grows with the square of its length.
    """
    return _highlighted(source)


_LEXER = PythonLexer()
_FORMATTER = HtmlFormatter(cssclass=" highlight hl-ipython3")


# ---- outputs --------------------------------------------------------------------------------------

_ESCAPE = re.compile(r"\x1b(?!\[[0-9;]{0,40}m)(?:\[[^@-~\x1b]*[@-~]?)?")  # except colours
_MOST_COLOURED = 10**8  # characters times colours: nbconvert copies the rest of a text at each colour
_LARGEST = 10_000  # px


def _text(given: Any) -> str:
    """Return text without escape sequences except colours, and without those where they would take too long."""
    text = _ESCAPE.sub("", "".join(map(str, given)) if isinstance(given, list) else str(given))
    if text.count("\x1b") * len(text) > _MOST_COLOURED:
        text = text.replace("\x1b", "")
    return text.encode("utf-8", errors="replace").decode("utf-8")


def _base64(kind: str) -> Callable[[Any], str]:
    def checked(given: Any) -> str:
        data = "".join(_text(given).split())
        return data if _is_raster(kind, data) and re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", data) else ""

    return checked


_TAG = re.compile("<")
_MARKUP: dict[str, tuple[Callable[[str], str], re.Pattern[str]]] = {
    "text/html": (html, _TAG),
    "text/markdown": (markdown, _TAG),
    _SVG: (svg, _NO_SVG_TAG),
}
_PLAIN: dict[str, Callable[[Any], str]] = {
    "text/plain": _text,
    "text/latex": _text,
    **{kind: _base64(kind) for kind in ("image/png", "image/jpeg")},
}
_TOO_MUCH = f"The outputs of this notebook have more than {MOST_TAGS:,} tags, so this one is shown as text."


class _Budget:
    """The time left for the markup of one notebook, in squares of tags."""

    def __init__(self) -> None:
        self._left = MOST_TAGS**2

    def affords(self, text: str, tag: re.Pattern[str] = _TAG) -> bool:
        """Tell whether there is time left for a text, and subtract it."""
        cost = _cost(text, tag) ** 2
        if cost > self._left:
            return False
        self._left -= cost
        return True


def _output(output: Any, budget: _Budget) -> dict[str, Any]:
    """Return an output with what is allowed of it, or {} where its kind is not."""
    if not isinstance(output, Mapping):
        return {}
    match kind := output.get("output_type"):
        case "stream":
            name = "stderr" if output.get("name") == "stderr" else "stdout"
            # As a terminal shows lines after carriage returns; nbconvert's pattern for that is quadratic.
            printed = _text(output.get("text", "")).split("\n")
            text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in printed)
            return {"output_type": kind, "name": name, "text": text}
        case "error":
            lines = output.get("traceback")
            named = {key: _text(output.get(key, "")) for key in ("ename", "evalue")}
            traceback = [_text(line) for line in lines] if isinstance(lines, list) else []
            return {"output_type": kind, **named, "traceback": traceback}
        case "display_data" | "execute_result":
            counted = {"execution_count": _count(output)} if kind == "execute_result" else {}
            data = _data(output.get("data"), budget)
            return {"output_type": kind, "data": data, "metadata": _sizes(output), **counted}
        case _:
            return {}


def _data(given: Any, budget: _Budget) -> dict[str, str]:
    data = _mapping(given)
    made = {kind: clean for kind, of in _PLAIN.items() if kind in data and (clean := of(data[kind]))}
    for kind, (clean_of, tag) in _MARKUP.items():
        if kind in data:
            text = _text(data[kind])
            plain = f"<p>{_TOO_MUCH}</p>{_plainly(made.get('text/plain', ''))}"
            made |= {kind: clean_of(text)} if budget.affords(text, tag) else {"text/html": plain}
    return made


def _sizes(output: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the sizes and the alternative texts of pictures from an output's metadata."""
    made: dict[str, dict[str, Any]] = {}
    for kind, given in _mapping(output.get("metadata")).items():
        if kind in _RASTER and isinstance(given, Mapping):
            sizes = {key: given[key] for key in ("width", "height") if _is_size(given.get(key))}
            alt = {"alt": _text(given["alt"])} if isinstance(given.get("alt"), str) else {}
            made[kind] = sizes | alt
    return made


def _is_size(value: Any) -> bool:
    return isinstance(value, int | float) and 0 < value < _LARGEST


def _count(cell: Mapping[str, Any]) -> int | None:
    count = cell.get("execution_count")
    return count if isinstance(count, int) else None


# ---- notebooks ------------------------------------------------------------------------------------

_NAME = re.compile(r"[^<>\"'`\x00-\x1f]{1,200}")
_LANGUAGE = {"kernelspec": {"display_name", "name"}, "language_info": {"name"}}
_KEYS = frozenset({"attachments", "cell_type", "id", "metadata", "source"})
_OF_CODE = frozenset({"execution_count", "outputs"})
_SWITCHES = ("collapsed", "deletable", "editable")
_GRADES: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("grade", "locked", "solution", "task"), bool),
    **dict.fromkeys(("cell_type", "checksum", "grade_id"), str),
    "points": (int, float),
    "schema_version": int,
}


def sanitise(notebook: Any) -> None:
    """Remove from a graded notebook what is not allowed; released cells keep their text."""
    budget = _Budget()
    known = {key: _names(notebook.metadata.get(key)) for key in _LANGUAGE}
    notebook.metadata = nbformat.from_dict(
        {key: names for key, names in known.items() if _LANGUAGE[key] <= set(names)}
    )
    cells = [cell for cell in notebook.cells if cell.get("cell_type") in {"code", "markdown", "raw"}]
    for cell in cells:
        _sanitise_cell(cell, budget)
    notebook.cells = cells


def _sanitise_cell(cell: Any, budget: _Budget) -> None:
    attachments = cell.get("attachments")
    in_code = cell.cell_type == "code"
    for key in set(cell) - _KEYS - (_OF_CODE if in_code else set()):
        del cell[key]
    if "id" in cell and not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", str(cell.id)):
        cell.id = uuid4().hex[:8]
    cell.metadata = nbformat.from_dict(_metadata(cell.get("metadata")))
    cell.source = _text(cell.get("source", ""))
    if in_code:
        outputs = cell.get("outputs")
        made = (_output(output, budget) for output in (outputs if isinstance(outputs, list) else []))
        cell.outputs = [nbformat.from_dict(output) for output in made if output]
        cell.execution_count = _count(cell)
    elif not _is_released(cell):
        cell.pop("attachments", None)
        affordable = budget.affords(cell.source)
        if cell.cell_type == "raw":
            cell.source = html(cell.source) if affordable else ""
        else:
            cell.source = (
                markdown(cell.source, _mapping(attachments)) if affordable else _line(_plainly(cell.source))
            )


def _metadata(given: Any) -> dict[str, Any]:
    metadata = _mapping(given)
    made = {key: metadata[key] for key in _SWITCHES if isinstance(metadata.get(key), bool)}
    tags = metadata.get("tags")
    if isinstance(tags, list):
        made["tags"] = [tag for tag in tags if isinstance(tag, str) and re.fullmatch(r"[\w-]{1,50}", tag)]
    grades = metadata.get("nbgrader")
    if isinstance(grades, Mapping):
        made["nbgrader"] = {
            key: grades[key]
            for key, kind in _GRADES.items()
            if isinstance(grades.get(key), kind) and (kind is not str or _NAME.fullmatch(grades[key]))
        }
    return made


def _names(given: Any) -> dict[str, str]:
    values = _mapping(given).items()
    return {key: value for key, value in values if isinstance(value, str) and _NAME.fullmatch(value)}


def _mapping(given: Any) -> Mapping[str, Any]:
    """Return a value that should be a mapping, or an empty one where it is not."""
    return given if isinstance(given, Mapping) else {}


def _is_released(cell: Any) -> bool:
    """Tell whether a cell has its released text: nbgrader keeps a checksum of it in the metadata."""
    known = cell.metadata.get("nbgrader", {})
    has_checksum = "grade_id" in known and ("points" in known or not known.get("grade"))
    return has_checksum and known.get("checksum") == compute_checksum(cell)


def without_fonts(include: Callable[[str], str]) -> Callable[[str], Markup]:
    """Return a function that includes a style sheet without fonts, which a browser would look for beside the page."""
    return lambda name: Markup(re.sub(r"@font-face\s*\{[^}]*\}", "", include(name)))  # noqa: S704 - nbgrader's own


class Sanitise(NbGraderPreprocessor):  # type: ignore[misc]
    """Sanitises a graded notebook, and the names on nbgrader's page about it."""

    def preprocess(self, nb: Any, resources: Any) -> Any:
        """Sanitise all outputs, and the cells that a student wrote or changed."""
        sanitise(nb)
        if "include_css" in resources:
            resources["include_css"] = without_fonts(resources["include_css"])
        for name in ("first_name", "last_name", "notebook_path", "student"):
            if isinstance(resources.get(name), str):
                resources[name] = escape(resources[name])
        return nb, resources
