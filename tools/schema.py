"""Write docs/design.schema.json, with which editors complete and check a design.yaml: `make fix` does it."""

import json
from pathlib import Path

from mlsd_helpers.design import json_schema
from tools.writing import write_changed

PLACE = Path(__file__).parents[1] / "docs" / "design.schema.json"


def schema() -> str:
    """Return the schema as it is written."""
    return json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    write_changed(PLACE, schema())
