"""The README.md of a saved model: written from the model itself, until a person writes in it.

Knows: the head that the Hub reads, whether a card was edited, what a caller told. Does not know: how the model was
trained, what is said of which kind of model (card_words.py).

A card ends with a mark: a comment that holds a digest of the text before it, and what a caller told of the model. While
the digest fits, nobody edited the card, and each save writes it anew. A card that was edited, or that somebody else
wrote, is kept as it is.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..warn import warn
from .card_words import MANY, words_of
from .save import type_name

if TYPE_CHECKING:
    from ..model import Model

NAME = "README.md"
_MARK = re.compile(r"\n<!-- Written by manysense; a card that was edited is kept\. (?P<told>\{.*\}) -->\s*\Z")


@dataclass
class ModelCardData:
    """What a card tells of a model beside what the model itself shows; empty values tell nothing.

    language: "en", or ["en", "de"].  license: "apache-2.0" ….  model_name: the title.  model_id: the name on the Hub,
    for the usage snippet.  train_datasets, eval_datasets: names, or dicts with "name" and "id" (on the Hub).
    task_name: what the model is for, in words.  tags: beside those that every card has.  base_model: what it was made
    from.  evaluations: what evaluators measured, as `set_evaluation_metrics` keeps it.

    local_files_only and generate_widget_examples are taken and have no effect: a card never asks the Hub, and holds no
    examples from training data.
    """

    language: str | list[str] | None = None
    license: str | None = None
    model_name: str | None = None
    model_id: str | None = None
    train_datasets: list[Any] = field(default_factory=list)
    eval_datasets: list[Any] = field(default_factory=list)
    task_name: str | None = None
    tags: list[str] = field(default_factory=list)
    local_files_only: bool = False
    generate_widget_examples: bool = True
    base_model: str | None = None
    evaluations: list[dict[str, Any]] = field(default_factory=list)

    def set_model_id(self, model_id: str) -> None:
        self.model_id = model_id

    def set_language(self, language: str | list[str]) -> None:
        self.language = language

    def set_license(self, license: str) -> None:
        self.license = license

    def set_base_model(self, model_id: str, revision: str | None = None) -> None:
        """revision is taken and not written."""
        self.base_model = model_id

    def add_tags(self, tags: str | list[str]) -> None:
        self.tags = list(dict.fromkeys([*self.tags, *_listed(tags)]))

    def set_evaluation_metrics(self, evaluator: Any, metrics: Mapping[str, Any], epoch: int = 0, step: int = 0) -> None:
        """Evaluators call this with what they measured: metrics by name. The latest of each evaluator is kept.

        evaluator: its `name` and class say what was measured, on what.  epoch, step: of a training, not written.
        """
        kind = type(evaluator).__name__.partition("Evaluator")[0]
        what = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind)
        on = str(getattr(evaluator, "name", "") or "")
        numbers = {name: float(value) for name, value in metrics.items() if hasattr(value, "__float__")}
        others = [one for one in self.evaluations if (one["what"], one["on"]) != (what, on)]
        self.evaluations = [*others, {"what": what, "on": on, "metrics": numbers}]


@dataclass
class SentenceTransformerModelCardData(ModelCardData):
    """That of a model that makes vectors."""


@dataclass
class CrossEncoderModelCardData(ModelCardData):
    """That of a model that scores pairs."""


_TOLD = tuple(f.name for f in fields(ModelCardData) if f.name not in ("local_files_only", "generate_widget_examples"))
_IN_HEAD = ("language", "license", "base_model", "datasets", "tags")
_EVERY = ("sentence-transformers", "sentence-similarity", "feature-extraction", "dense", "cross-encoder", "reranker")
"""Tags that say of a model what a card of ours finds out itself."""


def told(data: Any) -> dict[str, Any]:
    """What a caller told with `model_card_data`: an object with attributes of these names (the known library's, or
    huggingface_hub's ModelCardData), or a dict. Warns of keys of a dict that no card carries."""
    if data is None:
        return {}
    known = {f.name for f in fields(ModelCardData)} | {"datasets"}
    given: dict[str, Any] = (
        dict(data) if isinstance(data, Mapping) else {name: getattr(data, name, None) for name in known}
    )
    unknown = sorted(set(given) - known)
    if unknown:
        warn(f"model_card_data: {unknown} are not written into cards; these are: {', '.join(_TOLD)}")
    found = {name: given[name] for name in _TOLD if given.get(name)}
    if given.get("datasets") and "train_datasets" not in found:
        found["train_datasets"] = [{"id": name} for name in _listed(given["datasets"])]
    for name in ("language", "tags"):
        if name in found:
            found[name] = [str(value) for value in _listed(found[name])]
    for name in ("train_datasets", "eval_datasets"):
        if name in found:
            found[name] = [_dataset(value) for value in _listed(found[name])]
    if "tags" in found:
        found["tags"] = [tag for tag in found["tags"] if tag not in _EVERY]
    return {name: value for name, value in found.items() if value}


def card_for(
    model: Model, folder: Path, name: str | None, loaded: str | None, train_datasets: Iterable[str] | None = None
) -> str | None:
    """The card to write when a model is saved into a folder; None to leave the one that is there.

    name: of the model, where the caller gave one.  loaded: the card that came with the model.
    """
    now = told(getattr(model, "model_card_data", None))
    if train_datasets:
        now["train_datasets"] = [_dataset(value) for value in _listed(train_datasets)]
    try:
        there = (folder / NAME).read_text(encoding="utf-8")
    except FileNotFoundError:
        there = None
    except UnicodeDecodeError:  # somebody's, in bytes of their own
        return None
    if there is not None and earlier(there) is None:
        kept = with_head(there, now)
        return None if kept == there else kept
    before = earlier(loaded) if loaded else {}
    if before is None:
        return with_head(loaded or "", now)
    facts = {**before, **now}
    return make_card(model, name or facts.get("model_id") or facts.get("name") or folder.resolve().name, facts)


def earlier(card: str) -> dict[str, Any] | None:
    """What was told when this card was written; None for one that was edited, or that somebody else wrote."""
    mark = _MARK.search(card)
    if mark is None:
        return None
    try:
        facts: dict[str, Any] = json.loads(mark["told"])
    except ValueError:
        return None
    return facts if facts.pop("digest", None) == _digest(card[: mark.start()]) else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def with_head(card: str, facts: Mapping[str, Any]) -> str:
    """A card that is kept, with what was told of license, language, tags, datasets and base model in its head."""
    from huggingface_hub import CardData, RepoCard

    wanted = _head_of(facts)
    if not wanted:
        return card
    if not card.lstrip().startswith("---"):
        return f"---\n{CardData(**wanted).to_yaml()}\n---\n\n{card}"
    try:
        parsed = RepoCard(card)
    except Exception:  # a head that is no YAML is somebody's, and stays
        return card
    head: dict[str, Any] = parsed.data.to_dict()  # type: ignore[no-untyped-call]
    wanted["tags"] = list(dict.fromkeys([*_listed(head.get("tags")), *wanted.get("tags", [])]))
    new = {key: value for key, value in wanted.items() if _listed(head.get(key)) != _listed(value)}
    for key, value in new.items():
        setattr(parsed.data, key, value)
    return str(parsed) if new else card


# ---- a card from the model


def make_card(model: Model, name: str, facts: Mapping[str, Any]) -> str:
    """A card with the mark. name: what stands in the usage snippet.  facts: as `told` gives them."""
    from huggingface_hub import CardData

    words, read = words_of(model), [modality for modality in MANY if modality in model.modalities]
    types = [type_name(module) for module in model]
    ours = any(path.startswith("manysense.") for path in types)
    own_code = any(not path.startswith(("manysense.", "sentence_transformers.")) for path in types)
    code = _snippet(model, name, words.snippet(model, read), own_code)
    told_head = _head_of(facts)
    head: dict[str, Any] = {
        **{key: told_head[key] for key in ("language", "license") if key in told_head},
        "library_name": "manysense" if ours else "sentence-transformers",
        "pipeline_tag": words.task(model, read),
        "tags": _tags(words.tags(model, read), read, ours, facts.get("tags", [])),
        **{key: told_head[key] for key in ("base_model", "datasets") if key in told_head},
    }
    sections = [
        f"---\n{CardData(**head).to_yaml()}\n---\n\n# {facts.get('model_name') or name}",
        _opening(words.does(model, read), facts),
        _table(model, facts),
        f"## Use\n\n```bash\n{_install(read)}\n```\n\n```python\n{code}\n```",
        _who_loads(model, ours, own_code),
        *_prompts(model, words.prompts),
        *_measured(facts.get("evaluations", [])),
    ]
    text = "\n\n".join(sections) + "\n"
    mark = json.dumps({**facts, "name": name, "digest": _digest(text)}, ensure_ascii=False, sort_keys=True)
    mark = mark.replace(">", r"\u003e")  # which would end the comment
    return f"{text}\n<!-- Written by manysense; a card that was edited is kept. {mark} -->\n"


def _who_loads(model: Model, ours: bool, own_code: bool) -> str:
    if ours:
        return "Some of its modules are known to manysense alone: other libraries cannot load it."
    other = f"`from sentence_transformers import {model.model_type}` loads it too."
    return f"It holds code of its own, to be read before it is trusted. {other}" if own_code else other


def _head_of(facts: Mapping[str, Any]) -> dict[str, Any]:
    ids = [one["id"] for one in facts.get("train_datasets", []) if one.get("id")]
    head = {**facts, "datasets": ids}
    if len(_listed(head.get("language"))) == 1:
        head["language"] = _listed(head["language"])[0]
    return {key: head[key] for key in _IN_HEAD if head.get(key)}


def _tags(own: list[str], read: list[str], ours: bool, more: Iterable[str]) -> list[str]:
    known = [*([] if ours else ["sentence-transformers"]), *own]
    media = [modality for modality in read if modality != "text"]
    return list(dict.fromkeys([*known, *media, *(["multimodal"] if len(read) > 1 else []), *more]))


def _opening(does: str, facts: Mapping[str, Any]) -> str:
    opening = does
    if facts.get("task_name"):
        opening += f" It is for {facts['task_name']}."
    if facts.get("base_model"):
        opening += f" It was made from [{facts['base_model']}](https://huggingface.co/{facts['base_model']})."
    return opening


def _table(model: Model, facts: Mapping[str, Any]) -> str:
    rows = {
        "Reads": ", ".join(modality for modality in model.modalities if modality != "message"),
        **words_of(model).rows(model),
        "Modules": " → ".join(type(module).__name__ for module in model),
        "Languages": ", ".join(_listed(facts.get("language"))),
        "License": facts.get("license", ""),
        "Trained on": ", ".join(map(_linked, facts.get("train_datasets", []))),
        "Evaluated on": ", ".join(map(_linked, facts.get("eval_datasets", []))),
    }
    return "\n".join(["| | |", "| --- | --- |", *(f"| {key} | {value} |" for key, value in rows.items() if value)])


def _install(read: list[str]) -> str:
    extras = ",".join(modality for modality in ("audio", "video") if modality in read)
    return f'pip install "manysense[{extras}]"' if extras else "pip install manysense"


def _snippet(model: Model, name: str, uses: list[str], own_code: bool) -> str:
    """How the model is used, with its own modalities. It runs where the files that it names are."""
    arguments = json.dumps(name) + (", trust_remote_code=True" if own_code else "")
    kind = model.model_type
    return "\n".join([f"from manysense import {kind}", "", f"model = {kind}({arguments})", *uses])


def _prompts(model: Model, told: str) -> list[str]:
    texts = {name: text for name, text in model.prompts.items() if text}
    if not texts:
        return []
    default = f" A call that names none uses `{model.default_prompt_name}`." if model.default_prompt_name else ""
    shown = json.dumps(texts, ensure_ascii=False, indent=2)
    return [f"## Prompts\n\n{told}{default}\n\n```json\n{shown}\n```"]


def _measured(evaluations: Iterable[Mapping[str, Any]]) -> list[str]:
    """A table for each evaluator."""
    tables = []
    for one in evaluations:
        title = f"{one['what']}, {one['on']}" if one["on"] else one["what"]
        rows = [f"| {name} | {value:.4g} |" for name, value in one["metrics"].items()]
        tables.append("\n".join([f"| {title} | |", "| --- | --- |", *rows]))
    return ["## Measured\n\n" + "\n\n".join(tables)] if tables else []


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return [value] if isinstance(value, (str, Mapping)) else list(value)


def _dataset(value: Any) -> dict[str, str]:
    """ "name", or {"name", "id"} of which one may be missing → {"name"} or {"name", "id"}; a Hub name is an id too."""
    if not isinstance(value, Mapping):
        name = str(value)
        return {"name": name, "id": name} if name.count("/") == 1 else {"name": name}
    kept = {key: str(value[key]) for key in ("name", "id") if value.get(key)}
    return {"name": kept["id"], **kept} if "id" in kept else kept or {"name": "unnamed"}


def _linked(dataset: Mapping[str, str]) -> str:
    return (
        f"[{dataset['name']}](https://huggingface.co/datasets/{dataset['id']})" if "id" in dataset else dataset["name"]
    )
