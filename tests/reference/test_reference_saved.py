"""A saved model is the model: the same vectors after loading, the same files after loading and saving again."""

from __future__ import annotations

import json

import numpy as np
import pytest

from manysense import SentenceTransformer
from reference.closeness import assert_close
from twins import FAMILIES
from twins.samples import TEXTS, clip, pictures, sounds

pytestmark = pytest.mark.slow

VARIANTS = [
    ("bert", {}),
    ("bert", {"style": "new"}),
    ("bert", {"pooling": ("mean", "cls"), "dense": 16}),
    ("bert", {"pooling": ("lasttoken", "mean"), "style": "new", "normalize": False}),
    ("bert", {"include_prompt": False, "prompts": {"query": "query : ", "passage": "document : "}}),
    ("bert", {"max_seq_length": 9}),
    ("bert-bare", {}),
    ("static", {}),
    ("static", {"layout": "root"}),
    ("clip", {}),
    ("clip", {"form": "new"}),
    ("clip", {"form": "old"}),
    ("clap", {}),
    ("clap", {"truncation": "fusion"}),
    ("qwen3_vl", {}),
    ("qwen3_vl", {"tied": False}),
    ("qwen3_vl", {"form": "st"}),
]
ITEMS = {
    "text": lambda: list(TEXTS[:3]),
    "image": lambda: pictures()[:2],
    "audio": lambda: sounds()[:2],
    "video": lambda: [{"video": clip(2, 64, 64)}],
}
every_variant = pytest.mark.parametrize(("name", "variant"), VARIANTS, ids=str)


def vectors(encoder, name):
    options = {"on_truncate": "ignore"}
    made = {modality: encoder.encode(ITEMS[modality](), **options) for modality in FAMILIES[name].modalities}
    made["query"] = encoder.encode_query(list(TEXTS[:3]), **options)
    made["document"] = encoder.encode_document(list(TEXTS[:3]), **options)
    return made


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@every_variant
def test_a_loaded_copy_gives_equal_vectors(name, variant, twin, tmp_path):
    encoder = SentenceTransformer(str(twin(name, **variant)), device="cpu")
    before = vectors(encoder, name)
    encoder.save_pretrained(tmp_path / "saved")
    after = vectors(SentenceTransformer(str(tmp_path / "saved"), device="cpu"), name)
    for kind, rows in before.items():
        assert_close(after[kind], rows, limit=1e-6)  # not bit for bit: kernels depend on how memory is aligned


@every_variant
def test_saving_a_loaded_copy_writes_the_same_files(name, variant, twin, tmp_path):
    encoder = SentenceTransformer(str(twin(name, **variant)), device="cpu")
    encoder.encode(["a text", "a longer text of several words"], on_truncate="ignore")
    encoder.save_pretrained(tmp_path / "first")
    again = SentenceTransformer(str(tmp_path / "first"), device="cpu")
    again.encode(["another text"])
    again.save_pretrained(tmp_path / "second")
    first, second = files(tmp_path / "first"), files(tmp_path / "second")
    assert list(first) == list(second)
    assert [path for path in first if first[path] != second[path]] == []


@every_variant
def test_no_state_of_a_call_is_saved_with_the_tokenizer(name, variant, twin, tmp_path):
    encoder = SentenceTransformer(str(twin(name, **variant)), device="cpu")
    encoder.encode(["a text", "a longer text " * 60], on_truncate="ignore")
    encoder.encode("a text", processing_kwargs={"text": {"max_length": 40}}, on_truncate="ignore")
    encoder.preprocess(["a", "a b c"])
    encoder.save_pretrained(tmp_path)
    (saved,) = tmp_path.rglob("tokenizer.json")
    (given,) = twin(name, **variant).rglob("tokenizer.json")
    saved, given = (json.loads(path.read_text(encoding="utf-8")) for path in (saved, given))
    assert [saved[state] for state in ("truncation", "padding")] == [given.get("truncation"), given.get("padding")]
    assert saved["model"] == given["model"]


@pytest.mark.parametrize("kind", ["rand_trunc", "fusion"])
def test_clap_hears_the_same_after_reading_a_text_and_saving(kind, twin, tmp_path):
    encoder = SentenceTransformer(str(twin("clap", truncation=kind)), device="cpu")
    before = encoder.preprocess([sounds()[0]])["input_features"]
    encoder.encode(["a text of some words", "another"])
    encoder.save_pretrained(tmp_path)
    after = SentenceTransformer(str(tmp_path), device="cpu").preprocess([sounds()[0]])["input_features"]
    assert after.shape == before.shape == (1, 4 if kind == "fusion" else 1, 1001, 64)
    assert np.array_equal(before, after)


@pytest.mark.parametrize("changed", ["truncate_dim", "similarity_fn_name", "prompts", "max_seq_length"])
def test_what_was_set_on_the_model_is_saved_with_it(changed, twin, tmp_path):
    values = {"truncate_dim": 8, "similarity_fn_name": "dot", "prompts": {"query": "q: "}, "max_seq_length": 5}
    encoder = SentenceTransformer(str(twin("bert")), device="cpu")
    setattr(encoder, changed, values[changed])
    before = encoder.encode_query(TEXTS[1], on_truncate="ignore")
    encoder.save_pretrained(tmp_path)
    loaded = SentenceTransformer(str(tmp_path), device="cpu")
    assert_close([loaded.encode_query(TEXTS[1], on_truncate="ignore")], [before], limit=1e-6)
    if changed != "prompts":
        assert getattr(loaded, changed) == values[changed]


def test_a_half_precision_model_is_saved_as_it_is(twin, tmp_path):
    encoder = SentenceTransformer(str(twin("bert")), device="cpu", model_kwargs={"dtype": "bfloat16"})
    before = encoder.encode(list(TEXTS))
    encoder.save_pretrained(tmp_path)
    loaded = SentenceTransformer(str(tmp_path), device="cpu")
    assert str(loaded.dtype) == "torch.bfloat16"
    assert_close(loaded.encode(list(TEXTS)), before, limit=1e-2)
