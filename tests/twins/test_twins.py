"""The twins are fit to test with: equal when built twice, spread out, and sensitive to what a library can get wrong."""

from __future__ import annotations

import ast
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from . import FAMILIES, bert, clap, clip, folder, qwen3_vl, samples, static

pytestmark = pytest.mark.slow

VARIANTS = [
    ("bert", {}),
    ("bert", {"pooling": ("lasttoken", "mean", "cls"), "dense": 16, "style": "new"}),
    ("bert-bare", {}),
    ("static", {}),
    ("static", {"layout": "root"}),
    ("clip", {}),
    ("clip", {"form": "new"}),
    ("clip", {"form": "old"}),
    ("clap", {}),
    ("clap", {"truncation": "fusion"}),
    ("qwen3_vl", {}),
    ("qwen3_vl", {"form": "st", "tied": False}),
]
ITEMS = {
    "text": lambda: list(samples.TEXTS),
    "image": samples.pictures,
    "audio": samples.sounds,
    "video": lambda: [samples.clip(), samples.clip(4, 64, 64, seed=1)],
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("twins")


def cosine(one, other):
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def moved(one, other):
    return float(np.abs(one - other).max())


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_two_builds_are_equal(name, variant, cache, tmp_path):
    first = folder(name, cache, **variant)
    second = FAMILIES[name].build(tmp_path / "again", **variant)
    files = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(second) for path in second.rglob("*") if path.is_file())
    for path in files:
        assert (first / path).read_bytes() == (second / path).read_bytes(), path


@pytest.mark.parametrize("name", FAMILIES)
def test_another_seed_is_another_model(name, cache):
    text = samples.TEXTS[0]
    vectors = [FAMILIES[name].reference["text"](folder(name, cache, seed=seed), text) for seed in (0, 1)]
    assert moved(*vectors) > 1e-2


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
@pytest.mark.parametrize("seed", [0, 1])
def test_distinct_items_have_distinct_vectors(name, variant, seed, cache):
    place = folder(name, cache, seed=seed, **variant)
    for modality, reference in FAMILIES[name].reference.items():
        vectors = [reference(place, item) for item in ITEMS[modality]()]
        assert all(vector.dtype == np.float32 and np.isfinite(vector).all() for vector in vectors)
        for one, other in itertools.combinations(range(len(vectors)), 2):
            assert cosine(vectors[one], vectors[other]) < 0.9, (modality, one, other)


def test_a_folder_is_built_once(cache):
    first = folder("static", cache)
    stamp = (first / "modules.json").stat().st_mtime_ns
    assert folder("static", cache) == first
    assert (first / "modules.json").stat().st_mtime_ns == stamp
    assert folder("static", cache, seed=9) != first


def test_padding_without_a_mask_moves_bert(cache):
    place = folder("bert", cache)
    ids = bert.token_ids(place, samples.TEXTS[0])
    padded, mask = [*ids, 0, 0, 0], [1] * len(ids) + [0] * 3
    alone = bert.hidden(place, ids)
    assert torch.allclose(bert.hidden(place, padded, mask)[: len(ids)], alone, atol=1e-5)
    assert moved(bert.hidden(place, padded)[: len(ids)].numpy(), alone.numpy()) > 1e-3


@pytest.mark.parametrize("pooling", bert.POOLINGS)
def test_every_pooling_is_another_vector(pooling, cache):
    text = samples.TEXTS[1]
    vector = bert.reference(folder("bert", cache, pooling=pooling, normalize=False), text)
    others = [name for name in bert.POOLINGS if name != pooling]
    for other in others:
        assert moved(vector, bert.reference(folder("bert", cache, pooling=other, normalize=False), text)) > 1e-3


def test_a_long_text_is_cut_at_the_limit(cache):
    long = "the dog " * 600
    assert len(bert.token_ids(folder("bert", cache), long)) == 48
    assert len(bert.token_ids(folder("bert-bare", cache), long)) == 64
    assert len(clip.token_ids(folder("clip", cache), long)) == 77
    assert len(clap.token_ids(folder("clap", cache), long)) == 512


def test_a_prompt_may_be_left_out_of_the_mean(cache):
    kept, dropped = (folder("bert", cache, include_prompt=include) for include in (True, False))
    text, prompt = samples.TEXTS[0], "query : "
    assert moved(bert.reference(kept, text, prompt), bert.reference(dropped, text, prompt)) > 1e-3
    assert moved(bert.reference(kept, text), bert.reference(dropped, text)) == 0


def test_a_static_text_without_tokens_is_zeros(cache):
    vector = static.reference(folder("static", cache), "")
    assert not vector.any()
    assert vector.shape == (static.WIDTH,)


def test_clip_reads_the_first_end_token(cache):
    place = folder("clip", cache)
    ids = clip.token_ids(place, samples.TEXTS[0])
    padded = [*ids, ids[-1], ids[-1]]
    alone = clip.reference_text(place, samples.TEXTS[0])
    assert moved(clip.reference_text(place, "", mask=[1] * len(padded), ids=padded), alone) < 1e-5  # causal, first end
    assert moved(clip.reference_text(place, "", ids=ids[:-1]), alone) > 1e-3  # without an end token


def test_clap_takes_the_first_window_of_a_long_sound(cache):
    place = folder("clap", cache)
    long = samples.sounds()[3]
    vector = clap.reference(place, audio=long)
    assert moved(vector, clap.reference(place, audio=long[: 10 * samples.RATE])) == 0
    assert moved(vector, clap.reference(place, audio=long[-10 * samples.RATE :])) > 1e-3


def test_clap_fusion_depends_on_is_longer_and_on_the_whole_sound(cache):
    place = folder("clap", cache, truncation="fusion")
    short, long = samples.sounds()[0], samples.sounds()[3]
    assert [bool(clap.features(place, sound)["is_longer"]) for sound in (short, long)] == [False, True]
    assert clap.features(place, long)["input_features"].shape == (1, 4, 1001, 64)
    assert moved(clap.reference(place, audio=long), clap.reference(place, audio=long[: 20 * samples.RATE])) > 1e-3
    model = clap._load(place)[1]
    tensors = clap.features(place, short) | {"is_longer": torch.tensor([[True]])}
    with torch.inference_mode():
        wrong = model.get_audio_features(**tensors).pooler_output[0].numpy()
    assert moved(clap.reference(place, audio=short), wrong) > 1e-3


def test_qwen_sees_the_order_of_parts(cache):
    place = folder("qwen3_vl", cache)
    given = {"text": samples.TEXTS[0], "image": samples.pictures()[0]}
    vector = qwen3_vl.reference(place, **given)
    swapped = qwen3_vl.pooled(place, qwen3_vl.prepared(place, **given, order=("text", "image", "video")))
    assert moved(vector, swapped) > 1e-3


@pytest.mark.parametrize("given", [{"text": "a red circle"}, {"image": samples.pictures()[0], "text": "x"}])
def test_padding_without_a_mask_moves_qwen(given, cache):
    place = folder("qwen3_vl", cache)
    tensors = qwen3_vl.prepared(place, **given)
    for name, fill in {"input_ids": 0, "attention_mask": 0, "mm_token_type_ids": 0}.items():
        tensors[name] = torch.nn.functional.pad(tensors[name], (0, 3), value=fill)
    vector = qwen3_vl.reference(place, **given)
    assert moved(qwen3_vl.pooled(place, tensors), vector) < 1e-5
    tensors["attention_mask"] = torch.ones_like(tensors["attention_mask"])
    assert moved(qwen3_vl.pooled(place, tensors), vector) > 1e-3


def test_qwen_instruction_null_and_positions_matter(cache):
    place = folder("qwen3_vl", cache)
    plain = qwen3_vl.reference(place, text="a red circle")
    assert qwen3_vl.full_instruction(" Find it ") == "Find it."
    assert qwen3_vl.full_instruction("Find it?") == "Find it?"
    assert qwen3_vl.full_instruction(" ") == qwen3_vl.DEFAULT_INSTRUCTION
    assert moved(plain, qwen3_vl.reference(place, text="a red circle", instruction="Find it")) > 1e-3
    assert moved(qwen3_vl.reference(place), qwen3_vl.reference(place, text="NULL")) == 0
    assert moved(qwen3_vl.reference(place), qwen3_vl.reference(place, text="")) > 1e-3
    tensors = qwen3_vl.prepared(place, image=samples.pictures()[0])
    flat = torch.arange(tensors["input_ids"].shape[1]).expand(3, 1, -1)
    assert moved(qwen3_vl.pooled(place, tensors), qwen3_vl.pooled(place, tensors | {"position_ids": flat})) > 1e-3


def test_qwen_samples_a_file_and_thins_a_list():
    assert qwen3_vl.sample(total=90, fps=12.5) == [0, 18, 36, 53, 71, 89]  # 7.2 seconds: six frames
    assert len(qwen3_vl.sample(total=3, fps=30.0)) == 2
    assert len(qwen3_vl.sample(total=5000, fps=25.0)) == 64
    clip_frames = [frame.resize((64, 64)) for frame in samples.clip(70, 32, 32)]
    assert qwen3_vl.fit_frames(clip_frames, None)[0].shape[0] == 64
    assert qwen3_vl.fit_frames(clip_frames[:5], None)[0].shape[0] == 6  # the last frame twice
    assert qwen3_vl.fit_frames(clip_frames[:4], None)[1] == [0.25, 1.25]


def test_qwen_time_stamps_can_stand_in_or_without_the_vision_pair(cache):
    place = folder("qwen3_vl", cache)
    clip_frames = samples.clip(2, 64, 64)
    outer, bare = (qwen3_vl.prepared(place, video_frames=clip_frames, wrapped=wrapped) for wrapped in (True, False))
    assert outer["input_ids"].shape[1] == bare["input_ids"].shape[1] + 2
    vectors = [qwen3_vl.pooled(place, tensors) for tensors in (outer, bare)]
    assert moved(*vectors) > 1e-3


def test_a_picture_is_laid_over_white_and_fitted():
    picture = samples.pictures()[0].convert("RGBA")
    picture.putalpha(0)
    fitted = qwen3_vl.fit(picture)
    assert fitted.getpixel((3, 3)) == (255, 255, 255)
    assert fitted.size == (128, 64)
    assert qwen3_vl.smart_size(10, 10, 32, *qwen3_vl.IMAGE_PIXELS) == (64, 64)
    tall, wide = qwen3_vl.smart_size(3000, 4000, 32, *qwen3_vl.IMAGE_PIXELS)
    assert tall * wide <= 1800 * 32 * 32


def test_the_oracles_import_nothing_of_the_library_under_test():
    allowed = {"transformers", "tokenizers", "torch", "numpy", "PIL", "safetensors", "soxr", "jinja2", "pytest"}
    standard = {
        "__future__",
        "ast",
        "collections",
        "dataclasses",
        "functools",
        "soxr",
        "hashlib",
        "itertools",
        "json",
        "math",
    }
    standard |= {"os", "pathlib", "re", "string", "tempfile", "types", "typing", "unicodedata", "unittest"}
    for path in Path(__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            assert {name.split(".")[0] for name in names} <= allowed | standard, path.name
