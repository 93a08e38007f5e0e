"""Whether a region lies within another, as far as their names tell."""

import re

_WORDS = {
    "eu": "eu eea europe european westeurope northeurope germany german germanywestcentral france francecentral "
    "ireland "
    "netherlands sweden swedencentral italy italynorth spain spaincentral belgium finland poland polandcentral "
    "denmark "
    "austria portugal czechia greece bulgaria croatia cyprus estonia hungary latvia lithuania luxembourg malta romania "
    "slovakia slovenia frankfurt berlin munich dublin paris stockholm milan madrid amsterdam warsaw",
    "us": "us usa states america virginia oregon ohio california iowa eastus westus centralus",
    "uk": "uk britain kingdom england london uksouth ukwest",
    "ch": "ch switzerland swiss zurich zürich switzerlandnorth",
    "ca": "canada canadacentral montreal toronto",
    "in": "india mumbai centralindia",
    "cn": "cn china beijing shanghai",
    "jp": "jp japan japaneast tokyo",
    "sg": "singapore",
    "au": "australia australiaeast sydney",
    "br": "brazil brazilsouth",
    "asia": "ap asia",
    "world": "global worldwide anywhere",
}
_AREA_OF = {word: area for area, words in _WORDS.items() for word in words.split()}
_ALONE = {  # names that cover their whole area
    "eu", "eea", "europe", "european union", "the eu", "us", "usa", "united states", "uk", "united kingdom",
    "switzerland", "ch", "canada", "india", "china", "japan", "singapore", "australia", "brazil", "asia",
}  # fmt: skip
_ELSEWHERE = {  # regions of clouds whose names begin as those of the union do
    "eu-west-2": "uk", "eu-central-2": "ch", "europe-west2": "uk", "europe-west6": "ch",
}  # fmt: skip
_COUNTRIES = {  # codes of ISO 3166-1 that are a whole name; within a longer name they may be any word
    "eu": "at be bg hr cy cz dk ee fi fr de gr hu ie it lv lt lu mt nl pl pt ro sk si es se",
    "uk": "gb",
}
_COUNTRY = {code: area for area, codes in _COUNTRIES.items() for code in codes.split()}
_CODE = re.compile(r"[a-z]+-[a-z]+-?\d+")


def within(region: str, allowed: str) -> bool | None:
    """Tell whether a region lies within an allowed one; None where the names do not tell.

    >>> [within(region, "EU") for region in ("eu-central-1", "Romania", "DE", "us-east-1", "GB", "Rack 7")]
    [True, True, True, False, False, None]
    """
    one, whole = _plain(region), _plain(allowed)
    area, wanted = _area(one), _area(whole)
    if one == whole:
        return True
    if area and wanted and area != wanted:
        return False
    if area and area == wanted and whole in _ALONE:
        return True
    if re.match(rf"{re.escape(whole)}\W", one) or re.search(rf"\W{re.escape(whole)}$", one):
        return True
    both_codes = _CODE.fullmatch(one) and _CODE.fullmatch(whole)
    return False if both_codes or not (area or wanted) else None


def area_of(region: str) -> str | None:
    """Return the legal area that a region lies in, as far as its name tells.

    >>> area_of("eu-west-1"), area_of("Frankfurt"), area_of("us-east-1"), area_of("Rack 7")
    ('eu', 'eu', 'us', None)
    """
    return _area(_plain(region))


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def _area(name: str) -> str | None:
    if name in _COUNTRY:
        return _COUNTRY[name]
    for code, area in _ELSEWHERE.items():
        if re.match(rf"{code}\b", name):
            return area
    if re.search(r"\b(non|not|outside)\b", name):
        return "elsewhere"
    areas = {_AREA_OF[word] for word in re.findall(r"[^\W\d_]+", name) if word in _AREA_OF}
    return areas.pop() if len(areas) == 1 else None
