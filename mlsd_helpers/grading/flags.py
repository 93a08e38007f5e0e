"""What in a hand-in looks like an attempt to cheat: shown to the instructor with its evidence, never judged.

Every pattern has honest uses. The sandbox and the judge keep the score right; a flag only says "look here".
"""

import re
from collections.abc import Iterable, Iterator

from mlsd_helpers.grading.records import Flag

_LOOKS = {
    "looks for the answers": (
        r"mlsd_helpers\.exercises|mlsd\.exercises|[\"'/]exercises\b|\bexercises\.kit\b|\.reference\b|\.alternatives\b"
        r"|\bBEGIN (?:HIDDEN|SOLUTION)|\bsource/|\.\./source|hidden.?test"
    ),
    "looks for other people's work": r"\bsubmitted/|\bautograded/|\bverdicts/|\bfeedback/",
    "touches the gradebook": r"gradebook|\bsqlite3?\b|sqlalchemy",
    "changes how cells run": (
        r"ast_transformers|input_transformers?|\brun_cell\b|get_ipython\(\)\.events|skip-execution"
        r"|\bsys\.(?:settrace|setprofile|modules)\b|displayhook|display_pub|_repr_mimebundle_"
    ),
    "changes what a check relies on": (
        r"\bmlsd\.(?:check|hint)\s*=|\bVerdict\b|\.grade\s*=|\bbuiltins\b|__builtins__|\bnp\.\w+\s*=[^=]"
        r"|\bsetattr\(|\b__(?:eq|ne|lt|le|gt|ge|float|hash|instancecheck)__|^\s*class mlsd\b|^\s*mlsd\s*="
    ),
    "reaches for the system": (
        r"\bos\.(?:_exit|kill\w*|fork\w*|exec\w*|system|environ|setsid|setuid|symlink|listdir|walk)\b|\bsubprocess\b"
        r"|\bctypes\b|\bsignal\.|/proc\b|/etc/|\bmultiprocessing\b|\bpickle\b|^\s*!|^\s*%%(?:bash|sh|script)"
    ),
    "reaches for the network": (
        r"\bsocket\b|\burllib\b|\brequests\.(?:get|post|put|request|Session)\b|\bhttpx\b|\baiohttp\b"
    ),
}
_PATTERNS = {kind: re.compile(pattern, re.MULTILINE | re.IGNORECASE) for kind, pattern in _LOOKS.items()}
_MOST = 120  # characters of evidence


def looks(sources: Iterable[str], shown: Iterable[str] = ()) -> Iterator[Flag]:
    """Yield a flag for each kind of look, with the first line that has it; lines that were released are no sign."""
    known = {line.strip() for text in shown for line in text.splitlines()}
    lines = [line for text in sources for line in text.splitlines() if line.strip() not in known]
    for kind, pattern in _PATTERNS.items():
        line = next((line for line in lines if pattern.search(line)), None)
        if line is not None:
            yield Flag(kind, line.strip()[:_MOST])
