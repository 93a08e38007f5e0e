"""Makes untrusted text safe to show in a terminal, a table or a log.

A control character, an override of the text direction or a line break in a name could erase, forge or reorder the text
around it. Our own colours and line ends are added afterwards.
"""

import re
import unicodedata

_RARE = re.compile(r"[^\x20-\x7e]")
_JOINERS = "\u200c\u200d"  # Persian, the scripts of India, and emoji need them; no terminal acts on them
_BLANKS = re.compile("[\\s\u115f\u1160\u2800\u3164\uffa0]{3,}")  # and letters that show nothing


def printable(text: str, keep: str = "") -> str:
    r"""Return text without characters that control a terminal: line breaks and tabs become blanks, others U+FFFD.

    These are the Unicode categories Cc, Cf (except the joiners that names need), Cs, Co, Cn, Zl and Zp. The characters
    in `keep` stay.

    >>> printable("a\x1b[2K\n\u202eb, Zo\u00eb"), printable("one\ntwo", keep="\n")
    ('a�[2K �b, Zoë', 'one\ntwo')
    """
    return _RARE.sub(lambda found: found[0] if found[0] in keep else _shown(found[0]), text)


def _shown(character: str) -> str:
    if character.isprintable() or character in _JOINERS or unicodedata.category(character) == "Zs":
        return character
    return " " if character.isspace() else "\N{REPLACEMENT CHARACTER}"


def one_line(value: object, most: int = 1_000) -> str:
    r"""Return a value as part of one line: printable, at most `most` characters, without blanks that wrap a line.

    >>> one_line("a\n" + 90 * " " + "look at ada"), one_line("x" * 99, most=8)
    ('a  look at ada', 'xxxxxxx…')
    """
    text = str(value)
    cut = text if len(text) <= most else f"{text[: most - 1]}…"
    return _BLANKS.sub("  ", printable(cut))
