"""The bars: what is measured, what is enough, what is hoped for. A bar that is missed is printed as missed.

Knows: names and numbers. Does not know: how anything is measured (rows.py).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bar:
    """measure: a key of the results.  least, aim: None where a number is reported only.  lower: less is better."""

    measure: str
    says: str
    least: float | None = None
    aim: float | None = None
    lower: bool = False
    unit: str = ""


BARS = (
    Bar("size", "all towers in the package", 20, 15, lower=True, unit="MB"),
    Bar("text natural", "text: Spearman with the teacher, natural English", 0.55, 0.70),
    Bar("text captions", "text: Spearman with the teacher, paraphrased captions", 0.80, 0.88),
    Bar("minilm", "starter-minilm: largest difference of text vectors from all-MiniLM-L6-v2", 1e-6, 1e-6, lower=True),
    Bar("text speed", "text, one thread, tokenizer included", 10_000, 20_000, unit="sentences/s"),
    Bar("picture speed", "picture, one thread, batch 1", 10, 5, lower=True, unit="ms"),
    Bar("sound speed", "2 s of sound, one thread, batch 1", 10, 5, lower=True, unit="ms"),
    Bar("drawn R@1", "drawn pictures, new seeds, text → image R@1", 0.75, 0.90),
    Bar("drawn R@10", "drawn pictures, new seeds, text → image R@10", 0.95, 0.99),
    Bar("combinations R@1", "unseen colour x shape, other renderer R@1", 0.80, 0.95),
    Bar("chart type", "charts from another plotting library, zero-shot: type of 8", 0.90, 0.97),
    Bar("chart trend", "charts from another plotting library, zero-shot: rising or falling", 0.95, 0.99),
    Bar("paraphrases R@1", "paraphrases with unseen synonyms R@1", 0.40, 0.70),
    Bar("paraphrases R@10", "paraphrases with unseen synonyms R@10", 0.85, 0.97),
    Bar("emoji R@1", "seen emoji, new backgrounds R@1", 0.60, 0.90),
    Bar("emoji R@10", "seen emoji, new backgrounds R@10", 0.90, 0.99),
    Bar("synonyms R@5", "handwritten synonyms → emoji hit@5", 0.65, 0.85),
    Bar("words R@1", "one big written word (120, unseen font) R@1", None, 0.70),
    Bar("sounds R@1", "sounds by paraphrased query R@1", 0.75, 0.90),
    Bar("sounds R@10", "sounds by paraphrased query R@10", 0.95, 0.99),
    Bar("voices R@1", "spoken word, unseen voice R@1", 0.90, 0.97),
    Bar("synthesiser R@10", "spoken word, another synthesiser, worst voice R@10", 0.75, 0.90),
    Bar("sound to picture hit@10", "sound → picture, never paired, hit@10", 0.70, 0.85),
    Bar("clips R@1", "clip by scene + sound R@1", 0.95, 0.98),
    Bar("unseen emoji R@10", "unseen emoji by name R@10"),
    Bar("unseen keyword R@10", "seen emoji by a keyword never used in training R@10"),
    Bar("plain emoji R@10", "emoji in a font without colours, never trained R@10"),
    Bar("foreign emoji R@10", "emoji by an artist never trained R@10"),
    Bar("objects R@1", "objects by icons and clip art never trained, type of all objects"),
    Bar("documents R@1", "documents and screens in unseen fonts R@1"),
    Bar("other renderer R@1", "seen colour x shape, other renderer R@1"),
    Bar("phrases R@1", "spoken phrases never heard, unseen voice R@1"),
    Bar("voices by unseen prompt R@1", "spoken word, unseen voice and unseen prompt R@1"),
    Bar("sounds by unseen synonym R@10", "sounds by an unseen synonym alone R@10"),
    Bar("clips by frames alone R@1", "clip by its frames alone R@1"),
    Bar("clips by sound alone R@1", "clip by its sound alone R@1"),
)
