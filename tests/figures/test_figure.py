import subprocess
import sys
from xml.etree import ElementTree as ET

import matplotlib as mpl
import pytest

from mlsd_helpers import figures
from mlsd_helpers.errors import RangeError
from mlsd_helpers.figures import style
from mlsd_helpers.figures.drawing import Axis


def a_figure(alt="A line that rises from 1 to 3.", **data):
    return figures.draw(lambda axes: axes.plot([1, 3], [1, 3], marker="o"), alt=alt, data=data)


def parsed(text):
    return ET.fromstring(text)  # noqa: S314 - our own output


def contrast(one, other):
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour):
    shares = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_a_figure_shows_itself_with_its_alternative_text_and_caption():
    shown = figures.Figure("<svg/>", 'a "wait" of <9 s', "a & b")._repr_mimebundle_()
    html = parsed(shown["text/html"])
    picture = html.find(".//img")
    assert picture.get("alt") == 'a "wait" of <9 s' == shown["text/plain"]
    assert html.find("figcaption").text == "a & b"
    assert picture.get("src").startswith("data:image/svg+xml;base64,")


@pytest.mark.parametrize("alt", ["", "  \n"])
def test_a_figure_without_words_is_refused(alt):
    with pytest.raises(RangeError, match="alt"):
        a_figure(alt)


def test_columns_of_different_length_are_refused():
    with pytest.raises(RangeError, match="replicas 2, wait_s 1"):
        a_figure(replicas=(1, 2), wait_s=(3,))


def test_the_data_of_a_figure_cannot_be_changed():
    figure = a_figure(replicas=[1, 2])
    with pytest.raises(TypeError):
        figure.data["replicas"] = (3,)
    assert figure.data["replicas"] == (1, 2)


def test_the_same_drawing_gives_the_same_bytes():
    assert a_figure().svg == a_figure().svg


@pytest.mark.thorough
def test_another_process_gives_the_same_bytes():
    script = "from mlsd_helpers.figures import backlog; print(backlog(800, 725, 120, 1_000).svg, end='')"
    svgs = {subprocess.check_output([sys.executable, "-c", script]) for _ in range(2)}
    assert len(svgs) == 1


def test_the_readers_own_settings_neither_change_a_figure_nor_are_changed():
    usual = a_figure().svg
    with mpl.rc_context(
        {"lines.linewidth": 9, "font.size": 20, "xtick.major.size": 20, "svg.fonttype": "path"}
    ):
        assert a_figure().svg == usual
        assert mpl.rcParams["lines.linewidth"] == 9


def test_a_figure_is_small_valid_and_names_nothing_outside_itself():
    svg = figures.rule_against_exact().svg
    parsed(svg)
    assert len(svg) < 40_000
    assert "http" not in svg.replace("http://www.w3.org/", "")


@pytest.mark.parametrize("line", [style.RULE, style.EXACT, style.OTHER, style.LIMIT])
def test_lines_and_their_labels_stand_out_against_the_panel(line):
    assert contrast(line.colour, style.PANEL) >= 4.5


def dark(colour):
    """Return a colour as `style.DARK` shows it: inverted, then its hue turned by half a circle (Filter Effects 1)."""
    inverted = [0.93 * 255 - 0.86 * int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    turns = ((-0.574, 1.43, 0.144), (0.426, 0.43, 0.144), (0.426, 1.43, -0.856))
    turned = (sum(share * one for share, one in zip(row, inverted, strict=True)) for row in turns)
    return "#" + "".join(f"{min(255, max(0, round(one))):02x}" for one in turned)


@pytest.mark.parametrize("line", [style.RULE, style.EXACT, style.OTHER, style.LIMIT])
def test_lines_and_their_labels_stand_out_in_the_dark_too(line):
    assert dark(style.PANEL) == "#121212"
    assert contrast(dark(line.colour), dark(style.PANEL)) >= 4.5


def test_no_two_kinds_of_line_differ_by_colour_alone():
    kinds = (style.RULE, style.EXACT, style.OTHER, style.LIMIT)
    assert len({line.dash for line in kinds}) == len({line.marker for line in kinds}) == len(kinds)


@pytest.mark.processes
def test_importing_figures_does_not_load_matplotlib():
    script = "import sys, mlsd_helpers.figures; print('matplotlib' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "False"


DRAWN = [
    lambda: figures.wait_by_replicas(500, 0.040),
    lambda: figures.wait_by_replicas(9_000, 0.040, 1, 0),
    lambda: figures.freshness_timeline(900, 270, 30),
    figures.decision_surface,
    figures.latency_tail,
    lambda: figures.latency_tail(slow_share=0),
    lambda: figures.queue_theatre(figures.TheatreInputs(replicas=10)),
]


@pytest.mark.parametrize("figure", DRAWN)
def test_a_drawing_is_valid_names_all_its_colours_and_stays_within_its_picture(figure):
    drawn = parsed(figure().svg)
    _, _, wide, high = map(float, drawn.get("viewBox").split())
    assert "var(" not in ET.tostring(drawn, "unicode")
    places = [
        (float(node.get("x")), float(node.get("y"))) for node in drawn.iter() if node.tag.endswith("}text")
    ]
    assert places
    assert all(0 <= x <= wide and 0 <= y <= high for x, y in places)


@pytest.mark.parametrize(
    ("axis", "about", "steps"),
    [(Axis(0, 0.9), 4, [0, 0.5]), (Axis(18.5, 40), 7, [20, 25, 30, 35, 40]), (Axis(0, 3), 3, [0, 1, 2, 3])],
)
def test_an_axis_has_round_steps_within_its_ends(axis, about, steps):
    assert axis.steps(about) == steps


def test_an_axis_of_counts_has_whole_steps():
    assert Axis(1, 3).steps(10, whole=True) == [1, 2, 3]


def test_a_table_names_its_columns_and_escapes_its_cells():
    html = parsed(figures.table({"load": (1_234.5, 2), "name": ("<a>", "b")}, caption="two"))
    assert [cell.text for cell in html.iter("th")] == ["load", "name"]
    assert [cell.get("scope") for cell in html.iter("th")] == ["col", "col"]
    assert [cell.text for cell in html.iter("td")] == ["1,234", "<a>", "2", "b"]
