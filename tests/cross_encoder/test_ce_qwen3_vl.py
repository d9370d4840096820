"""Qwen3-VL rerankers give the authors' score for texts, pictures, clips and mixtures on both sides."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

from cross_encoder.pairs import DOCUMENTS, LONG, MOVED, QUERY, assert_scores, by_document, gap
from manysense import CrossEncoder, Image, ManysenseWarning, Video
from manysense.errors import InputTooLong, MediaError, MediaNotFound
from twins import vl_reranker
from twins.samples import clip, pictures

pytestmark = pytest.mark.slow

WIDE, TALL, NOISE = pictures()
SMALL = [picture.resize((64, 96)) for picture in pictures()]
FRAMES = clip(2, 64, 48, seed=1)
SIDES = {
    "text": QUERY,
    "empty text": "",
    "picture": WIDE,
    "small picture": SMALL[2],
    "text and picture": {"text": "blue cat", "image": TALL},
    "several pictures": {"image": [SMALL[0], SMALL[1], SMALL[2]]},
    "clip": {"video": FRAMES},
    "all": {"text": "night song", "image": [SMALL[1], SMALL[0]], "video": clip(2, 64, 48, seed=2)},
}
"""What the reference is handed; the same objects go to the model, clips as they are in a dict."""
VARIANTS = [{"form": form, "tied": tied} for form in ("raw", "st") for tied in (True, False)]
every_variant = pytest.mark.parametrize("variant", VARIANTS, ids=str)
IDENTITY = nn.Identity()


@every_variant
def test_every_kind_of_document_equals_the_reference(variant, reranker, twin):
    folder, model = twin("vl_reranker", **variant), reranker("vl_reranker", **variant)
    made = model.predict([(QUERY, document) for document in SIDES.values()])
    wanted = [vl_reranker.reference(folder, QUERY, document) for document in SIDES.values()]
    assert_scores(made, wanted)
    assert np.std(made) > 0.05


@pytest.mark.parametrize("query", SIDES)
def test_every_kind_of_query_equals_the_reference(query, reranker, twin):
    folder, model = twin("vl_reranker"), reranker("vl_reranker")
    documents = [DOCUMENTS[4], SMALL[1], {"text": "a dog", "image": SMALL[0]}]
    made = by_document(model.rank(SIDES[query], documents))
    assert_scores(made, [vl_reranker.reference(folder, SIDES[query], document) for document in documents])


@pytest.mark.parametrize("document", SIDES)
def test_ids_and_media_are_those_of_the_authors(document, reranker, twin):
    model = reranker("vl_reranker")
    made = model.preprocess([(SIDES["text and picture"], SIDES[document])])
    wanted = vl_reranker.prepared(twin("vl_reranker"), SIDES["text and picture"], SIDES[document])
    for name in ("input_ids", "mm_token_type_ids", "image_grid_thw", "video_grid_thw"):
        if name in wanted:
            assert made[name].tolist() == wanted[name].tolist(), name
    for name in ("pixel_values", "pixel_values_videos"):
        if name in wanted:
            assert gap(made[name].numpy(), wanted[name].numpy()) < 1e-5


def test_a_clip_may_come_in_every_form(reranker, twin):
    forms = [{"video": FRAMES}, Video(FRAMES), np.stack([np.asarray(frame) for frame in FRAMES])]
    made = reranker("vl_reranker").predict([(QUERY, form) for form in forms])
    assert_scores(made, [vl_reranker.reference(twin("vl_reranker"), QUERY, {"video": FRAMES})] * 3)


def test_a_picture_may_come_in_every_form(reranker, twin, tmp_path, samples, monkeypatch):
    NOISE.save(tmp_path / "noise.png")
    monkeypatch.chdir(tmp_path)
    data = (tmp_path / "noise.png").read_bytes()
    forms = [NOISE, "noise.png", tmp_path / "noise.png", data, Image(data), {"image": "noise.png"}, np.asarray(NOISE)]
    made = reranker("vl_reranker").predict([(QUERY, form) for form in forms])
    assert_scores(made, [vl_reranker.reference(twin("vl_reranker"), QUERY, NOISE)] * len(forms))


def test_the_order_of_a_dicts_keys_does_not_matter(reranker):
    one, other = {"text": "a dog", "image": SMALL[0]}, {"image": SMALL[0], "text": "a dog"}
    made = reranker("vl_reranker").predict([(QUERY, one), (QUERY, other), (one, QUERY), (other, QUERY)])
    assert_scores(made[[0, 2]], made[[1, 3]])


@every_variant
def test_an_instruction_is_the_prompt(variant, reranker, twin):
    folder, model = twin("vl_reranker", **variant), reranker("vl_reranker", **variant)
    pairs = [(QUERY, document) for document in (DOCUMENTS[3], SMALL[0], {"text": "cat", "image": SMALL[1]})]
    made = model.predict(pairs, prompt="Find the piano", activation_fn=IDENTITY)
    assert_scores(made, [vl_reranker.log_odds(folder, *pair, "Find the piano") for pair in pairs])
    assert gap(made, model.predict(pairs, activation_fn=IDENTITY)) > MOVED


def test_the_default_limit_is_the_authors(reranker):
    for variant in VARIANTS:
        assert reranker("vl_reranker", **variant).max_length == vl_reranker.MAX_LENGTH


@every_variant
def test_what_is_saved_gives_the_same_scores(variant, reranker, tmp_path):
    model = reranker("vl_reranker", **variant)
    pairs = [(QUERY, document) for document in (DOCUMENTS[3], SMALL[0], {"video": FRAMES, "text": "cat"})]
    model.save(str(tmp_path))
    again = CrossEncoder(tmp_path, device="cpu")
    assert_scores(again.predict(pairs), model.predict(pairs))
    assert again.max_length == vl_reranker.MAX_LENGTH


# ---- truncation


@pytest.mark.parametrize("limit", [212, 225])
@pytest.mark.parametrize(
    "document", [LONG, {"text": LONG, "image": SMALL[0]}, {"text": LONG, "image": [SMALL[0], SMALL[1]]}], ids=type
)
def test_a_long_text_loses_its_end_as_the_authors_cut_it(document, limit, twin):
    folder = twin("vl_reranker")
    model = CrossEncoder(folder, max_length=limit, device="cpu")
    wanted = vl_reranker.prepared(folder, QUERY, document, max_length=limit)
    assert wanted["input_ids"].shape[1] == limit
    assert model.preprocess([(QUERY, document)])["input_ids"].tolist() == wanted["input_ids"].tolist()
    with pytest.warns(ManysenseWarning, match="were cut"):
        made = model.predict([(QUERY, document)])
    assert_scores(made, [vl_reranker.reference(folder, QUERY, document, max_length=limit)])


@pytest.mark.parametrize("query", [LONG, {"text": LONG, "image": SMALL[0]}])
@pytest.mark.parametrize("document", [SMALL[1], {"image": [SMALL[1], SMALL[2]], "text": LONG}])
def test_truncation_never_cuts_a_placeholder_or_the_suffix(query, document, twin):
    model = CrossEncoder(twin("vl_reranker"), max_length=210, device="cpu")
    whole = vl_reranker.prepared(twin("vl_reranker"), query, document)
    made = model.preprocess([(query, document)])
    assert made["input_ids"].shape[1] <= 210
    assert (made["mm_token_type_ids"] == 1).sum() == (whole["mm_token_type_ids"] == 1).sum()
    assert made["image_grid_thw"].tolist() == whole["image_grid_thw"].tolist()
    suffix = len(model.tokenizer(vl_reranker.SUFFIX)["input_ids"])
    assert made["input_ids"][0, -suffix:].tolist() == whole["input_ids"][0, -suffix:].tolist()
    control = model.tokenizer.convert_tokens_to_ids("<|im_start|>")
    assert (made["input_ids"] == control).sum() == 3


def test_media_beyond_the_limit_are_an_error_of_that_pair(twin):
    model = CrossEncoder(twin("vl_reranker"), max_length=220, device="cpu")
    huge = NOISE.resize((1024, 1024))
    with pytest.raises(InputTooLong, match="media") as caught:
        model.rank(QUERY, ["a dog", huge])
    assert caught.value.index == 1
    ranking = model.rank(QUERY, ["a dog", huge, SMALL[0]], on_error="skip")
    assert sorted(hit["corpus_id"] for hit in ranking) == [0, 2]


# ---- what is missing


@pytest.mark.parametrize("document", ["missing.png", {"image": "missing.png"}, {"text": "a", "image": "gone.jpg"}])
def test_a_missing_picture_is_an_error_and_never_a_text(document, reranker, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MediaNotFound) as caught:
        reranker("vl_reranker").rank(QUERY, [SMALL[0], document])
    assert caught.value.index == 1
    with pytest.raises(MediaError, match="the query"):
        reranker("vl_reranker").rank(document, ["a text"])


def test_a_broken_picture_is_an_error_of_its_document(reranker, tmp_path):
    SMALL[2].save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:300])
    documents = [tmp_path / "whole.png", tmp_path / "cut.png", "a dog"]
    with pytest.raises(MediaError) as caught:
        reranker("vl_reranker").rank(QUERY, documents)
    assert caught.value.index == 1
    ranking = reranker("vl_reranker").rank(QUERY, documents, on_error="skip")
    assert sorted(hit["corpus_id"] for hit in ranking) == [0, 2]
    assert [error.index for error in ranking.errors] == [1]
