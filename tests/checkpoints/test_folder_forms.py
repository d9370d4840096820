"""On-disk forms: each is written as its own tools write it, and gives the same vectors as the plain folder."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from manysense import ModelError, SentenceTransformer
from twins import bert

TEXTS = ["a red circle", "two dogs in the snow", ""]


@pytest.fixture
def vectors(twin):
    """vectors(name, **variant) of TEXTS by the plain folder."""
    return lambda name="bert", **variant: SentenceTransformer(str(twin(name, **variant))).encode(TEXTS)


def test_weights_in_several_safetensors_files(broken, vectors):
    folder = broken()
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    parts = {"model-00001-of-00002.safetensors": names[::2], "model-00002-of-00002.safetensors": names[1::2]}
    for file, some in parts.items():
        save_file({name: tensors[name] for name in some}, folder / file, metadata={"format": "pt"})
    index = {"metadata": {}, "weight_map": {name: file for file, some in parts.items() for name in some}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    np.testing.assert_array_equal(SentenceTransformer(str(folder)).encode(TEXTS), vectors())


def test_weights_in_pytorch_model_bin(broken, vectors):
    folder = broken()
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(tensors, folder / "pytorch_model.bin")
    np.testing.assert_array_equal(SentenceTransformer(str(folder)).encode(TEXTS), vectors())


@pytest.mark.parametrize("kind", ["roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet"])
def test_the_old_names_of_sentence_bert_config(broken, vectors, kind):
    folder = broken()
    config = json.loads((folder / "sentence_bert_config.json").read_text())
    (folder / "sentence_bert_config.json").unlink()
    (folder / f"sentence_{kind}_config.json").write_text(json.dumps(config | {"max_seq_length": 5}))
    model = SentenceTransformer(str(folder))
    assert model.max_seq_length == 5
    np.testing.assert_allclose(model.encode(TEXTS[2:]), vectors()[2:], atol=1e-6)


def test_lengths_of_queries_and_documents_are_kept(broken, edit, tmp_path):
    folder = broken()
    edit(folder / "sentence_bert_config.json", query_length=4, document_length=6)
    model = SentenceTransformer(str(folder))
    long = "a red circle beside a blue square in the snow"
    plain = SentenceTransformer(str(folder))
    for task, length in ((model.encode_query, 4), (model.encode_document, 6)):
        plain.max_seq_length = length
        np.testing.assert_array_equal(task(long, on_truncate="ignore"), plain.encode(long, on_truncate="ignore"))
    model.save_pretrained(tmp_path / "saved")
    kept = json.loads((tmp_path / "saved" / "sentence_bert_config.json").read_text())
    assert (kept["query_length"], kept["document_length"]) == (4, 6)


# ---- model2vec


@pytest.fixture
def table(twin):
    """The tensor and the tokenizer of the static twin."""
    folder = twin("static")
    inside = next(path.parent for path in folder.rglob("tokenizer.json"))
    return load_file(inside / "model.safetensors")["embedding.weight"], inside / "tokenizer.json"


def _model2vec(folder, table, tensors, **config):
    folder.mkdir()
    save_file(tensors, folder / "model.safetensors")
    shutil.copyfile(table[1], folder / "tokenizer.json")
    (folder / "config.json").write_text(json.dumps({"model_type": "model2vec", **config}))
    return str(folder)


def _means(table, lengths=False):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(table[1]))
    ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in TEXTS]
    rows = [table[0][some].mean(0).numpy() if some else np.zeros(table[0].shape[1], np.float32) for some in ids]
    return np.stack([row / (np.linalg.norm(row) or 1) for row in rows] if lengths else rows)


def test_a_model2vec_folder_without_modules(tmp_path, table):
    folder = _model2vec(tmp_path / "m", table, {"embeddings": table[0]}, normalize=True)
    np.testing.assert_allclose(SentenceTransformer(folder).encode(TEXTS), _means(table, lengths=True), atol=1e-6)


def test_a_model2vec_table_whose_ids_share_rows_and_count_differently(tmp_path, table):
    rows, _ = table
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))
    counts = torch.linspace(0.5, 2.0, len(rows))
    place = torch.empty(len(rows), dtype=torch.int64)
    place[order] = torch.arange(len(rows))
    tensors = {"embeddings": (rows / counts[:, None])[order], "mapping": place, "weights": counts}
    folder = _model2vec(tmp_path / "m", table, tensors)
    np.testing.assert_allclose(SentenceTransformer(folder).encode(TEXTS), _means(table), atol=1e-6)


# ---- adapters


@pytest.fixture
def adapter(tmp_path):
    """(folder of an adapter alone, its base, the vectors of both together by peft itself)."""
    peft = pytest.importorskip("peft")
    from transformers import AutoModel, AutoTokenizer

    base = tmp_path / "base"
    bert.bare(base)
    torch.manual_seed(0)
    config = peft.LoraConfig(r=4, target_modules=["query", "value"], init_lora_weights=False)
    model = peft.get_peft_model(AutoModel.from_pretrained(base), config).eval()
    model.save_pretrained(tmp_path / "adapter")
    tokenizer = AutoTokenizer.from_pretrained(base)
    expected = []
    for text in TEXTS:
        with torch.no_grad():
            expected.append(model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(0).numpy())
    return tmp_path / "adapter", base, np.stack(expected)


def test_an_adapter_on_top_of_its_base(adapter):
    folder, base, expected = adapter
    found = SentenceTransformer(str(folder)).encode(TEXTS)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.abs(found - SentenceTransformer(str(base)).encode(TEXTS)).max() > 1e-3


def test_a_saved_model_with_an_adapter_loads_again(adapter, tmp_path):
    folder, _, expected = adapter
    SentenceTransformer(str(folder)).save_pretrained(tmp_path / "saved")
    assert (tmp_path / "saved" / "adapter_config.json").is_file()
    np.testing.assert_allclose(SentenceTransformer(str(tmp_path / "saved")).encode(TEXTS), expected, atol=1e-5)


def test_an_adapter_that_does_not_say_its_base(adapter, edit):
    folder, _, _ = adapter
    edit(folder / "adapter_config.json", base_model_name_or_path=None)
    with pytest.raises(ModelError, match="does not say which model it adapts"):
        SentenceTransformer(str(folder))


# ---- exports


@pytest.mark.parametrize(
    ("file", "name"),
    [("onnx/model.onnx", "ONNX"), ("openvino/openvino_model.xml", "OpenVINO"), ("tf_model.h5", "TensorFlow")],
)
def test_a_folder_that_holds_an_export_alone_is_refused_with_the_way_out(broken, file, name):
    folder = broken()
    (folder / "model.safetensors").unlink()
    (folder / file).parent.mkdir(exist_ok=True)
    (folder / file).write_bytes(b"export")
    with pytest.raises(ModelError, match=rf"{name} only.*\n.*model\.safetensors or pytorch_model\.bin"):
        SentenceTransformer(str(folder))


def test_an_export_beside_the_weights_is_left_alone(broken, vectors):
    folder = broken()
    (folder / "onnx").mkdir()
    (folder / "onnx" / "model.onnx").write_bytes(b"export")
    np.testing.assert_array_equal(SentenceTransformer(str(folder)).encode(TEXTS), vectors())
