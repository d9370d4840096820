"""What emoji there are, and what people call them.

Knows: Unicode's emoji-test.txt and CLDR's English annotations (Debian: unicode-data, unicode-cldr-core), natural
phrases for a name. Does not know: how an emoji looks.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

EMOJI_TEST = Path("/usr/share/unicode/emoji/emoji-test.txt")
CLDR = Path("/usr/share/unicode/cldr/common")
TONES = {f"{tone:X}" for tone in range(0x1F3FB, 0x1F400)}

COLORS = frozenset(
    "red orange yellow green blue purple violet brown black white grey gray pink gold golden silver teal colour color "
    "rainbow colourful colorful bronze".split()
)
ADJECTIVES = frozenset(
    "happy sad angry mad funny cute scared afraid tired sick cold hot crazy sleepy shocked surprised silly evil dead "
    "nervous worried excited upset bored confused hungry drunk sweet spicy fresh tasty cool wild old young romantic "
    "rich lucky magical scary lovely nice bad good fast slow loud sporty royal religious smiling smirking".split()
)
MASS = frozenset(
    "rice bread milk fog fire wind sushi butter salt ice yarn rock wood money soap honey garlic bacon meat food tea "
    "coffee sake pizza spaghetti curry popcorn chocolate cheese champagne oden thread sand mate water rain snow "
    "toilet paper knitting fencing golf baseball basketball tennis rugby cricket volleyball badminton "
    "bowling lacrosse hockey softball ping"
    " broccoli corn jeans".split()
)
SINGULAR_S = frozenset("lens tennis gas canvas christmas".split())
_SINGULAR_ENDS = ("ss", "us")
_LANDS = r"^(U\.S|United|Bahamas|Gambia|Netherlands|Philippines|Maldives|Isle|European)|(Islands|Republic|Territory)$"
_JOINTS = re.compile(r" (with|of|in|on|at|for|to|over|above|from|and|pointing|holding|showing|without|behind|wearing) ")


@dataclass(frozen=True, slots=True)
class Emoji:
    """code: hex code points without FE0F, joined by "-" ("1F600"); this is the item that split.py may hold out.

    tones: codes of the same emoji with one skin tone: drawings of the same class.
    """

    code: str
    text: str
    name: str
    group: str
    subgroup: str
    keywords: tuple[str, ...]
    tones: tuple[str, ...] = ()

    @property
    def has_color_name(self) -> bool:
        """Whether its name says a colour, so that it may not be drawn in another."""
        return names_color(self.name) or self.subgroup == "geometric" or self.group == "Flags"


def code_of(text: str) -> str:
    """The item of a sequence: "❤️" → "2764"."""
    return "-".join(f"{ord(letter):X}" for letter in text if letter != "\ufe0f")


def names_color(phrase: str) -> bool:
    """Whether a phrase says a colour."""
    return not COLORS.isdisjoint(re.findall(r"[a-z]+", phrase.lower()))


@cache
def emoji() -> dict[str, Emoji]:
    """All fully qualified emoji but components; skin tones fold into their class. code → emoji."""
    names, keywords = _annotations()
    found: dict[str, Emoji] = {}
    tones: dict[str, list[str]] = {}
    group = subgroup = ""
    for line in EMOJI_TEST.read_text(encoding="utf-8").splitlines():
        if line.startswith("# group:"):
            group = line[9:].strip()
        elif line.startswith("# subgroup:"):
            subgroup = line[12:].strip()
        elif "; fully-qualified" in line and group != "Component":
            text = "".join(chr(int(point, 16)) for point in line.split(";")[0].split())
            code = code_of(text)
            parts = code.split("-")
            if skins := [part for part in parts if part in TONES]:
                if len(set(skins)) == 1:
                    tones.setdefault("-".join(part for part in parts if part not in TONES), []).append(code)
                continue
            name = _clean(names.get(code) or line.split("#")[1].split(" ", 3)[3])
            words = tuple(word for word in keywords.get(code, ()) if word != name)
            found[code] = Emoji(code, text, name, group, subgroup, words)
    for code, variants in tones.items():
        if code in found:
            one = found[code]
            found[code] = Emoji(code, one.text, one.name, one.group, one.subgroup, one.keywords, tuple(variants))
    return found


@cache
def keyword_counts() -> Counter[str]:
    """How many emoji a keyword names."""
    return Counter(word for one in emoji().values() for word in one.keywords)


def _annotations() -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    names: dict[str, str] = {}
    keywords: dict[str, tuple[str, ...]] = {}
    for folder in ("annotations", "annotationsDerived"):
        for node in ElementTree.parse(CLDR / folder / "en.xml").iter("annotation"):
            code, text = code_of(node.attrib["cp"]), (node.text or "").strip()
            if node.attrib.get("type") == "tts":
                names[code] = text
            else:
                words = (_clean(word) for word in text.split("|"))
                keywords[code] = tuple(word for word in words if re.search("[A-Za-z0-9]{2}", word) and word.isascii())
    return names, keywords


def _clean(name: str) -> str:
    """Typewriter quotes, no brackets: "B button (blood type)" → "B button blood type"."""
    return " ".join(re.sub(r"[“”()\"⊛]", " ", name.replace("’", "'")).split())


def with_article(phrase: str) -> str:
    """ "grinning face" → "a grinning face"; plurals, substances and proper names stay as they are."""
    head = _JOINTS.split(phrase)[0].split()[-1].lower()
    many = head.endswith("s") and not head.endswith(_SINGULAR_ENDS) and head not in SINGULAR_S
    first = phrase.split()[0]
    if many or head in MASS or (first[0].isupper() and len(first) > 1) or first in ("a", "an", "the", "rolling"):
        return phrase
    return f"{'an' if first[0].lower() in 'aeiou' and not first.startswith(('uni', 'one', 'eu')) else 'a'} {phrase}"


def named(keyword: str) -> str:
    """A keyword as one would say it: things get an article, "hushed", "walking" and "cold" do not."""
    last = keyword.split()[-1]
    loose = last in ADJECTIVES or last.endswith(("ing", "ed")) or not keyword[0].isalpha() or " " in keyword
    return keyword if loose else with_article(keyword)


def plural(noun: str) -> str:
    """ "red apple" → "red apples", "piece of cake" → "pieces of cake"."""
    parts = _JOINTS.split(noun, maxsplit=1)
    words = parts[0].split()
    words[-1] = _plural_word(words[-1])
    return " ".join(words) + (f" {parts[1]} {parts[2]}" if len(parts) > 1 else "")


def countable(noun: str) -> bool:
    """Whether "three" can stand before its plural: not for "rice" or "socks"."""
    head = _JOINTS.split(noun)[0].split()[-1].lower()
    return head not in MASS and (plural(noun) != noun or head in ("fish", "sheep"))


def _plural_word(word: str) -> str:
    irregular = {"mouse": "mice", "fish": "fish", "sheep": "sheep", "person": "people", "man": "men", "woman": "women",
                 "child": "children", "foot": "feet", "tooth": "teeth", "leaf": "leaves", "knife": "knives",
                 "wolf": "wolves", "goose": "geese", "loaf": "loaves"}  # fmt: skip
    if word in irregular:
        return irregular[word]
    if word.endswith(("s", "x", "ch", "sh")):
        many = word.endswith("s") and not word.endswith(_SINGULAR_ENDS) and word not in SINGULAR_S
        return word if many else word + "es"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


@cache
def spoken(code: str) -> tuple[str, ...]:
    """Natural forms of the name, best first: "a grinning face", "grinning face", "the grinning face emoji"."""
    one = emoji()[code]
    head, _, rest = one.name.partition(": ")
    if one.subgroup in ("country-flag", "subdivision-flag"):
        land = f"the {rest}" if re.search(_LANDS, rest) else rest
        return (f"the flag of {land}", f"the {rest} flag", f"flag of {land}", f"the national flag of {land}")
    if one.subgroup == "keycap":
        return (f"the key {rest}", f"keycap {rest}", f"a button with {rest} on it")
    if one.subgroup == "zodiac":
        return (f"the zodiac sign {one.name}", one.name, f"the {one.name} symbol", f"{one.name} emoji")
    if one.subgroup == "time" and ("o'clock" in one.name or "-thirty" in one.name):
        hour = one.name.replace("-", " ")
        return (f"a clock showing {hour}", hour, f"a clock at {hour}", f"the {hour} clock emoji")
    if rest:
        name = {"family": f"family of {_listed(rest)}", "kiss": f"{_listed(rest)} kissing",
                "couple with heart": f"{_listed(rest)} in love"}.get(head, f"{head} with {rest}")  # fmt: skip
        name = f"bald {head}" if rest == "bald" else name.replace("with beard", "with a beard")
    else:
        name = one.name
    return (with_article(name), name, f"the {name} emoji", f"{name} emoji")


def _listed(parts: str) -> str:
    words = [with_article(word) for word in parts.split(", ")]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
