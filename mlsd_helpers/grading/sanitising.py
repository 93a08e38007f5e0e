"""What a student wrote, made safe to be shown in an instructor's browser.

The formgrader shows a graded notebook in JupyterLab's origin, logged in; so nothing of a student's may run, load,
name or cover anything there. Everything here is a list of what is allowed: kinds of output, keys of metadata, and, by
nh3, tags, attributes, classes and styles. What is left of a notebook is text, tables and pictures that it holds itself.

`mlsd grade` and `nbgrader autograde` sanitise before anything is written, and nbgrader's pages once more when they are
made, for notebooks that were graded before: see `nbgrader_config.py`. There is no MathJax, which nbgrader's pages load
from elsewhere: a formula stands as it was typed.
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
_DROPPED = _set(  # with what is in them, which is no text to read
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
_BOXES = _set("blockquote caption dd div dl dt h1 h2 h3 h4 h5 h6 hr img li ol p pre table td th tr ul")
_SIZED = {one for one in _STYLES if one.startswith(("padding", "border"))} | {"font-size"}
_NUMBERS = {"border": 40, "cellpadding": 40, "cellspacing": 40, "colspan": 30, "rowspan": 99, "span": 30}
_WORDED = frozenset(
    {"text-decoration", "vertical-align"}
)  # a thick line, or a word that is raised, covers others
_COLOUR = re.compile(r"#[0-9a-f]{3,8}\b|(?:rgb|hsl)a?\([^()]*\)")
_LENGTH = re.compile(r"([0-9]*\.?[0-9]+)([a-z%]*)")
_MOST_LENGTH = {"": 40, "px": 40, "pt": 40, "em": 3, "rem": 3, "%": 300}
_CLASS = re.compile(  # pandas' and pygments', none that a page's own script or style knows
    r"dataframe|highlight|hl-\w+|data|blank|row_heading|col_heading|index_name|(?:level|row|col)\d+|task-list-item"
)
_COLOURED = frozenset(STANDARD_TYPES.values()) - {""}
_VALUE = re.compile(r"[A-Za-z0-9 #%.,+-]{1,40}")
_FUNCTION = re.compile(r"([\w-]*)\s*\(")
_HARMLESS = frozenset({"rgb", "rgba", "hsl", "hsla", "linear-gradient", "calc"})
_REFERENCE = re.compile(r"url\(\s*[\"']?#[\w.:-]+[\"']?\s*\)")  # to another part of the same picture
_ELSEWHERE = re.compile(r"(?i)url|[\\@]")
_ACTIVE = re.compile(  # HTML, links, pictures, other languages' code, and headings, which get ids
    r"<|\][(\[:]|://|www\.|mailto:|```|~~~|#|^[ \t>]*[-=]+[ \t]*$", re.MULTILINE
)
_DATA = re.compile(r"data:(image/[a-z+]+);base64,([A-Za-z0-9+/=\s]*)")
_RASTER = {"image/png": "iVBORw0KGgo", "image/jpeg": "/9j/", "image/gif": "R0lGOD", "image/webp": "UklGR"}
_SVG = "image/svg+xml"
_AGAIN = frozenset(
    {"clipPath", "marker", "mask", "pattern", "symbol"}
)  # what is drawn where something refers to it
_MOST_USED = 20_000  # elements that a picture draws by reference
_MOST_PIXELS = 16_000_000

MOST_TAGS = 20_000
"""How many tags a notebook's outputs may hold: a parser's time can grow with their square."""

_A_TAG = 50  # characters that take as long as a tag
_LONG = 200  # characters of base64, which take no time
_PAYLOAD = re.compile(rf"[A-Za-z0-9+/=]{{{_LONG},}}")
_NO_SVG_TAG = re.compile(rf"<(?!/?(?:{'|'.join(_SVG_TAGS)})\b)")
_MOST_TEXT = 20_000  # characters of Markdown or of coloured code
_MOST_STYLE = 500
_MOST_BLANKS = 300  # one after the other
_MOST_BACKSLASHES = 1_000  # each may open a formula
_KEPT = 256  # cells, most of them ours


# ---- HTML, SVG and Markdown -----------------------------------------------------------------------


def html(text: str) -> str:
    """Return HTML with the tags, attributes, classes and styles that are allowed, and pictures that it holds itself."""
    return _HTML.clean(_styled(_drawn(text)))


def svg(text: str) -> str:
    """Return an SVG picture without scripts, links and what lies elsewhere, as XML."""
    clean = _DRAWING.clean(text).strip().replace("&nbsp;", "&#160;").replace(" xlink:href=", " href=")
    try:
        root = ET.fromstring(clean)  # noqa: S314 - no declarations are left, so no entities
    except ET.ParseError:
        return ""
    return clean if root.tag.endswith("}svg") and _is_flat(root) else ""


def _is_flat(root: ET.Element) -> bool:
    """Tell whether what a picture uses again uses nothing again itself: ten in ten in ten end a browser's page."""
    sizes: dict[ET.Element, int] = {}
    refers: dict[ET.Element, bool] = {}
    for element in reversed(list(root.iter())):  # what is inside comes first
        sizes[element] = 1 + sum(sizes[one] for one in element)
        own = "href" in element.attrib or any("url(" in value for value in element.attrib.values())
        refers[element] = own or any(refers[one] for one in element)
    if any(refers[one] for one in sizes if one.tag.rpartition("}")[2] in _AGAIN):
        return False
    named = {one.get("id"): one for one in sizes if "id" in one.attrib}
    used = [named[name] for one in sizes if (name := one.get("href", "")[1:]) in named]
    return not any(refers[one] for one in used) and sum(sizes[one] for one in used) <= _MOST_USED


def markdown(source: str, attachments: Mapping[str, Any] | None = None) -> str:
    """Return Markdown as it is where it makes paragraphs, emphasis, lists and tables, else the HTML that it makes.

    That HTML is sanitised, and a single line: Markdown again, which stays as it is for everyone who reads it, since an
    HTML block ends with a blank line.
    """
    source = re.sub(r"\r\n?", "\n", source)  # which ends a line of Markdown as well
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
    except Exception:  # noqa: BLE001 - mistune and nbconvert raise much, a RecursionError too, on Markdown that is none
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
    """Tell whether a parser of Markdown or of Python may take seconds; nobody writes so by hand."""
    if len(source) > _MOST_TEXT or source.count("\\") > _MOST_BACKSLASHES:
        return True
    return max(map(len, re.findall(r"\s+", source)), default=0) > _MOST_BLANKS


class _Renderer(IPythonRenderer):
    """nbconvert's renderer, with the address of a link beside its words, and of pictures those that it is given."""

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
        picture = _picture(source)
        return (
            f'<img alt="{escape(text)}" src="{picture}">'
            if picture
            else f"[{text or 'picture'}: {escape(url)}]"
        )

    def task_list_item(self, text: str, checked: bool = False) -> str:
        return f"<li>{'☑' if checked else '☐'} {text}</li>\n"


def _allowed(tag: str, name: str, value: str) -> str | None:
    """Return the value of an allowed attribute, or None when its value is not allowed."""
    if name == "class":
        return " ".join(one for one in value.split() if one in _COLOURED or _CLASS.fullmatch(one)) or None
    if name == "style":
        return _style(tag, value)
    if name in _NUMBERS:  # a table's cells grow with the product of what they span
        return value if re.fullmatch(r"[0-9]{0,2}", value) and int(value or 0) <= _NUMBERS[name] else None
    if name == "src":
        return _picture(value)
    return value if name in _WORDS or not value or _VALUE.fullmatch(value) else None


def _style(tag: str, value: str) -> str | None:
    """Return the declarations that draw nothing outside of the room that an element takes, or None for none."""
    if len(value) > _MOST_STYLE or set("\\@") & set(value):
        return None
    kept = []
    for declaration in value.lower().split(";"):
        name, _, given = declaration.partition(":")
        name = name.strip()
        if not set(_FUNCTION.findall(given)) <= _HARMLESS:
            return None
        # An inline element's padding and border take no room in its line, and are drawn over what is around.
        boxed = name.startswith(("padding", "border")) and tag not in _BOXES
        large = name in _SIZED and not _is_modest(given)
        worded = name in _WORDED and re.search("[0-9]", given)
        if name in _STYLES and not (boxed or large or worded):
            kept.append(f"{name}:{given}")
    return ";".join(kept) or None


def _is_modest(value: str) -> bool:
    """Tell whether all lengths of a style are short; one in a unit that is not known is not."""
    lengths = _LENGTH.findall(_COLOUR.sub("", value))
    return "(" not in _COLOUR.sub("", value) and all(
        unit in _MOST_LENGTH and float(number) <= _MOST_LENGTH[unit] for number, unit in lengths
    )


def _allowed_in_svg(tag: str, name: str, value: str) -> str | None:
    if name in {"href", "xlink:href"}:
        if tag == "image":
            return _picture(value) if not value.startswith(f"data:{_SVG}") else None
        return value if re.fullmatch(r"#[\w.:-]+", value) else None
    return value if _ELSEWHERE.search(_REFERENCE.sub("", value)) is None else None


def _picture(source: str) -> str | None:
    """Return the address of a picture that holds its data, or None for any other."""
    found = _DATA.fullmatch(source.strip())
    if found is None:
        return None
    kind, data = found[1], "".join(found[2].split())
    if kind == _SVG:
        drawing = _decoded(data)
        return f"data:{_SVG};base64,{b64encode(drawing.encode()).decode()}" if drawing else None
    return f"data:{kind};base64,{data}" if _is_raster(kind, data) else None


def _is_raster(kind: str, data: str) -> bool:
    """Tell whether data are a picture of their kind, and of a size that a browser can hold when it unpacks them."""
    if kind not in _RASTER or not data.startswith(_RASTER[kind]):
        return False
    try:
        with Image.open(BytesIO(b64decode(data))) as picture:
            return picture.width * picture.height <= _MOST_PIXELS
    except Exception:  # noqa: BLE001 - Pillow raises much on what is no picture
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
    """Put drawings that stand in HTML into pictures, in which nothing runs or loads."""
    before, *rest = re.split(r"(?i)</svg\s*>", text)
    parts = [before, *rest]
    for number, part in enumerate(parts[:-1]):
        start = re.search(r"(?i)<svg\b", part)
        if start:
            picture = b64encode(f"{part[start.start() :]}</svg>".encode()).decode()
            parts[number] = f'{part[: start.start()]}<img alt="drawing" src="data:{_SVG};base64,{picture}">'
    return "".join(parts)


def _styled(text: str) -> str:
    """Give the cells of a styled table their styles, which pandas writes in a sheet, by their ids."""
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
    """Return code as HTML, in place of nbconvert's filter: always as Python, whatever a cell says of itself.

    The time of IPython's own lexer, and of some of the 500 that a cell may name, grows with the square of its length.
    """
    return _highlighted(source)


_LEXER = PythonLexer()
_FORMATTER = HtmlFormatter(cssclass=" highlight hl-ipython3")


# ---- outputs --------------------------------------------------------------------------------------

_ESCAPE = re.compile(r"\x1b(?!\[[0-9;]{0,40}m)(?:\[[^@-~\x1b]*[@-~]?)?")  # all but colours
_MOST_COLOURED = 10**8  # characters by colours: nbconvert copies what is left of a text at each
_LARGEST = 10_000  # px


def _text(given: Any) -> str:
    """Return text with no other escape sequences than colours, and not more of those than can be shown in time."""
    text = _ESCAPE.sub("", "".join(map(str, given)) if isinstance(given, list) else str(given))
    if text.count("\x1b") * len(text) > _MOST_COLOURED:
        text = text.replace("\x1b", "")
    return text.encode("utf-8", errors="replace").decode("utf-8")


def _written_over(text: str) -> str:
    """Return what a terminal leaves of lines that are written over; nbconvert's pattern for it is quadratic."""
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))


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


class _Time:
    """The time that the markup of one notebook may take, in squares of tags."""

    def __init__(self) -> None:
        self._left = MOST_TAGS**2

    def affords(self, text: str, tag: re.Pattern[str] = _TAG) -> bool:
        """Tell whether there is time for one more text, and take it."""
        cost = _cost(text, tag) ** 2
        if cost > self._left:
            return False
        self._left -= cost
        return True


def _output(output: Any, time: _Time) -> dict[str, Any]:
    """Return an output of a kind that is allowed, or nothing."""
    if not isinstance(output, Mapping):
        return {}
    match kind := output.get("output_type"):
        case "stream":
            name = "stderr" if output.get("name") == "stderr" else "stdout"
            return {"output_type": kind, "name": name, "text": _written_over(_text(output.get("text", "")))}
        case "error":
            lines = output.get("traceback")
            named = {key: _text(output.get(key, "")) for key in ("ename", "evalue")}
            traceback = [_text(line) for line in lines] if isinstance(lines, list) else []
            return {"output_type": kind, **named, "traceback": traceback}
        case "display_data" | "execute_result":
            shown = {"output_type": kind, "data": _data(output.get("data"), time), "metadata": _sizes(output)}
            counted = {"execution_count": _count(output)} if kind == "execute_result" else {}
            return shown | counted
        case _:
            return {}


def _data(given: Any, time: _Time) -> dict[str, str]:
    data = given if isinstance(given, Mapping) else {}
    made = {kind: clean for kind, of in _PLAIN.items() if kind in data and (clean := of(data[kind]))}
    for kind, (clean_of, tag) in _MARKUP.items():
        if kind in data:
            text = _text(data[kind])
            plain = f"<p>{_TOO_MUCH}</p>{_plainly(made.get('text/plain', ''))}"
            made |= {kind: clean_of(text)} if time.affords(text, tag) else {"text/html": plain}
    return made


def _sizes(output: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return of an output's metadata what says how large a picture is, and what it shows."""
    given = output.get("metadata")
    metadata = given if isinstance(given, Mapping) else {}
    made: dict[str, dict[str, Any]] = {}
    for kind in _RASTER:
        told = metadata.get(kind)
        if not isinstance(told, Mapping):
            continue
        sizes = {key: told[key] for key in ("width", "height") if _is_size(told.get(key))}
        alt = {"alt": _text(told["alt"])} if isinstance(told.get("alt"), str) else {}
        made[kind] = sizes | alt
    return made


def _is_size(value: Any) -> bool:
    return isinstance(value, int | float) and 0 < value < _LARGEST


def _count(cell: Mapping[str, Any]) -> int | None:
    count = cell.get("execution_count")
    return count if isinstance(count, int) else None


# ---- notebooks ------------------------------------------------------------------------------------

_NAME = re.compile(r"[^<>\"'`\x00-\x1f]{1,200}")
_NAMED = {"kernelspec": {"display_name", "name"}, "language_info": {"name"}}
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
    """Leave in a graded notebook what can be shown, and released text as it is."""
    time = _Time()
    told = {key: _words(notebook.metadata.get(key)) for key in _NAMED}
    notebook.metadata = nbformat.from_dict(
        {key: said for key, said in told.items() if _NAMED[key] <= set(said)}
    )
    cells = [cell for cell in notebook.cells if cell.get("cell_type") in {"code", "markdown", "raw"}]
    for cell in cells:
        _sanitise_cell(cell, time)
    notebook.cells = cells


def _sanitise_cell(cell: Any, time: _Time) -> None:
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
        made = (_output(output, time) for output in (outputs if isinstance(outputs, list) else []))
        cell.outputs = [nbformat.from_dict(output) for output in made if output]
        cell.execution_count = _count(cell)
    elif not _is_released(cell):
        cell.pop("attachments", None)
        affordable = time.affords(cell.source)
        if cell.cell_type == "raw":
            cell.source = html(cell.source) if affordable else ""
        else:
            given = attachments if isinstance(attachments, Mapping) else {}
            cell.source = markdown(cell.source, given) if affordable else _line(_plainly(cell.source))


def _metadata(given: Any) -> dict[str, Any]:
    told = given if isinstance(given, Mapping) else {}
    made: dict[str, Any] = {key: told[key] for key in _SWITCHES if isinstance(told.get(key), bool)}
    tags = told.get("tags")
    if isinstance(tags, list):
        made["tags"] = [tag for tag in tags if isinstance(tag, str) and re.fullmatch(r"[\w-]{1,50}", tag)]
    grades = told.get("nbgrader")
    if isinstance(grades, Mapping):
        made["nbgrader"] = {
            key: grades[key]
            for key, kind in _GRADES.items()
            if isinstance(grades.get(key), kind) and (kind is not str or _NAME.fullmatch(grades[key]))
        }
    return made


def _words(given: Any) -> dict[str, Any]:
    told = given if isinstance(given, Mapping) else {}
    return {key: value for key, value in told.items() if isinstance(value, str) and _NAME.fullmatch(value)}


def _is_released(cell: Any) -> bool:
    """Tell whether a cell holds what was released: nbgrader notes in each that it knows what it should be."""
    known = cell.metadata.get("nbgrader", {})
    told = "grade_id" in known and ("points" in known or not known.get("grade"))
    return told and known.get("checksum") == compute_checksum(cell)


def without_fonts(include: Callable[[str], str]) -> Callable[[str], Markup]:
    """Return what includes a style sheet without its fonts: a browser asks for them beside the page, where none are."""
    return lambda name: Markup(re.sub(r"@font-face\s*\{[^}]*\}", "", include(name)))  # noqa: S704 - of nbgrader


class Sanitise(NbGraderPreprocessor):  # type: ignore[misc]
    """Sanitises a notebook that nbgrader has graded, and the names on nbgrader's page about it."""

    def preprocess(self, nb: Any, resources: Any) -> Any:
        """Sanitise all outputs, and the cells that a student wrote or changed."""
        sanitise(nb)
        if "include_css" in resources:
            resources["include_css"] = without_fonts(resources["include_css"])
        for name in ("first_name", "last_name", "notebook_path", "student"):
            if isinstance(resources.get(name), str):
                resources[name] = escape(resources[name])
        return nb, resources
