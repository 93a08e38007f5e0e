"""The JSON Schema of a design file, for editors that complete, explain and check YAML."""

from typing import Any

from mlsd_helpers.design.design import Design


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a design; the docstring of a field is its description."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | Design.model_json_schema()
