"""Twins of Qwen2-VL and Qwen2.5-VL: as embedding models, GME, rerankers that answer, jina-reranker-m0.

Knows: the checkpoints' files, and the reference of one input or one pair from prompts spelled out here, transformers'
own Pillow processor and network. Nothing of the library under test is imported here.

- An embedding model: the chat of Qwen2-VL, the last token's hidden state, normalised.
- GME: the same with <|endoftext|> behind the assistant's header, at most 1,800 tokens, and pictures resized twice: to
  multiples of 28 within 4 to 16,384 tokens, then within 256 to 1,280 tokens.
- A reranker that answers (lychee-rerank-mm): the judge's sentence, <Instruct>, <Query>, <Document>; log-odds of "yes"
  against "no" behind the assistant's header.
- jina-reranker-m0: document, query and token 100; two linear layers make the score, less 2.65.

A clip is a list of frames at 2 a second: all of them, resized as transformers' video processor does (bicubic with
antialias on 8 bits), to multiples of 28 within the processor's bounds. Only Qwen2.5-VL counts its seconds.

Sources: transformers, models/qwen2_vl and qwen2_5_vl; Alibaba-NLP/gme-Qwen2-VL-2B-Instruct, gme_inference.py;
vec-ai/lychee-rerank-mm, README; jinaai/jina-reranker-m0, modeling.py. The chat template is Qwen2-VL-Instruct's.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import Qwen2Tokenizer
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from ._parts import as_vector, phrases, read_json, spread, unit, write_json
from .qwen3_vl import PLAIN, SPECIAL, byte_pairs, smart_size

WIDTH = 64
FACTOR = 28
MEAN, DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
FRAME_PIXELS = (128 * FACTOR**2, 768 * FACTOR**2)
SYSTEM = "You are a helpful assistant."
INSTRUCTION = "Given a web search query, retrieve relevant passages that answer the query"
JUDGE = (
    "Judge whether the Document meets the requirements based on the Query and the Instruct provided. "
    'Note that the answer can only be "yes" or "no".'
)
PICTURE, CLIP = "<|vision_start|><|image_pad|><|vision_end|>", "<|vision_start|><|video_pad|><|vision_end|>"
JINA_PIXELS, JINA_TOKEN, JINA_SHIFT = (3136, 602112), 100, 2.65
CHAT = (
    "{% set image_count = namespace(value=0) %}{% set video_count = namespace(value=0) %}"
    "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}<|im_start|>system\n"
    "You are a helpful assistant.<|im_end|>\n{% endif %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}<|im_end|>\n{% else %}"
    "{% for content in message['content'] %}"
    "{% if content['type'] == 'image' or 'image' in content or 'image_url' in content %}"
    "{% set image_count.value = image_count.value + 1 %}"
    "{% if add_vision_id %}Picture {{ image_count.value }}: {% endif %}"
    "<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif content['type'] == 'video' or 'video' in content %}{% set video_count.value = video_count.value + 1 %}"
    "{% if add_vision_id %}Video {{ video_count.value }}: {% endif %}<|vision_start|><|video_pad|><|vision_end|>"
    "{% elif 'text' in content %}{{ content['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

Kind = Literal["qwen2_vl", "qwen2_5_vl"]
Form = Literal["raw", "st", "gme", "jina"]
Given = Mapping[str, Any]
"""Parts of one input: text, image, video (a list of frames), each one or several."""
CLASSES = {"qwen2_vl": "Qwen2VLForConditionalGeneration", "qwen2_5_vl": "Qwen2_5_VLForConditionalGeneration"}


# ------------------------------------------------------------------------------------------------- the checkpoint


def build(
    folder: Path,
    seed: int = 0,
    *,
    kind: Kind = "qwen2_vl",
    form: Form = "raw",
    pixels: tuple[int, int] = (3136, 12845056),
) -> Path:
    """Write the checkpoint and return its folder.

    form: "raw" the transformers folder alone; "st" with the files of Sentence Transformers for an embedding model;
    "gme", "jina" a folder whose architecture has that name.  pixels: least and most, in preprocessor_config.json.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _tools.cache_clear()
    _load.cache_clear()
    tokenizer = byte_pairs(("yes", "no"))
    tokenizer.save(str(folder / "tokenizer.json"))
    tokenizer.model.save(str(folder))
    write_tokenizer_config(folder, tokenizer, [*SPECIAL, *PLAIN], SPECIAL)
    (folder / "chat_template.jinja").write_text(CHAT, encoding="utf-8")
    write_json(
        folder / "preprocessor_config.json",
        {
            "image_mean": MEAN,
            "image_processor_type": "Qwen2VLImageProcessor",
            "image_std": DEVIATION,
            "max_pixels": pixels[1],
            "merge_size": 2,
            "min_pixels": pixels[0],
            "patch_size": 14,
            "processor_class": "Qwen2VLProcessor" if kind == "qwen2_vl" else "Qwen2_5_VLProcessor",
            "temporal_patch_size": 2,
        },
    )
    frames = {"size": {"shortest_edge": FRAME_PIXELS[0], "longest_edge": FRAME_PIXELS[1]}}
    write_json(
        folder / "video_preprocessor_config.json",
        {**frames, "video_processor_type": "Qwen2VLVideoProcessor", "min_pixels": None, "max_pixels": None},
    )
    config = _config(kind, tokenizer)
    network = getattr(transformers, CLASSES[kind])
    model = network(network.config_class(**config)).eval()
    spread(model, seed)
    _unlike(folder, model)
    model.save_pretrained(folder)
    write_json(folder / "config.json", config)  # the published spelling, not that of the installed transformers
    if form == "st":
        write_modules(folder, ("image", "video"))
    if form == "gme":
        write_json(folder / "config.json", config | {"architectures": ["GmeQwen2VL"]})
    if form == "jina":
        _write_head(folder, config, seed)
    for cache in (_tools, _load):
        cache.cache_clear()
    return folder


def write_tokenizer_config(folder: Path, tokenizer: Any, added: list[str], special: list[str], **more: Any) -> None:
    flags = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False}
    contents = {str(tokenizer.token_to_id(t)): {"content": t, **flags, "special": t in special} for t in added}
    write_json(
        folder / "tokenizer_config.json",
        {
            "add_prefix_space": False,
            "added_tokens_decoder": contents,
            "additional_special_tokens": special[1:],
            "bos_token": None,
            "clean_up_tokenization_spaces": False,
            "eos_token": "<|im_end|>",
            "errors": "replace",
            "model_max_length": 32768,
            "pad_token": "<|endoftext|>",
            "split_special_tokens": False,
            "tokenizer_class": "Qwen2Tokenizer",
            "unk_token": None,
            **more,
        },
    )


def _config(kind: Kind, tokenizer: Any) -> dict[str, Any]:
    ids = {name: tokenizer.token_to_id(f"<|{name}|>") for name in ("endoftext", "im_end", "image_pad", "video_pad")}
    seen = {"depth": 2, "in_chans": 3, "num_heads": 2, "patch_size": 14, "spatial_patch_size": 14}
    seen |= {"spatial_merge_size": 2, "temporal_patch_size": 2}
    if kind == "qwen2_vl":
        seen |= {"embed_dim": 32, "hidden_size": WIDTH, "mlp_ratio": 2}
    else:
        seen |= {"hidden_size": 32, "intermediate_size": 48, "out_hidden_size": WIDTH, "window_size": 112}
        seen |= {"fullatt_block_indexes": [1], "tokens_per_second": 2}  # type: ignore[dict-item]
    return {
        "architectures": [CLASSES[kind]],
        "attention_dropout": 0.0,
        "bos_token_id": ids["endoftext"],
        "eos_token_id": ids["im_end"],
        "hidden_act": "silu",
        "hidden_size": WIDTH,
        "image_token_id": ids["image_pad"],
        "intermediate_size": 96,
        "max_position_embeddings": 32768,
        "max_window_layers": 2,
        "model_type": kind,
        "num_attention_heads": 4,
        "num_hidden_layers": 2,
        "num_key_value_heads": 2,
        "rms_norm_eps": 1e-06,
        "rope_scaling": {"type": "mrope", "mrope_section": [2, 3, 3]},
        "rope_theta": 1000000.0,
        "sliding_window": 32768,
        "tie_word_embeddings": False,
        "torch_dtype": "float32",
        "use_sliding_window": False,
        "video_token_id": ids["video_pad"],
        "vision_config": seen,
        "vision_end_token_id": tokenizer.token_to_id("<|vision_end|>"),
        "vision_start_token_id": tokenizer.token_to_id("<|vision_start|>"),
        "vision_token_id": tokenizer.token_to_id("<|vision_pad|>"),
        "vocab_size": tokenizer.get_vocab_size(),
    }


def _unlike(folder: Path, model: Any) -> None:
    """Let attention weigh more, and the answers' rows say what differs between inputs: most of a prompt is the same."""
    with torch.no_grad():
        for layer in model.model.language_model.layers:
            layer.self_attn.o_proj.weight.mul_(4)
        pairs = [({"text": query}, {"text": text}) for query in phrases()[:2] for text in phrases()[2:8]]
        answers_apart(model, [ids_of(folder, answer_prompt(*pair)) for pair in pairs], _tools(folder)[0])


def answers_apart(model: Any, prompts: list[list[int]], tokenizer: Any) -> None:
    """Scale what the rows of "yes" and "no" say, so that scores of these prompts lie about -3 to 3."""
    states = torch.stack([model.model(torch.tensor([one])).last_hidden_state[0, -1] for one in prompts])
    mean = states.mean(0)
    way = (states - mean).T @ torch.randn(len(prompts), generator=torch.Generator().manual_seed(1))
    way = way - mean * (way @ mean) / (mean @ mean)
    yes, no = (tokenizer.convert_tokens_to_ids(word) for word in ("yes", "no"))
    weight = model.lm_head.weight
    weight[yes] = weight[no] + way * 1.5 / (states @ way).std()


def write_modules(folder: Path, media: tuple[str, ...]) -> None:
    forward = {"method": "forward", "method_output_name": "last_hidden_state"}
    kinds = {
        "": "sentence_transformers.base.modules.transformer.Transformer",
        "1_Pooling": "sentence_transformers.sentence_transformer.modules.pooling.Pooling",
        "2_Normalize": "sentence_transformers.base.modules.normalize.Normalize",
    }
    write_json(
        folder / "modules.json",
        [{"idx": i, "name": str(i), "path": path, "type": kind} for i, (path, kind) in enumerate(kinds.items())],
    )
    write_json(
        folder / "sentence_bert_config.json",
        {
            "transformer_task": "feature-extraction",
            "modality_config": dict.fromkeys(("text", *media), forward)
            | {"message": {**forward, "format": "structured"}},
            "module_output_name": "token_embeddings",
            "processing_kwargs": {"chat_template": {"add_generation_prompt": True}},
        },
    )
    pooling = {"embedding_dimension": WIDTH, "pooling_mode": "lasttoken", "include_prompt": True}
    write_json(folder / "1_Pooling" / "config.json", pooling)
    (folder / "2_Normalize").mkdir(exist_ok=True)


def _write_head(folder: Path, config: dict[str, Any], seed: int) -> None:
    """The weights of the language model's own head give way to two layers that make a score."""
    tensors = {name: value for name, value in load_file(folder / "model.safetensors").items() if "lm_head" not in name}
    random = torch.Generator().manual_seed(seed + 3)
    for name, rows in (("score.0", WIDTH), ("score.2", 1)):
        tensors[f"{name}.weight"] = torch.randn(rows, WIDTH, generator=random) * 0.3
        tensors[f"{name}.bias"] = torch.randn(rows, generator=random) * 0.3
    tensors["score.2.bias"] += JINA_SHIFT
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    write_json(
        folder / "config.json",
        config | {"architectures": ["JinaVLForRanking"], "auto_map": {"AutoModel": "modeling.JinaVLForRanking"}},
    )


# -------------------------------------------------------------------------------------------------- the reference


@lru_cache(maxsize=8)
def _tools(folder: Path) -> tuple[Qwen2Tokenizer, Qwen2VLImageProcessorPil]:
    return Qwen2Tokenizer.from_pretrained(folder), Qwen2VLImageProcessorPil.from_pretrained(folder)


@lru_cache(maxsize=8)
def _load(folder: Path) -> Any:
    kind = read_json(folder / "config.json")["model_type"]
    return getattr(transformers, CLASSES[kind]).from_pretrained(folder, dtype=torch.float32).eval()


def listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def clips_of(given: Given) -> list[list[Image.Image]]:
    video = given.get("video") or []
    return video if video and isinstance(video[0], list) else [video] if video else []


def written(given: Given) -> str:
    """The parts of one side as they stand in a prompt: clips, pictures, texts."""
    media = CLIP * len(clips_of(given)) + PICTURE * len(listed(given.get("image")))
    return media + "".join(listed(given.get("text")))


def embedding_prompt(given: Given, instruction: str | None = None, end: str = "") -> str:
    return (
        f"<|im_start|>system\n{instruction or SYSTEM}<|im_end|>\n<|im_start|>user\n{written(given)}<|im_end|>\n"
        f"<|im_start|>assistant\n{end}"
    )


def answer_prompt(query: Given, document: Given, instruction: str | None = None) -> str:
    asked = f"<Instruct>: {instruction or INSTRUCTION}<Query>:{written(query)}\n<Document>:{written(document)}"
    return f"<|im_start|>system\n{JUDGE}<|im_end|>\n<|im_start|>user\n{asked}<|im_end|>\n<|im_start|>assistant\n"


def jina_prompt(query: Given, document: Given) -> str:
    return f"**Document**:\n{written(document)}\n**Query**:\n{written(query)}"


def ids_of(folder: Path, prompt: str) -> list[int]:
    ids: list[int] = _tools(folder)[0](prompt)["input_ids"]
    return ids


def frames_of(folder: Path, clip: list[Image.Image]) -> tuple[Tensor, Tensor]:
    """(patches, values) and the grid (1, 3) of a list of frames."""
    clip = [*clip, *[clip[-1]] * (len(clip) % 2)]
    stack = torch.stack([torch.from_numpy(np.array(frame.convert("RGB"))).permute(2, 0, 1) for frame in clip]).float()
    size = smart_size(stack.shape[2], stack.shape[3], FACTOR, *FRAME_PIXELS)
    if size != tuple(stack.shape[2:]):
        options: dict[str, Any] = {"mode": "bicubic", "antialias": True, "align_corners": False}
        stack = torch.nn.functional.interpolate(stack, size, **options).clamp(0, 255).round()
    mean, deviation = (torch.tensor(values)[:, None, None] for values in (MEAN, DEVIATION))
    stack = (stack - mean * 255) / (deviation * 255)
    time, rows, columns = len(clip) // 2, size[0] // 14, size[1] // 14
    blocks = stack.reshape(time, 2, 3, rows // 2, 2, 14, columns // 2, 2, 14).permute(0, 3, 6, 4, 7, 2, 1, 5, 8)
    return blocks.reshape(time * rows * columns, -1), torch.tensor([[time, rows, columns]])


def prepared(
    folder: Path, prompt: str, sides: list[Given], bounds: tuple[int, int] | None = None, end: tuple[int, ...] = ()
) -> dict[str, Tensor]:
    """What the network is given. sides: in the order of the prompt.  bounds: pixels of a picture, None for those of the
    folder.  end: ids behind the prompt."""
    tokenizer, images = _tools(folder)
    tensors: dict[str, Tensor] = {}
    shown = [picture for side in sides for picture in listed(side.get("image"))]
    clips = [clip for side in sides for clip in clips_of(side)]
    if shown:
        size = {} if bounds is None else {"size": {"shortest_edge": bounds[0], "longest_edge": bounds[1]}}
        tensors |= images([picture.convert("RGB") for picture in shown], return_tensors="pt", **size)
        prompt = widened(prompt, "<|image_pad|>", [int(grid.prod()) // 4 for grid in tensors["image_grid_thw"]])
    if clips:
        made = [frames_of(folder, clip) for clip in clips]
        tensors |= {
            "pixel_values_videos": torch.cat([flat for flat, _ in made]),
            "video_grid_thw": torch.cat([grid for _, grid in made]),
        }
        prompt = widened(prompt, "<|video_pad|>", [int(grid.prod()) // 4 for _, grid in made])
    ids = [*tokenizer(prompt)["input_ids"], *end]
    kinds = {tokenizer.convert_tokens_to_ids("<|image_pad|>"): 1, tokenizer.convert_tokens_to_ids("<|video_pad|>"): 2}
    return {
        "input_ids": torch.tensor([ids]),
        "attention_mask": torch.ones(1, len(ids), dtype=torch.long),
        "mm_token_type_ids": torch.tensor([[kinds.get(token, 0) for token in ids]]),
    } | tensors


def widened(prompt: str, token: str, counts: list[int]) -> str:
    pieces = prompt.split(token)
    assert len(pieces) == len(counts) + 1, "as many placeholders as media"
    return "".join(piece + token * count for piece, count in zip(pieces, [*counts, 0]))


def states(folder: Path, tensors: Mapping[str, Tensor], fps: float = 2.0) -> Tensor:
    """(length, width) last hidden states. fps: of the frames of clips."""
    more = {}
    if "video_grid_thw" in tensors and read_json(folder / "config.json")["model_type"] == "qwen2_5_vl":
        more["second_per_grid_ts"] = torch.full((len(tensors["video_grid_thw"]),), 2 / fps)
    with torch.inference_mode():
        made: Tensor = _load(folder).model(**tensors, **more, use_cache=False).last_hidden_state[0]
    return made


def reference(folder: Path, given: Given, instruction: str | None = None, fps: float = 2.0) -> np.ndarray:
    """The vector of one input of an embedding model. fps: of the frames of clips."""
    return as_vector(unit(states(folder, prepared(folder, embedding_prompt(given, instruction), [given]), fps)[-1]))


def gme_reference(folder: Path, given: Given, instruction: str | None = None) -> np.ndarray:
    fitted = [fitted_first(picture) for picture in listed(given.get("image"))]
    prompt = embedding_prompt(given, instruction, "<|endoftext|>")
    bounds = (256 * FACTOR**2, 1280 * FACTOR**2)
    return as_vector(unit(states(folder, prepared(folder, prompt, [{**given, "image": fitted}], bounds))[-1]))


def fitted_first(picture: Image.Image) -> Image.Image:
    """As GME's authors fit a picture before their processor does it again."""
    tall, wide = smart_size(picture.height, picture.width, FACTOR, 4 * FACTOR**2, 16384 * FACTOR**2)
    return picture.convert("RGB").resize((wide, tall))


def log_odds(folder: Path, query: Given, document: Given, instruction: str | None = None) -> float:
    """Of "yes" against "no"."""
    last = states(folder, prepared(folder, answer_prompt(query, document, instruction), [query, document]))[-1]
    yes, no = (_tools(folder)[0].convert_tokens_to_ids(word) for word in ("yes", "no"))
    with torch.inference_mode():
        logits = _load(folder).lm_head(last)
    return float(logits[yes] - logits[no])


def jina_logit(folder: Path, query: Given, document: Given) -> float:
    """The score before the sigmoid."""
    tensors = prepared(folder, jina_prompt(query, document), [document, query], JINA_PIXELS, (JINA_TOKEN,))
    last = states(folder, tensors)[-1]
    head = {name: value for name, value in load_file(folder / "model.safetensors").items() if "score" in name}
    hidden = torch.relu(head["score.0.weight"] @ last + head["score.0.bias"])
    return float((head["score.2.weight"] @ hidden + head["score.2.bias"])[0]) - JINA_SHIFT
