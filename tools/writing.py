"""Write what is generated, when it has changed, and say so."""

from pathlib import Path


def write_changed(path: Path, text: str) -> None:
    """Write a file unless it holds this text; print that it was written."""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
        print(f"{path.name}: written anew")
