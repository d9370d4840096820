"""T5 and its kin: of every one the encoder alone is read, and gives what transformers' own class for it gives.

Knows: how their checkpoints differ (one table of relative positions, or one in each layer; attention to a
neighbourhood). Does not know: INSTRUCTOR's instructions (tests/checkpoints/test_instructor.py).
"""

from __future__ import annotations

import json

import pytest
import torch
import transformers

import twins.t5
from manysense import ManysenseWarning, SentenceTransformer
from reference.closeness import MOVED, assert_close, distance
from twins._parts import as_vector, spread, unit
from twins.samples import TEXTS

KINDS = {"t5": "T5", "mt5": "MT5", "umt5": "UMT5", "longt5": "LongT5"}
LONG = "the dog and the cat " * 40


@pytest.fixture(scope="session")
def kin(tmp_path_factory):
    """kin(kind) → the folder of a whole model of that type, encoder and decoder, with pooling, Dense and Normalize."""
    made = {}

    def build(kind):
        if kind not in made:
            folder = made[kind] = twins.t5.build(tmp_path_factory.mktemp(kind) / "model", decoder=True)
            stored = json.loads((folder / "config.json").read_text())
            names = ("vocab_size", "d_model", "d_kv", "d_ff", "num_layers", "num_heads", "feed_forward_proj")
            sizes = {name: stored[name] for name in (*names, "relative_attention_num_buckets")}
            config = getattr(transformers, f"{KINDS[kind]}Config")(**sizes, num_decoder_layers=1)
            whole = getattr(transformers, f"{KINDS[kind]}Model")(config).eval()
            spread(whole, seed=3)
            (folder / "pytorch_model.bin").unlink()
            whole.save_pretrained(folder)
        return made[kind]

    return build


def tokens(folder, kind, text):
    """(length, width) hidden states of one text, from transformers' own encoder without its decoder."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    encoder = getattr(transformers, f"{KINDS[kind]}EncoderModel").from_pretrained(folder).eval()
    with torch.inference_mode():
        return encoder(torch.tensor([tokenizer(text)["input_ids"]])).last_hidden_state[0]


def reference(folder, kind, text):
    weight = torch.load(folder / "2_Dense" / "pytorch_model.bin", weights_only=True)["linear.weight"]
    return as_vector(unit(tokens(folder, kind, text).mean(0) @ weight.T))


@pytest.mark.parametrize("kind", KINDS)
def test_the_encoder_gives_its_own_vectors(kind, kin):
    encoder = SentenceTransformer(str(kin(kind)), device="cpu")
    made = encoder.encode(list(TEXTS))
    assert_close(made, [reference(kin(kind), kind, text) for text in TEXTS])
    assert distance(made[0], made[1]) > MOVED
    assert not [name for name, _ in encoder.named_parameters() if "decoder" in name]


@pytest.mark.parametrize("kind", ["t5", "umt5"])
def test_a_vector_does_not_know_its_neighbours(kind, kin):
    encoder = SentenceTransformer(str(kin(kind)), device="cpu")
    assert_close(encoder.encode(list(TEXTS)), [encoder.encode(text) for text in TEXTS])


def test_positions_are_relative_so_a_text_of_any_length_can_be_read(kin):
    encoder = SentenceTransformer(str(kin("t5")), device="cpu")
    assert encoder.max_seq_length == 48
    encoder.max_seq_length = 4000  # no warning: there is no table of positions
    (made,) = encoder.encode([LONG], output_value="token_embeddings")
    assert len(made) > 200
    assert_close(made, tokens(kin("t5"), "t5", LONG))


def test_a_bare_folder_is_pooled_by_the_mean(kin, tmp_path):
    for path in kin("t5").iterdir():
        if path.is_file() and "sentence" not in path.name and path.name != "modules.json":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    encoder = SentenceTransformer(str(tmp_path), device="cpu")
    assert [type(module).__name__ for module in encoder] == ["Transformer", "Pooling"]
    assert_close(encoder.encode(list(TEXTS)), [as_vector(tokens(tmp_path, "t5", text).mean(0)) for text in TEXTS])
    with pytest.warns(ManysenseWarning, match="64 tokens"):
        encoder.encode([LONG])


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_copy_is_the_encoder_alone(kind, kin, tmp_path):
    encoder = SentenceTransformer(str(kin(kind)), device="cpu")
    encoder.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["architectures"] == [f"{KINDS[kind]}EncoderModel"]
    assert_close(SentenceTransformer(str(tmp_path), device="cpu").encode(list(TEXTS)), encoder.encode(list(TEXTS)))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_the_known_library_reads_and_writes_the_same(kind, kin, tmp_path):
    library = pytest.importorskip("sentence_transformers")
    mine = SentenceTransformer(str(kin(kind)), device="cpu")
    other = library.SentenceTransformer(str(kin(kind)), device="cpu")
    expected = mine.encode(list(TEXTS))
    assert_close(other.encode(list(TEXTS), batch_size=1), expected)
    mine.save_pretrained(tmp_path / "mine")
    other.save_pretrained(str(tmp_path / "other"))
    there = library.SentenceTransformer(str(tmp_path / "mine"), device="cpu")
    assert_close(there.encode(list(TEXTS), batch_size=1), expected)
    assert_close(SentenceTransformer(str(tmp_path / "other"), device="cpu").encode(list(TEXTS)), expected)
