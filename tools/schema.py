"""Write docs/design.schema.json, with which editors complete and check a design.yaml: `make fix` does it."""

from pathlib import Path

from mlsd_helpers.design import schema_text
from tools.writing import write_changed

PLACE = Path(__file__).parents[1] / "docs" / "design.schema.json"

if __name__ == "__main__":
    write_changed(PLACE, schema_text())
