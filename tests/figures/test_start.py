from mlsd_helpers import cases, figures


def test_the_map_shows_each_part_of_a_design_once_in_the_order_of_the_lessons():
    shown = figures.course_map()
    assert shown.data["part"] == cases.PARTS
    assert shown.data["lesson"] == ("01", "02", "03", "04", "05")


def test_the_map_says_in_words_what_it_shows():
    shown = figures.course_map()
    assert all(word in shown.alt for column in ("lesson", "part", "question") for word in shown.data[column])
    assert shown.svg == figures.course_map().svg
