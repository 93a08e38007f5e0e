"""What words of a design speak of, and how names and sums of money are written in a finding."""

import re
from collections.abc import Iterable, Mapping

from mlsd_helpers.design import Design
from mlsd_helpers.units import in_currency


def mentions(words: str, *texts: str | None) -> bool:
    """Tell whether one of some texts holds words, given as a regular expression, in any case.

    >>> mentions("cost|spend", None, "Spend of a day")
    True
    """
    return any(text is not None and re.search(words, text, re.IGNORECASE) for text in texts)


def affirmed(text: str | None) -> str:
    """Return a text without what it denies, up to the next comma, stop or "but".

    >>> affirmed("No shared key; workload identity"), affirmed("Not a password, a certificate"), affirmed(None)
    ('; workload identity', ', a certificate', '')
    """
    denied = r"\b(no|not|never|without|neither|nor|none)\b((?!\bbut\b)[^,;.:()])*"
    return re.sub(denied, "", text or "", flags=re.IGNORECASE)


def listed(names: "list[str] | tuple[str, ...]", most: int = 6) -> str:
    """Join names by commas; of many, the first ones and how many more there are.

    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    more = len(names) - most
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:most])} and {more} more"


def unsaid(missing: Mapping[str, Iterable[str]]) -> str:
    """Join what each of some parts does not state.

    >>> unsaid({"chats": ["basis", "retention"], "logs": ["deletion"]})
    'chats: basis, retention; logs: deletion'
    """
    return "; ".join(f"{name}: {', '.join(fields)}" for name, fields in missing.items())


def money(design: Design, amount: float) -> str:
    """Write a sum of money in the design's currency, without cents."""
    return in_currency(f"{amount:,.0f}", design.currency)


def points(share: float) -> str:
    """Write a difference of two shares in percentage points; from 10 points on without decimals.

    >>> points(0.0123), points(0.256), points(1.0)
    ('1.2 points', '26 points', '100 points')
    """
    return f"{100 * share:.0f} points" if share >= 0.095 else f"{100 * share:.2g} points"
