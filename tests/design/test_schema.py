"""The JSON Schema: editors accept what loading accepts."""

import json
import re

import jsonschema
import pytest

from mlsd_helpers import cases, cli
from mlsd_helpers.design import Design, json_schema, schema_text
from mlsd_helpers.design.reading import read
from mlsd_helpers.errors import DesignError
from tools.schema import PLACE

SCHEMA = json_schema()
CHECK = jsonschema.Draft202012Validator(SCHEMA)


def test_the_schema_is_one():
    CHECK.check_schema(SCHEMA)


@pytest.mark.parametrize("name", cases.names())
def test_the_schema_accepts_every_case(name):
    written, _ = read(cases.load(name).to_yaml(), name)
    CHECK.validate(written.value)


@pytest.mark.parametrize(
    "capacity",
    [
        {"load": "500 rps", "service_time": "40 ms", "headroom": {"share": "30%", "pays_for": "surge"}},
        {"load": 500, "service_time": {"mean": 0.04, "distribution": "constant"}, "replicas": 45},
    ],
)
def test_quantities_may_be_text_or_numbers(capacity):
    CHECK.validate({"name": "d", "capacity": capacity})
    assert Design(name="d", capacity=capacity).capacity.load == 500


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"name": "d", "zonez": 1},
        {"name": "d", "capacity": {"routing": "best"}},
        {"name": 7},
        {"name": "d", "requirements": {"latency": {"budget": "bananas", "percentile": "p99"}}},
        {"name": "d", "capacity": {"service_time": "bananas"}},
        {"name": "d", "capacity": {"cost_per_replica_hour": "20 apples"}},
        {"name": "d", "capacity": {"budget_per_month": "$40 EUR"}},
        {"name": "d", "capacity": {"replicas": -3}},
    ],
)
def test_the_schema_refuses_what_loading_refuses(wrong):
    assert not CHECK.is_valid(wrong)
    with pytest.raises(DesignError):
        Design(**wrong)


def test_keys_that_begin_with_x_are_free_at_any_level():
    CHECK.validate(
        {"name": "d", "x-why": [1], "capacity": {"x-": {"a": 1}, "headroom": {"share": 0, "x-b": None}}}
    )


def test_the_published_schema_is_the_one_that_the_command_prints(capsys):
    assert cli.main(["schema"]) == 0
    assert capsys.readouterr().out == PLACE.read_text(encoding="utf-8"), "run `make fix`"
    assert json.loads(schema_text()) == SCHEMA


def test_the_command_writes_the_schema_to_a_file(tmp_path):
    assert cli.main(["schema", "--output", str(tmp_path / "schema.json")]) == 0
    assert (tmp_path / "schema.json").read_bytes() == PLACE.read_bytes()


def test_the_schema_has_an_id_that_no_place_of_a_copy_changes():
    assert re.fullmatch(r"urn:[a-z0-9-]+:\S+", SCHEMA["$id"])


def test_a_quantity_shows_an_example_and_a_field_its_meaning():
    mean = SCHEMA["$defs"]["Throughput"]["properties"]["peak"]
    assert mean["examples"] == ["500 rps"]
    assert "percentile" in SCHEMA["$defs"]["Component"]["properties"]["latency"]["description"]
