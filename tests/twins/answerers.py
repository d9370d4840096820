"""Rerankers that answer: a tiny Qwen3 language model that is asked whether a document fits a query.

Knows: the layouts of Qwen3-Reranker (yes or no), of mxbai-rerank-v2 ("1" or "0") and of bge-reranker-v2-gemma (one
token alone), the same network with a score head, and the reference score of one pair, from the prompt spelled out here,
transformers and torch. Nothing of the library under test is imported here.

Sources: Qwen/Qwen3-Reranker-0.6B, README (prompt, instruction, suffix, softmax over the logits of [no, yes]);
mixedbread-ai/mxbai-rerank-base-v2; BAAI/bge-reranker-v2-gemma; Sentence Transformers 6.2, docs/cross_encoder/usage.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import Qwen2Tokenizer, Qwen3Config, Qwen3ForCausalLM

from ._parts import phrases, read_json, spread, write_json
from .qwen3_vl import PLAIN, SPECIAL, byte_pairs

WIDTH = 48
INSTRUCTION = "Given a web search query, retrieve relevant passages that answer the query"
JUDGE = (
    "Judge whether the Document meets the requirements based on the Query and the Instruct provided. "
    'Note that the answer can only be "yes" or "no".'
)
SUFFIX = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
CHAT = (
    "{%- for message in messages %}{%- if message.role in ('system', 'user', 'assistant') %}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{%- endif %}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)
"""Of the language model, which knows no turns of a query and of a document."""

Form = Literal["raw", "flat", "structured", "mxbai", "bge", "head"]


def layout(query: str, document: str, instruction: str = INSTRUCTION) -> str:
    """The authors' prompt for a pair."""
    return (
        f"<|im_start|>system\n{JUDGE}<|im_end|>\n<|im_start|>user\n<Instruct>: {instruction}"
        f"\n<Query>: {query}\n<Document>: {document}{SUFFIX}"
    )


def plain_layout(query: str, document: str, instruction: str | None = None) -> str:
    """That of the folders with a template of their own ("mxbai", "bge")."""
    asked = f"instruction: {instruction}\n" if instruction else ""
    return (
        f"<|im_start|>user\n{asked}query: {query}\ndocument: {document}\nYou are a search relevance expert.<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


# ------------------------------------------------------------------------------------------------- the checkpoint


def _content(role: str, structured: bool) -> str:
    text = "message['content'][0]['text']" if structured else "message['content']"
    return f"{{%- for message in messages if message['role'] == '{role}' %}}{{{{- {text} }}}}{{%- endfor %}}"


def _quoted(text: str) -> str:
    return "{{- '" + text.replace("\n", "\\n") + "' }}"


def template(form: Form) -> str:
    """A chat template that renders `layout` or `plain_layout`, written in Jinja as folders have it."""
    if form in ("mxbai", "bge"):
        asked = "{%- for message in messages if message['role'] == 'system' %}"
        asked += "{{- 'instruction: ' + message['content'] + '\\n' }}{%- endfor %}"
        head, tail = plain_layout("\0", "\1").split("\0")
        before, after = tail.split("\1")
        opening = "<|im_start|>user\n"
        pieces = [_quoted(opening), asked, _quoted(head.removeprefix(opening)), _content("query", False)]
        return "".join([*pieces, _quoted(before), _content("document", False), _quoted(after)])
    structured = form == "structured"
    head, tail = layout("\0", "\1", "\2").split("\0")
    before, after = tail.split("\1")
    head = head.removesuffix("\n<Query>: ").removesuffix("\2")
    default = "{%- if not messages | selectattr('role', 'equalto', 'system') | list %}"
    default += "{{- '" + INSTRUCTION + "' }}{%- endif %}"
    return "".join(
        [
            _quoted(head),
            default,
            _content("system", structured),
            _quoted("\n<Query>: "),
            _content("query", structured),
            _quoted(before),
            _content("document", structured),
            _quoted(after),
        ]
    )


def build(
    folder: Path,
    seed: int = 0,
    *,
    form: Form = "raw",
    activation: str | None = "Identity",
    prompts: tuple[tuple[str, str], ...] = (),
    default_prompt_name: str | None = None,
    tied: bool = True,
    max_length: int = 4096,
) -> Path:
    """Write a checkpoint and return its folder.

    form: "raw" the transformers folder alone; "flat", "structured" the same with the files of Sentence Transformers and
    a template that reads content as a string, or as a list of parts; "mxbai" answers with "1" and "0", "bge" with one
    token alone; "head" has no answer but the last token's vector, which a Dense module makes a score of.
    activation: a class of torch.nn in config_sentence_transformers.json, None for none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _load.cache_clear()
    tokenizer = byte_pairs(("yes", "no"))
    tokenizer.save(str(folder / "tokenizer.json"))
    tokenizer.model.save(str(folder))
    _write_tokenizer_config(folder, tokenizer, max_length)
    chat = CHAT if form == "raw" else template("flat" if form == "head" else form)
    (folder / "chat_template.jinja").write_text(chat, encoding="utf-8")
    config = Qwen3Config(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=WIDTH,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=12,
        max_position_embeddings=40960,
        rope_theta=1000000,
        tie_word_embeddings=tied,
        bos_token_id=tokenizer.token_to_id("<|endoftext|>"),
        eos_token_id=tokenizer.token_to_id("<|im_end|>"),
        pad_token_id=tokenizer.token_to_id("<|endoftext|>"),
    )
    model = Qwen3ForCausalLM(config).eval()
    spread(model, seed)
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight.mul_(2)
        _apart(model, tokenizer)
    model.save_pretrained(folder)
    if form != "raw":
        _write_modules(folder, form, tokenizer, activation, prompts, default_prompt_name, seed)
    return folder


def _apart(model: Qwen3ForCausalLM, tokenizer: Any) -> None:
    """Scale what the answers' rows say, so that scores of phrases lie about -3 to 3."""
    for answers in (("yes", "no"), ("1", "0")):
        true, false = (tokenizer.token_to_id(word) for word in answers)
        ids = [tokenizer.encode(layout(query, document)).ids for query in phrases()[:2] for document in phrases()[2:8]]
        states = torch.stack([model.model(torch.tensor([one])).last_hidden_state[0, -1] for one in ids])
        weight = model.lm_head.weight
        mean = states.mean(0)
        way = (states - mean).T @ torch.randn(len(ids), generator=torch.Generator().manual_seed(1))
        way = way - mean * (way @ mean) / (mean @ mean)  # what all prompts have in common counts for nothing
        weight[true] = weight[false] + way * 1.5 / (states @ way).std()


def _write_tokenizer_config(folder: Path, tokenizer: Any, max_length: int) -> None:
    flags = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False}
    added = {
        str(tokenizer.token_to_id(t)): {"content": t, **flags, "special": t in SPECIAL} for t in [*SPECIAL, *PLAIN]
    }
    write_json(
        folder / "tokenizer_config.json",
        {
            "add_bos_token": False,
            "add_prefix_space": False,
            "added_tokens_decoder": added,
            "additional_special_tokens": SPECIAL[1:],
            "bos_token": None,
            "clean_up_tokenization_spaces": False,
            "eos_token": "<|im_end|>",
            "errors": "replace",
            "model_max_length": max_length,
            "pad_token": "<|endoftext|>",
            "split_special_tokens": False,
            "tokenizer_class": "Qwen2Tokenizer",
            "unk_token": None,
        },
    )


def _write_modules(
    folder: Path,
    form: Form,
    tokenizer: Any,
    activation: str | None,
    prompts: tuple[tuple[str, str], ...],
    default_prompt_name: str | None,
    seed: int,
) -> None:
    base, own = "sentence_transformers.base.modules", "sentence_transformers.cross_encoder.modules"
    kinds = {"": f"{base}.transformer.Transformer", "1_LogitScore": f"{own}.logit_score.LogitScore"}
    call = {"method": "forward", "method_output_name": "logits"}
    task, feature = "text-generation", "causal_logits"
    if form == "head":
        pooling = "sentence_transformers.sentence_transformer.modules.pooling.Pooling"
        kinds = {"": kinds[""], "1_Pooling": pooling, "2_Dense": f"{base}.dense.Dense"}
        call = {"method": "forward", "method_output_name": "last_hidden_state"}
        task, feature = "feature-extraction", "token_embeddings"
        write_json(folder / "1_Pooling" / "config.json", {"embedding_dimension": WIDTH, "pooling_mode": "lasttoken"})
        write_score_head(folder / "2_Dense", WIDTH, seed)
    else:
        words = {"mxbai": ("1", "0"), "bge": ("yes", None)}.get(form, ("yes", "no"))
        ids = [tokenizer.token_to_id(word) if word else None for word in words]
        answers = {"true_token_id": ids[0], "false_token_id": ids[1], "module_input_name": "causal_logits"}
        write_json(folder / "1_LogitScore" / "config.json", answers)
    listed = [{"idx": i, "name": str(i), "path": path, "type": kind} for i, (path, kind) in enumerate(kinds.items())]
    write_json(folder / "modules.json", listed)
    message = {**call, "format": "structured" if form == "structured" else "flat"}
    write_json(
        folder / "sentence_bert_config.json",
        {
            "transformer_task": task,
            "modality_config": {"text": call, "message": message},
            "module_output_name": feature,
        },
    )
    write_json(
        folder / "config_sentence_transformers.json",
        {
            "__version__": {"sentence_transformers": "6.2.0", "transformers": "5.24.0", "pytorch": "2.13.0"},
            "model_type": "CrossEncoder",
            "prompts": dict(prompts),
            "default_prompt_name": default_prompt_name,
            **({"activation_fn": f"torch.nn.modules.activation.{activation}"} if activation == "Sigmoid" else {}),
            **({"activation_fn": "torch.nn.modules.linear.Identity"} if activation == "Identity" else {}),
        },
    )


def write_score_head(place: Path, inputs: int, seed: int, labels: int = 1) -> None:
    """A Dense module from "sentence_embedding" to "scores"."""
    kind = "torch.nn.modules.linear.Identity"
    config = {"in_features": inputs, "out_features": labels, "bias": True, "activation_function": kind}
    names = {"module_input_name": "sentence_embedding", "module_output_name": "scores"}
    write_json(place / "config.json", {**config, **names})
    random = torch.Generator().manual_seed(seed + 2)
    weight = torch.randn(labels, inputs, generator=random) * 0.4
    save_file({"linear.weight": weight, "linear.bias": torch.zeros(labels)}, place / "model.safetensors")


# -------------------------------------------------------------------------------------------------- the reference


@lru_cache(maxsize=16)
def _load(folder: Path) -> tuple[Qwen2Tokenizer, Qwen3ForCausalLM]:
    model = Qwen3ForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    return Qwen2Tokenizer.from_pretrained(folder), model


def token_ids(folder: Path, text: str) -> list[int]:
    """Ids of a written-out prompt: its control words are control tokens."""
    ids: list[int] = _load(folder)[0](text)["input_ids"]
    return ids


def logits(folder: Path, ids: Sequence[int], words: Sequence[str]) -> np.ndarray:
    """(words,) logits of single tokens behind a sequence."""
    tokenizer, model = _load(folder)
    chosen = [tokenizer.convert_tokens_to_ids(word) for word in words]
    with torch.inference_mode():
        made: np.ndarray = model(torch.tensor([list(ids)])).logits[0, -1, chosen].double().numpy()
    return made


def probability(folder: Path, query: str, document: str, instruction: str = INSTRUCTION) -> float:
    """The authors' score: softmax over the logits of [no, yes], of "yes"."""
    both = torch.from_numpy(logits(folder, token_ids(folder, layout(query, document, instruction)), ("no", "yes")))
    return float(both.log_softmax(0).exp()[1])


def log_odds(folder: Path, query: str, document: str, instruction: str = INSTRUCTION) -> float:
    no, yes = logits(folder, token_ids(folder, layout(query, document, instruction)), ("no", "yes"))
    return float(yes - no)


def head_score(folder: Path, query: str, document: str) -> float:
    """Of the form "head": the last token's vector through the Dense module."""
    _, model = _load(folder)
    weights = load_file(folder / "2_Dense" / "model.safetensors")
    ids = token_ids(folder, layout(query, document))
    with torch.inference_mode():
        state = model.model(torch.tensor([ids])).last_hidden_state[0, -1]
        return float((weights["linear.weight"] @ state + weights["linear.bias"])[0])


def answers(folder: Path) -> dict[str, Any]:
    """The ids in the folder's LogitScore."""
    found: dict[str, Any] = read_json(folder / "1_LogitScore" / "config.json")
    return found
