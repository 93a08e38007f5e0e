"""How a hidden check is told from a message that names the fresh check."""

import re

_HIDDEN_CHECK = re.compile(r"(?<!your_answer),\s*fresh=True")


def shows_hidden_check(page: str) -> bool:
    """Tell whether a page holds the code of a hidden check; `your_answer, fresh=True` stands in a verdict."""
    return bool(_HIDDEN_CHECK.search(page))
