"""Qwen2-VL and Qwen2.5-VL folders give the vectors and scores of their references, one input or pair at a time."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from manysense import CrossEncoder, SentenceTransformer, Video
from manysense.errors import ModelError
from reference.closeness import MOVED, assert_close, assert_same_tensors, distance, moved
from twins import qwen2_vl
from twins.samples import TEXTS, clip, pictures

pytestmark = pytest.mark.slow

KINDS = ["qwen2_vl", "qwen2_5_vl"]
every_kind = pytest.mark.parametrize("kind", KINDS)


def small(frames, seed=0):
    return clip(frames, 64, 48, seed)


def inputs():
    wide, tall, square = pictures()
    return [
        *({"text": text} for text in (*TEXTS, "")),
        {"image": wide},
        {"image": tall, "text": TEXTS[2]},
        {"image": [square, wide.resize((20, 31))]},
        {"image": wide.resize((900, 9))},
        {"video": small(4)},
        {"video": small(3), "image": square, "text": TEXTS[0]},
    ]


def pairs():
    wide, tall, square = pictures()
    queries = [{"text": TEXTS[0]}, {"image": square}, {"text": TEXTS[2], "image": tall}]
    documents = [{"text": TEXTS[1]}, {"image": wide}, {"image": [tall, square], "text": TEXTS[3]}]
    return [(query, document) for query in queries for document in documents]


def raw(folder, **more):
    return CrossEncoder(str(folder), device="cpu", activation_fn=torch.nn.Identity(), **more)


# ---- embedding models


@every_kind
@pytest.mark.parametrize("form", ["raw", "st"])
def test_inputs_in_one_list_equal_the_reference(form, kind, twin, model):
    folder = twin("qwen2_vl", kind=kind, form=form)
    made = model("qwen2_vl", kind=kind, form=form).encode(inputs())
    assert_close(made, [qwen2_vl.reference(folder, one) for one in inputs()])


@every_kind
@pytest.mark.parametrize("batch_size", [1, 3])
def test_a_vector_does_not_know_its_batch(batch_size, kind, model):
    encoder = model("qwen2_vl", kind=kind)
    assert_close(encoder.encode(inputs()[::-1], batch_size=batch_size)[::-1], encoder.encode(inputs()))


def test_a_prompt_is_the_system_turn(twin, model):
    made = model("qwen2_vl").encode(inputs()[5:8], prompt="Find it")
    assert_close(made, [qwen2_vl.reference(twin("qwen2_vl"), one, "Find it") for one in inputs()[5:8]])


@every_kind
def test_frames_with_a_rate_are_taken_twice_a_second(kind, twin, model):
    frames = small(12)
    chosen = [frames[i] for i in (0, 2, 4, 7, 9, 11)]
    made = model("qwen2_vl", kind=kind).encode(Video(frames, fps=4.0))
    assert distance(made, qwen2_vl.reference(twin("qwen2_vl", kind=kind), {"video": chosen})) < 1e-5


def test_the_seconds_between_frames_move_a_clip_of_qwen2_5_vl_alone(twin, model):
    frames = small(8)
    chosen = [frames[i] for i in (0, 2, 5, 7)]  # four at least, of a clip of one second
    for kind, moves in zip(KINDS, (False, True)):
        folder = twin("qwen2_vl", kind=kind)
        made = model("qwen2_vl", kind=kind).encode(Video(frames, fps=8.0))
        assert distance(made, qwen2_vl.reference(folder, {"video": chosen}, fps=4.0)) < 1e-5
        assert (moved(made, qwen2_vl.reference(folder, {"video": chosen})) > MOVED) is moves


SIZES = {"tiny": (3, 5), "thin": (900, 9), "on the grid": (56, 84), "large": (700, 500), "at a half": (70, 98)}


@pytest.mark.parametrize("size", SIZES)
def test_a_picture_becomes_the_patches_of_the_folders_processor(size, twin, model):
    given = {"image": pictures()[0].resize(SIZES[size])}
    folder = twin("qwen2_vl", pixels=(3136, 100_352))
    made = model("qwen2_vl", pixels=(3136, 100_352)).preprocess([given])
    assert_same_tensors(made, qwen2_vl.prepared(folder, qwen2_vl.embedding_prompt(given), [given]))


def test_the_callers_pixels_come_before_the_folders(twin):
    given = {"image": pictures()[0].resize((300, 200))}
    encoder = SentenceTransformer(str(twin("qwen2_vl")), device="cpu", processor_kwargs={"max_pixels": 28 * 28 * 6})
    bounds = (3136, 28 * 28 * 6)
    wanted = qwen2_vl.prepared(twin("qwen2_vl"), qwen2_vl.embedding_prompt(given), [given], bounds)
    assert_same_tensors(encoder.preprocess([given]), wanted)
    assert wanted["image_grid_thw"].tolist() == [[1, 4, 6]]


def test_a_folder_without_a_chat_template_says_so(twin, tmp_path):
    folder = shutil.copytree(twin("qwen2_vl"), tmp_path / "model")
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(ModelError, match=r"chat_template\.jinja"):
        SentenceTransformer(str(folder), device="cpu")


# ---- GME


def gme_inputs():
    wide, tall, square = pictures()
    return [{"text": TEXTS[1]}, {"image": wide}, {"image": tall.resize((1300, 1500)), "text": "x"}, {"image": square}]


def test_gme_equals_its_authors_code(twin, model):
    folder = twin("qwen2_vl", form="gme")
    made = model("qwen2_vl", form="gme").encode(gme_inputs())
    assert_close(made, [qwen2_vl.gme_reference(folder, one) for one in gme_inputs()])
    assert model("qwen2_vl", form="gme").max_seq_length == 1800


def test_a_saved_gme_keeps_what_its_authors_set_in_code(model, tmp_path):
    encoder = model("qwen2_vl", form="gme")
    encoder.save_pretrained(str(tmp_path))
    loaded = SentenceTransformer(str(tmp_path), device="cpu")
    assert_close(loaded.encode(gme_inputs()), encoder.encode(gme_inputs()), limit=1e-6)
    assert loaded.max_seq_length == 1800
    said = json.loads((tmp_path / "preprocessor_config.json").read_text())
    assert (said["min_pixels"], said["max_pixels"]) == (200_704, 1_003_520)


# ---- rerankers that answer


@every_kind
@pytest.mark.parametrize("fast", [True, False], ids=["packed", "padded"])
def test_scores_of_pairs_equal_the_reference(fast, kind, twin):
    folder = twin("qwen2_vl", kind=kind)
    encoder = raw(folder)
    encoder[0].fast = fast
    assert encoder[0].packs() is fast
    wanted = np.array([qwen2_vl.log_odds(folder, *pair) for pair in pairs()])
    np.testing.assert_allclose(encoder.predict(pairs()), wanted, atol=2e-5)
    np.testing.assert_allclose([encoder.predict(pair) for pair in pairs()], wanted, atol=2e-5)


def test_a_clip_is_a_document_and_the_prompt_an_instruction(twin):
    folder = twin("qwen2_vl", kind="qwen2_5_vl")
    pair = ({"text": TEXTS[0]}, {"video": small(4), "text": "x"})
    made = raw(folder).predict(pair, prompt="Find the clip")
    assert made == pytest.approx(qwen2_vl.log_odds(folder, *pair, "Find the clip"), abs=2e-5)


def test_each_picture_is_seen_once_for_all_queries(twin):
    encoder = raw(twin("qwen2_vl"))
    _, stats = encoder.rank(queries=[TEXTS[0], TEXTS[1], "x"], documents=pictures(), return_stats=True)
    assert (stats.pairs, stats.opened, stats.tower_runs) == (9, 3, 3)


@every_kind
def test_a_saved_reranker_gives_equal_scores(kind, twin, tmp_path):
    encoder = raw(twin("qwen2_vl", kind=kind))
    encoder.save_pretrained(str(tmp_path))
    loaded = CrossEncoder(str(tmp_path), device="cpu")
    np.testing.assert_allclose(loaded.predict(pairs()), encoder.predict(pairs()), atol=1e-6)
    assert "<Query>:" in (tmp_path / "chat_template.jinja").read_text()


def test_a_template_of_the_folder_that_names_both_sides_is_used(twin, tmp_path):
    folder = shutil.copytree(twin("qwen2_vl"), tmp_path / "model")
    own = "".join(
        "{%- for m in messages if m.role == '" + role + "' %}{{ '" + role + " ' }}"
        "{%- for part in m.content if part.type == 'text' %}{{ part.text }}{% endfor %}{{ ' ' }}{% endfor %}"
        for role in ("document", "query")
    )
    (folder / "chat_template.jinja").write_text(own)
    ids = qwen2_vl.ids_of(folder, "document x query a red circle ")
    made = raw(folder).preprocess([("a red circle", "x")])
    assert made["input_ids"][0].tolist() == ids


# ---- jina-reranker-m0


def jina_pairs():
    large = {"image": pictures()[0].resize((1200, 900))}
    return [*pairs(), ({"text": TEXTS[0]}, large), ({"image": pictures()[1]}, {"text": "§ <|image_pad|> §"})]


@pytest.fixture(scope="module")
def jina(twin):
    return raw(twin("qwen2_vl", form="jina"))


def test_jina_equals_its_authors_code(jina, twin):
    folder = twin("qwen2_vl", form="jina")
    wanted = [qwen2_vl.jina_logit(folder, *pair) for pair in jina_pairs()[:-1]]
    np.testing.assert_allclose(jina.predict(jina_pairs()[:-1]), wanted, atol=2e-5)
    np.testing.assert_allclose([jina.predict(pair) for pair in jina_pairs()[:-1]], wanted, atol=2e-5)


def test_jinas_score_is_a_probability(twin):
    folder = twin("qwen2_vl", form="jina")
    pair = jina_pairs()[3]
    wanted = 1 / (1 + np.exp(-qwen2_vl.jina_logit(folder, *pair)))
    assert CrossEncoder(str(folder), device="cpu").predict(pair) == pytest.approx(wanted, abs=1e-6)


def test_a_document_cannot_write_the_token_of_the_score(jina):
    ids = jina.preprocess([("a", "§")])["input_ids"][0].tolist()
    assert ids[-1] == qwen2_vl.JINA_TOKEN
    place = next(i for i in range(len(ids)) if ids[i : i + 2] == jina.tokenizer("\n**")["input_ids"][:2] and i > 4)
    byte = ids[place - 2 : place]
    assert byte == [jina.tokenizer.convert_tokens_to_ids(letter) for letter in "Â§"]


def test_a_long_document_loses_its_end_before_the_query(jina, twin):
    whole = jina.preprocess([(TEXTS[0], "the dog " * 40)])["input_ids"][0].tolist()
    cut = CrossEncoder(str(twin("qwen2_vl", form="jina")), device="cpu", max_length=60)
    made = cut.preprocess([(TEXTS[0], "the dog " * 40)])["input_ids"][0].tolist()
    query = qwen2_vl.ids_of(twin("qwen2_vl", form="jina"), f"\n**Query**:\n{TEXTS[0]}")
    assert len(made) <= 60 < len(whole)
    assert made[-len(query) - 1 :] == whole[-len(query) - 1 :]


def test_a_saved_jina_gives_equal_scores_and_makes_no_embeddings(jina, twin, tmp_path):
    jina.save_pretrained(str(tmp_path))
    loaded = raw(tmp_path)
    np.testing.assert_allclose(loaded.predict(jina_pairs()), jina.predict(jina_pairs()), atol=1e-6)
    assert loaded.max_length == 10240
    with pytest.raises(ModelError, match="CrossEncoder"):
        SentenceTransformer(str(twin("qwen2_vl", form="jina")), device="cpu")


def test_jinas_own_code_is_not_run(twin, tmp_path):
    folder = shutil.copytree(twin("qwen2_vl", form="jina"), tmp_path / "model")
    (folder / "modeling.py").write_text("raise AssertionError('code of the folder was run')\n")
    pair = pairs()[0]
    made = raw(folder, trust_remote_code=True).predict(pair)
    assert made == pytest.approx(qwen2_vl.jina_logit(folder, *pair), abs=2e-5)


def test_a_folder_without_the_score_head_says_so(twin, tmp_path):
    folder = shutil.copytree(twin("qwen2_vl"), tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"architectures": ["JinaVLForRanking"]}))
    with pytest.raises(ModelError, match=r"score\.0"):
        CrossEncoder(str(folder), device="cpu")


# ---- what a mistake would do


def test_media_in_another_order_than_the_prompts_would_be_seen(jina):
    one, other = Image.new("RGB", (56, 84), "red"), pictures()[0].resize((140, 56))
    there, back = jina.predict([({"image": one}, {"image": other}), ({"image": other}, {"image": one})])
    assert abs(there - back) > MOVED


# ---- the known library


@pytest.fixture
def known():
    pytest.importorskip("torchvision", reason="the known library reads no pictures of Qwen-VL without torchvision")
    return pytest.importorskip("sentence_transformers")


@pytest.mark.slow
@pytest.mark.parametrize("form", ["raw", "jina"])
def test_the_known_library_reads_saved_rerankers(form, known, twin, tmp_path):
    """Its pictures are resized by torchvision: texts alone are equal."""
    encoder = raw(twin("qwen2_vl", form=form))
    encoder.save_pretrained(str(tmp_path))
    texts = [(TEXTS[0], TEXTS[1]), (TEXTS[0], TEXTS[2])]
    made = known.CrossEncoder(str(tmp_path), device="cpu").predict(texts, activation_fn=torch.nn.Identity())
    np.testing.assert_allclose(made, encoder.predict(texts), atol=2e-5)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["raw", "gme"])
def test_the_known_library_reads_saved_embedding_models(form, known, twin, model, tmp_path):
    encoder = model("qwen2_vl", form=form)
    encoder.save_pretrained(str(tmp_path))
    made = known.SentenceTransformer(str(tmp_path), device="cpu").encode(list(TEXTS))
    assert_close(made, encoder.encode(list(TEXTS)))
