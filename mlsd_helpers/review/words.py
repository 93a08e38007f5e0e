"""What a few words say, where a field holds words: whether they say anything, and whether they speak of something."""

import re

_PLACEHOLDER = re.compile(
    r"\W*(none|no|not?hing|n/?a|tb[acd]|to ?do|to be (decided|defined|done|confirmed|determined)|not (yet )?"
    r"(known|decided|defined|stated)|unknown|undecided|later|maybe|yes|true|false|ok(ay)?|fine|x+|foo|bar|test"
    r"|see above|because|reason|text|words|whatever|lorem ipsum.*)?\W*",
    re.IGNORECASE | re.DOTALL,
)


def says_nothing(text: str | None) -> bool:
    """Tell whether a text is missing, or only holds its place.

    >>> says_nothing(None), says_nothing("tbd"), says_nothing("x"), says_nothing("Workload identity")
    (True, True, True, False)
    """
    return text is None or sum(map(str.isalnum, text)) < 2 or bool(_PLACEHOLDER.fullmatch(text))


def mentions(words: str, *texts: str | None) -> bool:
    """Tell whether one of some texts holds words, given as a regular expression, in any case.

    >>> mentions("cost|spend", None, "Spend of a day")
    True
    """
    return any(text is not None and re.search(words, text, re.IGNORECASE) for text in texts)


def listed(names: "list[str] | tuple[str, ...]", most: int = 6) -> str:
    """Join names by commas; of many, the first ones and how many more there are.

    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    more = len(names) - most
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:most])} and {more} more"
