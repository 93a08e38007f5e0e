"""The JSON Schema of a design file, for editors that complete, explain and check YAML."""

import json
from typing import Any

from mlsd_helpers.design.design import Design

SCHEMA_ID = "urn:mlsd-helpers:design"
"""What identifies the schema, wherever a copy of it is kept."""


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a design; the docstring of a field is its description."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID}
    return head | Design.model_json_schema()


def schema_text() -> str:
    """Return the schema as JSON text, in ASCII, so that it survives a terminal of any encoding."""
    return json.dumps(json_schema(), indent=1) + "\n"
