"""What a card says of a model that makes vectors, and of one that scores pairs.

Knows: tasks and tags of the Hub, what a model's numbers are, a snippet that uses its own modalities. Does not know:
whose words a card holds, what a caller told (card.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..inputs.prompts import DOCUMENT_NAMES, QUERY_NAMES

if TYPE_CHECKING:
    from ..model import Model

MANY = {"text": "texts", "image": "images", "audio": "sounds", "video": "videos"}
FILES = {"image": "photo.jpg", "audio": "rain.wav", "video": "clip.mp4"}
_SCALES = {"Sigmoid": "probability", "Identity": "logit"}


@dataclass(frozen=True, slots=True)
class Words:
    """What cards of one kind of model say. Functions take the model and the modalities that it reads.

    task: the Hub's name for what it is for, by which its page offers it.  tags: beside those of modalities.  does: the
    first sentence.  rows: of the table.  snippet: lines behind the one that loads the model.  prompts: what a prompt
    does.
    """

    task: Callable[[Any, list[str]], str]
    tags: Callable[[Any, list[str]], list[str]]
    does: Callable[[Any, list[str]], str]
    rows: Callable[[Any], dict[str, str]]
    snippet: Callable[[Any, list[str]], list[str]]
    prompts: str


def words_of(model: Model) -> Words:
    return SCORES if model.model_type == "CrossEncoder" else VECTORS


def scale_of(model: Any) -> str:
    """What the scores of a CrossEncoder are: "probability", "logit", or the name of what they went through."""
    name = getattr(model.activation_fn, "__name__", type(model.activation_fn).__name__)
    return _SCALES.get(name, name)


def _and(words: Sequence[str], last: str = "and") -> str:
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


# ---- vectors


def _task(model: Any, read: list[str]) -> str:
    if read == ["text"]:
        return "sentence-similarity"
    return "image-feature-extraction" if read == ["image"] else "feature-extraction"


def _maps(model: Any, read: list[str]) -> str:
    what = _and([MANY[modality] for modality in read]) or "inputs"
    dims = _dims(model)
    opening = f"This model maps {what} to vectors" + (f" of {dims} numbers" if dims else "")
    return opening + (", all in one space." if len(read) > 1 else ".")


def _rows_of_vectors(model: Any) -> dict[str, str]:
    dims, length = _dims(model), model.max_seq_length
    unit = [type(module).__name__ for module in model][-1:] == ["Normalize"]
    return {
        "Vectors": f"{dims} numbers" + (", of length 1" if unit else "") if dims else "",
        "Similarity": getattr(model, "similarity_fn_name", ""),
        "Longest text": f"{length} tokens" if length else "no limit" if "text" in model.modalities else "",
    }


def _dims(model: Any) -> int | None:
    dims: int | None = getattr(model, "get_embedding_dimension", lambda: None)()
    return dims


def _encoding(model: Any, read: list[str]) -> list[str]:
    asks = _for_retrieval(model)
    query, document = ("encode_query", "encode_document") if asks else ("encode", "encode")
    if read == ["text"] and not asks:
        texts = '["The weather is lovely today.", "It\'s so sunny outside!", "He drove to the stadium."]'
        return [f"embeddings = model.encode({texts})", "model.similarity(embeddings, embeddings)"]
    lines = []
    if "text" in read:
        lines.append(f'{"queries" if asks else "texts"} = model.{query}(["a red bicycle", "rain on a roof"])')
    if read == ["text"]:
        texts = '["Bicycles for children, in red", "It has been raining on the roof all night."]'
        lines.append(f"documents = model.{document}({texts})")
    media = [modality for modality in read if modality in FILES]
    lines += [f'{MANY[modality]} = model.{document}(["{FILES[modality]}"])' for modality in media]
    if media and "text" in read and model.supports((media[0], "text")):
        lines.append(f'mixed = model.{document}([{{"text": "a red bicycle", "{media[0]}": "{FILES[media[0]]}"}}])')
    made = [line.split(" = ")[0] for line in lines]
    return lines + [f"model.similarity({made[0]}, {other})" for other in made[1:] or made]


def _for_retrieval(model: Any) -> bool:
    prompted = any(model.prompts.get(name) for name in (*QUERY_NAMES, *DOCUMENT_NAMES))
    return prompted or any(type(module).__name__ == "Router" for module in model)


VECTORS = Words(
    task=_task,
    tags=lambda model, read: ["feature-extraction", *(["sentence-similarity"] if read == ["text"] else [])],
    does=_maps,
    rows=_rows_of_vectors,
    snippet=_encoding,
    prompts="`encode(…, prompt_name=…)` puts one of these before an input.",
)


# ---- scores of pairs


def _scores(model: Any, read: list[str]) -> str:
    if model.num_labels > 1:
        return f"This model gives {model.num_labels} scores to a pair of {_and([MANY[m] for m in read])}."
    both = " or ".join(MANY[modality] for modality in read)
    return f"This model scores how well a document fits a query. Both are {both}."


def _rows_of_scores(model: Any) -> dict[str, str]:
    length, labels = model.max_seq_length, model.num_labels
    names = getattr(model.config, "id2label", None) or {}
    named = [str(name) for _, name in sorted(names.items())] if labels > 1 and len(names) == labels else []
    if all(name.startswith("LABEL_") for name in named):
        named = []
    return {
        "Scores": f"{labels if labels > 1 else 'one'} per pair, through {_activation(model)}",
        "Labels": ", ".join(named),
        "Longest pair": f"{length} tokens" if length else "no limit",
    }


def _activation(model: Any) -> str:
    scale = scale_of(model)
    return {"probability": "a sigmoid: probabilities", "logit": "no activation: raw values"}.get(scale, scale)


def _ranking(model: Any, read: list[str]) -> list[str]:
    if model.num_labels > 1:
        pairs = '[("A man eats pizza.", "A man eats something."), ("It rains all day.", "The sun shines.")]'
        return [f"scores = model.predict({pairs})", "scores.argmax(1)"]
    media = [modality for modality in read if modality in FILES]
    documents: list[Any] = [FILES[modality] for modality in media]
    if "text" in read:
        texts = ["Bicycles for children, in red", "It has been raining on the roof all night."]
        documents = [*texts, *documents]
    if media and "text" in read and model.supports((media[0], "text")):
        documents.append({"text": "a red bicycle", media[0]: FILES[media[0]]})
    query = "a red bicycle" if "text" in read else documents[0]
    listed = "".join(f"    {json.dumps(document)},\n" for document in documents)
    return [
        f"query = {json.dumps(query)}",
        f"documents = [\n{listed}]",
        "ranking = model.rank(query, documents, top_k=2)",
        "scores = model.predict([(query, document) for document in documents])",
    ]


SCORES = Words(
    task=lambda model, read: "text-ranking" if model.num_labels == 1 else "text-classification",
    tags=lambda model, read: ["cross-encoder", *(["reranker"] if model.num_labels == 1 else [])],
    does=_scores,
    rows=_rows_of_scores,
    snippet=_ranking,
    prompts="`rank(…, prompt_name=…)` and `predict(…, prompt_name=…)` give the model one of these with each pair.",
)
