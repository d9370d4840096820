"""What captions say of pictures, sounds and clips, in words only.

Knows: the vocabulary's sections, patterns around their names. Does not know: how anything is drawn; the teacher.

On "train" only names and prompts that the rule of split.py allows; on "dev" the held-out ones wherever there are any.
In a pattern {shape} stands for a name of that section, {style} and {about} for words from here, {a:shape} for what the
family of that name says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np

from .. import vocabulary
from ..captions import caption, unseen_caption
from ..split import Side, held_out

ABOUT = """sales|revenue|temperature|rainfall|profit|population|visitors|prices|costs|income|traffic|growth
exports|energy use|market share|votes|students|downloads|rent|steps|website visits|production|unemployment|wages
cars sold"""
STYLE = """small|big|large|little|tiny|huge|simple|plain|pretty|colourful|outlined|filled|hollow|solid|dotted|striped
bright|dark|cartoon|flat|old|new|cute|funny|blurred|modern|black and white|hand-drawn"""
FAMILIES = {
    "shape": """a {colours} {shapes}|a {colours} {shapes}
        {colours} {shapes}|the {colours} {shapes}|one {colours} {shapes}
        a {shapes} in {colours}|a {shapes} that is {colours}|{shapes}, {colours}|a {style} {colours} {shapes}|a {shapes}
        a {colours} coloured {shapes}|a {colours} {shapes} on a {ground} background""",
    "pair": """{a:shape} {relations} {a:shape}|{a:shape} {relations} {a:shape}|{a:shape} and {a:shape}
        {a:shape} with {a:shape}""",
    "count": """{numbers} {colours} {s:shapes}|{numbers} {s:shapes}|{numbers} {colours} {s:objects}
        {numbers} {s:objects}""",
    "chart": """a {charts}|a {charts} of {about}|a {charts} showing {about}|{charts} of {about} by month
        {about} {trends}
        {about} {trends}, {charts}|a {charts} with {about} {trends}|a {charts} that is {trends}|a {trends} {charts}
        {charts} titled {about}|{charts} with a {trends} trend|a {colours} {charts}|values {trends} in a {charts}
        {about} per year as a {charts}""",
    "texture": """{textures}|{colours} and {ground} {textures}|{textures} in {colours} and {ground}|{colours} {textures}
        {textures} in {colours}""",
    "thing": """a {things}|{things}|the {things}|a {things}|{things}|a {style} {things}|a {colours} {things}
        a {things} and a {others}|{things} and {others}|a {things} {relations} a {others}|{things} in {colours}
        a {things} on a {colours} background""",
    "written": """the word "{things}"|a sign that says {things}|the text {things}|the word {things} in big letters
        {things} written in {colours}|"{things}" in capital letters|letters spelling {things}""",
    "sound": """{sounds}|{sounds}|{sounds}|{sounds} and then {a:sound}|{sounds} with {a:sound} in the background
        loud {sounds}|quiet {sounds}|{sounds} far away""",
    "clip": """{a:thing} with {sounds}|{a:thing} and the sound of {sounds}|{a:thing} while you hear {sounds}
        {a:thing}, {sounds}""",
    "spoken": "{words}",
}
PROMPTED = {
    "picture": ("shape", "pair", "count", "chart", "texture", "thing", "thing", "thing", "written"),
    "sound": ("sound", "sound"),
    "clip": ("clip",),
    "speech": ("spoken",),
}
THINGS = ("documents", "scenes", "objects", "objects")

_SLOT = re.compile(r"\{(?:(\w):)?(\w+)\}")


@cache
def choices(lines: str) -> tuple[str, ...]:
    """Alternatives that are parted by bars and line ends."""
    return tuple(item.strip() for item in re.split(r"[|\n]", lines))


@cache
def entries(section: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(key, names) of a section."""
    return tuple(vocabulary.section(section).items())


class Speaker:
    """Says things of one side with one source of chance."""

    def __init__(self, seed: int, side: Side) -> None:
        self.rng = np.random.default_rng(seed)
        self.side = side

    def one(self, items: Sequence[str]) -> str:
        return items[int(self.rng.integers(len(items)))]

    def name(self, names: tuple[str, ...]) -> str:
        """A name that this side says: any of the allowed ones, or for measuring one that training never saw."""
        unseen = vocabulary.unseen_names(names) if self.side == "dev" else []
        return self.one(unseen or vocabulary.names(names, "train"))

    def say(self, family: str) -> str:
        """A phrase of the family; colours and shapes that are held out together are not said together in training."""
        pattern = self.one(choices(FAMILIES[family]))
        keys: dict[str, str] = {}

        def word(found: re.Match[str]) -> str:
            form, slot = found.groups()
            if form == "a":
                return self.say(slot)
            if slot in ("about", "style"):
                return self.one(choices(ABOUT if slot == "about" else STYLE))
            section = self.one(THINGS) if slot in ("things", "others") else "colours" if slot == "ground" else slot
            keys[slot], names = entries(section)[int(self.rng.integers(len(entries(section))))]
            return plural(self.name(names)) if form == "s" else self.name(names)

        said = articled(_SLOT.sub(word, pattern))
        both = "colours" in keys and "shapes" in keys
        refused = both and self.side == "train" and held_out(f"{keys['colours']} {keys['shapes']}")
        return self.say(family) if refused else said


def articled(phrase: str) -> str:
    """With "an" where "a" stands before a vowel."""
    return re.sub(r"\ba (?=[aeiouAEIO](?!ne|ni|u))", "an ", phrase)


def plural(noun: str) -> str:
    """More than one of it."""
    if noun.endswith(("s", "x", "sh", "ch")):
        return noun + "es"
    return noun[:-1] + "ies" if noun.endswith("y") and noun[-2] not in "aeiou" else noun + "s"


def captions(count: int, seed: int, side: Side) -> Iterator[str]:
    """Captions of everything the vocabulary has names for."""
    speaker = Speaker(seed, side)
    kinds = [(family, kind) for kind, families in PROMPTED.items() for family in families]
    put = caption if side == "train" else unseen_caption
    for _ in range(count):
        family, kind = kinds[int(speaker.rng.integers(len(kinds)))]
        yield put(speaker.say(family), kind, speaker.rng)
