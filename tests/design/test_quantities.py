"""Quantities: read as people write them, held in base units, written back exactly."""

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd_helpers.design import CapacityPlan, Latency
from mlsd_helpers.design.quantities import (
    BANDWIDTH,
    COMPUTE,
    EXTRA,
    MONEY,
    NUMBER,
    RATE,
    RATIO,
    SHARE,
    SIZE,
    TIME,
    write,
)
from mlsd_helpers.errors import DesignError, QuantityError

KINDS = [TIME, RATE, SIZE, BANDWIDTH, COMPUTE, SHARE, EXTRA, NUMBER, RATIO, MONEY]
by_name = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.dimension.name)

AS_WRITTEN = [
    ("15 min", TIME, 900.0),
    ("40 ms", TIME, 0.04),
    ("90 min", TIME, 5_400.0),
    ("500 rps", RATE, 500.0),
    ("10000000 /day", RATE, 1e7 / 86_400),
    ("16 GiB", SIZE, 16 * 2.0**30),
    ("80 GB", SIZE, 80e9),
    ("3.35 TB/s", BANDWIDTH, 3.35e12),
    ("989 TFLOP/s", COMPUTE, 989e12),
    ("30%", SHARE, 0.3),
    ("99.9%", SHARE, 0.999),
    ("0%", SHARE, 0.0),
    ("900%", EXTRA, 9.0),
    ("8.03 billion", NUMBER, 8_030_000_000),
    (45, NUMBER, 45),
    (1.3, RATIO, 1.3),
    ("$0.20", MONEY, 0.2),
    ("$8,000", MONEY, 8_000.0),
    ("$40.00", MONEY, 40.0),
    ("€40", MONEY, 40.0),
    ("40 EUR", MONEY, 40.0),
    ("£0.50", MONEY, 0.5),
    ("1,200 CHF", MONEY, 1_200.0),
]


@pytest.mark.parametrize(("text", "kind", "number"), AS_WRITTEN, ids=[str(row[0]) for row in AS_WRITTEN])
def test_a_quantity_reads_and_writes_as_people_do(text, kind, number):
    assert kind.read(text) == number
    assert write(kind.read(text), kind) == text


@pytest.mark.parametrize(
    ("text", "kind", "number"),
    [
        ("20k rps", RATE, 20_000),
        ("20 K rps", RATE, 20_000),
        ("1M/s", RATE, 1e6),
        ("86.4M per day", RATE, 1_000),
        ("604.8 thousand per week", RATE, 1),
        ("1.5M", NUMBER, 1_500_000),
        ("8.03B", NUMBER, 8_030_000_000),
        ("50k", NUMBER, 50_000),
        ("$1.2M", MONEY, 1_200_000),
        ("40k CHF", MONEY, 40_000),
        ("CHF 40", MONEY, 40),
        ("40 €", MONEY, 40),
    ],
)
def test_counts_and_rates_may_have_a_scale(text, kind, number):
    assert kind.read(text) == number


@pytest.mark.parametrize(
    ("text", "kind"), [("5k ms", TIME), ("1M", RATE), ("1M GB", SIZE), ("1kk", NUMBER), ("2k%", SHARE)]
)
def test_a_scale_without_a_unit_or_where_none_is_usual_is_refused(text, kind):
    with pytest.raises(QuantityError):
        kind.read(text)


NONSENSE = (
    "bananas", "", " ", "40", "40 parsecs", "-3", "-40 ms", "ms", "1 2", "40 ms later", "$", "$$3", "$3 USD",
    "3 USB", "%", "rps 5", "1e9999 s",
)  # fmt: skip


@by_name
def test_the_schema_of_a_quantity_accepts_what_it_reads_and_refuses_nonsense(kind):
    schema = jsonschema.Draft202012Validator(kind.json_schema())
    scales = ["", "k", "M ", "million "] if kind.dimension.takes_scales else [""]
    texts = [f"{number}{gap}{scale}{unit}"
             for unit in kind.dimension.units for scale in scales for number in ("0", "1", "0.4", ".5", "1e-3")
             for gap in ("", " ")]  # fmt: skip
    if kind.dimension.unit_may_lead:
        texts += [
            f"{unit}{gap}{number}{gap}{scale}"
            for unit in kind.dimension.units
            for scale in scales
            for number in ("1", ".5")
            for gap in ("", " ")
        ]
    for given_text in [*texts, *NONSENSE, *(text for text, other, _ in AS_WRITTEN if other is kind)]:
        try:
            kind.read(given_text)
        except QuantityError as refused:
            if "out of range" in str(refused) or "whole number" in str(refused):
                continue  # no pattern can tell
            assert not schema.is_valid(given_text), given_text
        else:
            assert schema.is_valid(given_text), given_text
    assert not schema.is_valid("bananas")
    assert schema.is_valid(kind.dimension.example)
    assert not schema.is_valid(-1)
    assert not schema.is_valid(kind.most * 10)


@by_name
@given(share=st.floats(0, 1))
def test_what_is_written_reads_back_as_exactly_the_same(kind, share):
    number = round(share * kind.most) if kind.whole else share * kind.most
    assert kind.read(write(number, kind)) == number


@by_name
@pytest.mark.parametrize(
    "given", [-1, float("nan"), float("inf"), 1e30, 10**400, True, None, [1], {}, "", "x", "1e999", "9" * 10_000]
)  # fmt: skip
def test_what_is_no_quantity_is_refused(kind, given):
    with pytest.raises(QuantityError):
        kind.read(given)


def test_a_wrong_unit_is_refused():
    with pytest.raises(DesignError):
        CapacityPlan(load="40 ms")


def test_text_without_a_unit_is_refused_where_a_unit_is_needed():
    with pytest.raises(DesignError):
        CapacityPlan(load="500")


def test_part_of_a_replica_is_refused():
    with pytest.raises(DesignError):
        CapacityPlan(replicas=37.5)


def test_a_bare_number_is_in_base_units():
    assert CapacityPlan(load=500).load == CapacityPlan(load="500 rps").load


@pytest.mark.parametrize("text", ["0 ms", 0])
def test_zero_is_refused_where_it_means_nothing(text):
    with pytest.raises(DesignError):
        Latency(budget=text, percentile="p99")


@pytest.mark.parametrize(
    ("text", "alike"),
    [("5 years", "1825 d"), ("12 months", "1 year"), ("1 month", "730 h"), ("2 weeks", "14 d")],
)
def test_months_and_years_are_read_as_law_writes_them_and_twelve_months_are_a_year(text, alike):
    assert TIME.read(text) == TIME.read(alike)


@pytest.mark.parametrize(
    ("text", "kind", "instead"),
    [
        ("quarterly", TIME, "3 months"),
        ("daily", TIME, "1 d"),
        ("5 yrs", TIME, "5 years"),
        ("3 hrs", TIME, "3 h"),
        ("2.6 Mio", NUMBER, "2.6 million"),
        ("2.6 Mio.", NUMBER, "2.6 million"),
        ("3 Mrd", NUMBER, "3 billion"),
        ("2 mln rps", RATE, "2 million rps"),
    ],
)
def test_what_people_write_often_and_no_unit_is_names_what_to_write(text, kind, instead):
    with pytest.raises(QuantityError) as found:
        kind.read(text)
    assert f"'{instead}'" in str(found.value)
    kind.read(instead)


@pytest.mark.parametrize("text", ["06:30", "6:30 am", "18:00 UTC", "6:30am"])
def test_a_time_of_the_day_is_no_duration_and_the_error_says_so(text):
    with pytest.raises(QuantityError, match="time of the day"):
        TIME.read(text)
