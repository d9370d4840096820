"""Thinkers of Qwen2.5-Omni give the vectors and scores of their references: text, pictures and sounds of any rate."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from transformers import WhisperFeatureExtractor

from manysense import Audio, CrossEncoder, SentenceTransformer
from manysense.errors import ManysenseWarning, MediaError, ModelError
from manysense.modules.transformer.recipe import FolderFacts
from manysense.modules.transformer.waves import WhisperMel
from reference.closeness import MOVED, assert_close, moved
from twins import qwen2_5_omni
from twins.samples import RATE, TEXTS, pictures, sounds

pytestmark = pytest.mark.slow


def heard():
    """(samples, rate) of different lengths and rates."""
    tone, clicks, rumble, _ = sounds()
    return [(tone, RATE), (clicks, RATE), (rumble[:70_000:2].copy(), 16_000), (rumble[:200_000], 44_100)]


def inputs():
    tone, clicks, low, rumble = heard()
    return [
        *({"text": text} for text in (*TEXTS[:2], "")),
        {"audio": tone},
        {"audio": low},
        {"audio": [clicks, low], "text": TEXTS[2]},
        {"image": pictures()[0]},
        {"image": pictures()[1], "audio": rumble, "text": "x"},
    ]


def given(one):
    """The twin's input as ours."""

    def wrapped(value):
        return [Audio(*sound) for sound in value] if isinstance(value, list) else Audio(*value)

    return {key: wrapped(value) if key == "audio" else value for key, value in one.items()}


def pairs():
    query, spoken, both = inputs()[0], inputs()[3], inputs()[7]
    return [(asked, document) for asked in (query, spoken, both) for document in inputs()[1:8:2]]


def ours():
    return [(given(query), given(document)) for query, document in pairs()]


@pytest.fixture(scope="module")
def encoder(twin):
    return CrossEncoder(str(twin("qwen2_5_omni")), device="cpu", activation_fn=torch.nn.Identity())


@pytest.fixture(scope="module")
def scores(twin):
    return np.array([qwen2_5_omni.log_odds(twin("qwen2_5_omni"), *pair) for pair in pairs()])


# ---- log-mel frames


@pytest.mark.parametrize("count", [321, 400, 480, 7_999, 16_000, 16_001, 47_999, 48_000, 60_000])
def test_a_sound_becomes_the_frames_of_whispers_extractor(count):
    wave = np.random.default_rng(count).normal(0, 0.1, count).astype(np.float32)
    extractor = WhisperFeatureExtractor(feature_size=128, chunk_length=3)
    options = {"sampling_rate": 16_000, "padding": "max_length", "return_attention_mask": True}
    wanted = extractor(wave, **options)
    frames = int(wanted["attention_mask"].sum())
    policy = WhisperMel.of(FolderFacts({}, audio={"chunk_length": 3}))
    made = policy.prepare(wave)
    assert made["input_features"].shape == (128, frames)
    assert made["feature_attention_mask"].tolist() == [1] * frames
    np.testing.assert_allclose(made["input_features"], wanted["input_features"][0][:, :frames], atol=1e-5)


def test_a_sound_beyond_the_window_is_cut_with_a_warning(twin):
    encoder = SentenceTransformer(str(twin("qwen2_5_omni")), device="cpu")
    wave = np.random.default_rng(3).normal(0, 0.1, 31 * 16_000).astype(np.float32)
    with pytest.warns(ManysenseWarning, match="seconds"):
        made = encoder.encode([Audio(wave, 16_000)])
    assert_close(made, encoder.encode([Audio(wave[: 30 * 16_000], 16_000)]))


def test_silence_is_a_sound():
    policy = WhisperMel.of(FolderFacts({}))
    assert np.all(policy.prepare(np.zeros(16_000, np.float32))["input_features"] == -1.5)


def test_less_than_a_token_of_sound_is_an_error_of_the_item(model):
    with pytest.raises(MediaError, match="320 samples") as caught:
        model("qwen2_5_omni").encode(["a", Audio(np.ones(320, np.float32), 16_000)])
    assert caught.value.index == 1
    assert model("qwen2_5_omni").encode(Audio(np.ones(321, np.float32), 16_000)).shape == (64,)


# ---- embedding models


@pytest.mark.parametrize("form", ["raw", "st"])
def test_inputs_in_one_list_equal_the_reference(form, twin, model):
    made = model("qwen2_5_omni", form=form).encode([given(one) for one in inputs()])
    assert_close(made, [qwen2_5_omni.reference(twin("qwen2_5_omni", form=form), one) for one in inputs()])


def test_a_vector_does_not_know_its_batch(model):
    encoder, values = model("qwen2_5_omni"), [given(one) for one in inputs()]
    assert_close(encoder.encode(values[::-1], batch_size=3)[::-1], [encoder.encode(value) for value in values])


def test_a_sound_file_is_read_at_the_models_rate(twin, model, samples):
    import soundfile

    path = samples / "weather.wav"
    wave, rate = soundfile.read(path, dtype="float32")
    wanted = qwen2_5_omni.reference(twin("qwen2_5_omni"), {"audio": (wave, rate)})
    assert_close(model("qwen2_5_omni").encode([str(path), {"audio": path}]), [wanted] * 2)


def test_the_order_of_two_sounds_would_be_seen(model):
    tone, clicks, *_ = (Audio(*sound) for sound in heard())
    there, back = model("qwen2_5_omni").encode([{"audio": [tone, clicks]}, {"audio": [clicks, tone]}])
    assert moved(there, back) > MOVED


def test_a_whole_omni_is_refused_with_the_way_out(twin, tmp_path):
    folder = shutil.copytree(twin("qwen2_5_omni"), tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    whole = {"architectures": ["Qwen2_5OmniModel"], "model_type": "qwen2_5_omni", "thinker_config": config}
    (folder / "config.json").write_text(json.dumps(whole))
    for family in (SentenceTransformer, CrossEncoder):
        with pytest.raises(ModelError, match="thinker alone"):
            family(str(folder), device="cpu")


# ---- rerankers


@pytest.mark.parametrize("fast", [True, False], ids=["packed", "padded"])
def test_scores_of_pairs_equal_the_reference(fast, encoder, scores):
    encoder[0].media_cache.clear()
    encoder[0].fast = fast
    try:
        assert encoder[0].packs() is fast
        np.testing.assert_allclose(encoder.predict(ours()), scores, atol=2e-5)
        np.testing.assert_allclose([encoder.predict(pair) for pair in ours()], scores, atol=2e-5)
    finally:
        encoder[0].fast = True


def test_each_sound_is_heard_once_for_all_queries(encoder):
    encoder[0].media_cache.clear()
    documents = [Audio(*sound) for sound in heard()]
    _, stats = encoder.rank(queries=[TEXTS[0], "x"], documents=documents, return_stats=True)
    assert (stats.pairs, stats.opened, stats.tower_runs) == (8, 4, 4)


def test_a_mixed_shortlist_is_one_ranking(encoder, scores):
    documents = [document for _, document in ours()[:4]]
    made = encoder.rank(ours()[0][0], documents)
    assert [hit["corpus_id"] for hit in made] == np.argsort(-scores[:4]).tolist()


def test_a_saved_reranker_gives_equal_scores(encoder, scores, tmp_path):
    encoder.save_pretrained(str(tmp_path))
    made = CrossEncoder(str(tmp_path), device="cpu").predict(ours())
    np.testing.assert_allclose(made, scores, atol=2e-5)
