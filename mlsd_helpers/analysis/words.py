"""Whether a text of a design says anything: placeholders fill a field and answer nothing."""

import re

_PLACEHOLDER = re.compile(
    r"[nxyz]|(.)\1+|a|above|an|and|any|applicable|as|asdf|at|be|because|below|by|decided?|default|defined?|determined?|done"
    r"|dummy|fill|fixme|foo|bar|for|here|in|is|it|its|known|later|lorem|na|needed|nil|no|none|not|nothing|now|null|obvious|of|ok"
    r"|okay|on|or|pending|placeholder|please|reasons?|same|see|something|soon|specified|standard|tba|tbc|tbd|that|the"
    r"|this|to|todo|undecided|unknown|usual|various|we|whatever|will|wip|yes|yet"
)


def says_something(text: str | None) -> bool:
    """Tell whether a text has a word that is no placeholder; a department may be called IT.

    >>> [says_something(text) for text in ("A nightly job: nobody waits.", "IT", "to be decided", "x")]
    [True, True, False, False]
    """
    words = re.findall(r"[^\W_]+", text or "")
    return words == ["IT"] or any(not _PLACEHOLDER.fullmatch(word.casefold()) for word in words)
