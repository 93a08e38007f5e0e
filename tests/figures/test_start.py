import re

from mlsd_helpers import cases, figures


def test_the_map_shows_each_part_of_a_design_once_in_the_order_of_the_lessons():
    shown = figures.course_map()
    assert shown.data["part"] == cases.PARTS
    assert shown.data["lesson"] == ("01", "02", "03", "04", "05")


def test_the_map_says_in_words_what_it_shows():
    shown = figures.course_map()
    assert all(word in shown.alt for column in ("lesson", "part", "question") for word in shown.data[column])
    assert shown.svg == figures.course_map().svg


def test_the_words_of_the_map_can_be_read_where_a_notebook_makes_it_640_pixels_wide():
    svg = figures.course_map().svg
    sizes = [float(size) for size in re.findall(r"font-size: ([\d.]+)px", svg)]
    assert sizes
    wide = float(re.search(r'viewBox="0 0 ([\d.]+)', svg)[1])
    assert min(sizes) * 640 / wide >= 11
