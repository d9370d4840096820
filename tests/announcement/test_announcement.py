"""The programs of the 5.4 announcement run as they are: only the import and the model's name are others."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from PIL import Image

import manysense
from manysense import SentenceTransformer, util
from manysense.errors import FetchRefused
from reference.closeness import assert_close, distance
from twins import bert, clip, qwen3_vl
from twins.samples import TEXTS, sounds

LOOPBACK = manysense.Policy(private_hosts=True)
QUERIES = ["A green car in front of a yellow building", "A red circle", "A small dog at night"]


@pytest.fixture
def qwen(twin):
    return str(twin("qwen3_vl", form="st"))


# ---- multimodal embedding models


def test_texts_find_images_that_are_given_by_their_addresses(qwen, server, model, samples):
    model_ = SentenceTransformer(qwen, device="cpu", revision="refs/pr/23", policy=LOOPBACK)

    image_embeddings = model_.encode([f"{server}/red_circle.png", f"{server}/night_sky.jpg"])
    text_embeddings = model_.encode(QUERIES)
    similarities = model_.similarity(text_embeddings, image_embeddings)

    assert image_embeddings.shape == (2, qwen3_vl.WIDTH)
    assert similarities.shape == (3, 2)
    files = model("qwen3_vl", form="st").encode([str(samples / "red_circle.png"), str(samples / "night_sky.jpg")])
    assert_close(image_embeddings, files)
    assert torch.allclose(similarities, torch.from_numpy(text_embeddings @ files.T), atol=1e-5)


def test_an_address_of_this_machine_is_refused_unless_the_policy_allows_it(qwen, server):
    with pytest.raises(FetchRefused, match="private_hosts"):
        SentenceTransformer(qwen, device="cpu").encode([f"{server}/red_circle.png"])


def test_queries_and_documents_are_ranked_with_argsort(qwen, samples):
    model = SentenceTransformer(qwen, device="cpu")

    query_embeddings = model.encode_query(["a red circle", "the weather tomorrow"])
    document_embeddings = model.encode_document(
        [
            "It will rain in the mountains tomorrow.",
            str(samples / "red_circle.png"),
            {"text": "A slide about the model", "image": str(samples / "slide.png")},
            Image.open(samples / "night_sky.jpg"),
        ]
    )
    similarities = model.similarity(query_embeddings, document_embeddings)
    ranking = similarities.argsort(descending=True)

    assert similarities.shape == ranking.shape == (2, 4)
    for row in range(2):
        scores = [similarities[row][place].item() for place in ranking[row]]
        assert scores == sorted(scores, reverse=True)
        assert sorted(ranking[row].tolist()) == [0, 1, 2, 3]


def test_cos_sim_compares_the_first_with_the_others(qwen, samples):
    model = SentenceTransformer(qwen, device="cpu")

    embeddings = model.encode(["a red circle", Image.open(samples / "red_circle.png"), "a dog"])
    similarities = util.cos_sim(embeddings[0], embeddings[1:])[0]

    assert similarities.shape == (2,)
    for score, other in zip(similarities, embeddings[1:]):
        assert score.item() == pytest.approx(float(embeddings[0] @ other), abs=1e-6)


def test_one_list_holds_text_picture_path_and_dict(qwen, samples, model, monkeypatch):
    monkeypatch.chdir(samples)
    picture, path = Image.open("red_circle.png"), "night_sky.jpg"

    inputs = ["a text", picture, path, {"text": "a text", "image": picture}, {"image": path}]
    embeddings = SentenceTransformer(qwen, device="cpu").encode(inputs)

    assert_close(embeddings, [model("qwen3_vl", form="st").encode(value) for value in inputs])
    assert_close([embeddings[2]], [embeddings[4]])
    assert distance(embeddings[1], embeddings[2]) > 1e-3


def test_one_list_holds_text_and_waveform(twin, samples):
    model = SentenceTransformer(str(twin("clap")), device="cpu")
    waveform = sounds()[0]

    embeddings = model.encode(["a song", waveform, {"array": waveform, "sampling_rate": 48000}, "a song"])

    assert_close(embeddings[[0, 1]], embeddings[[3, 2]])
    assert distance(embeddings[0], embeddings[1]) > 1e-3
    assert model.encode(str(samples / "weather.wav")).shape == embeddings[0].shape


def test_one_list_holds_text_and_pictures_on_a_dual_encoder(twin, samples):
    model = SentenceTransformer(str(twin("clip")), device="cpu")
    picture = Image.open(samples / "red_circle.png")

    embeddings = model.encode(["a red circle", picture, str(samples / "red_circle.png")])

    assert_close([embeddings[1]], [embeddings[2]])
    assert distance(embeddings[0], clip.reference_text(twin("clip"), "a red circle")) < 1e-5


def test_documents_are_dicts_of_text_and_image(qwen, samples, twin):
    model = SentenceTransformer(qwen, device="cpu")
    pages = [Image.open(samples / name).convert("RGB") for name in ("slide.png", "invoice.webp")]
    pages = [page.resize((160, 96)) for page in pages]

    documents = [{"text": f"page {number}", "image": page} for number, page in enumerate(pages)]
    embeddings = model.encode_document(documents)

    folder = twin("qwen3_vl", form="st")
    wanted = [qwen3_vl.reference(folder, text=one["text"], image=one["image"]) for one in documents]
    assert_close(embeddings, wanted)


def test_chat_messages_are_one_conversation(qwen, samples, twin):
    model = SentenceTransformer(qwen, device="cpu")
    picture = Image.open(samples / "blue_square.png").resize((64, 64))
    messages = [
        {"role": "system", "content": [{"type": "text", "text": "Find the picture."}]},
        {"role": "user", "content": [{"type": "image", "image": picture}, {"type": "text", "text": "a blue square"}]},
    ]

    single, listed = model.encode(messages), model.encode([messages, "a text"])

    wanted = qwen3_vl.reference(
        twin("qwen3_vl", form="st"), text="a blue square", image=picture, instruction="Find the picture."
    )
    assert single.shape == (qwen3_vl.WIDTH,)
    assert distance(single, wanted) < 1e-5
    assert distance(listed[0], wanted) < 1e-5


# ---- prompts


def test_a_query_gets_the_models_own_prompt_and_a_document_its_own(twin):
    folder = twin("bert", prompts={"query": "query : ", "passage": "document : "})
    model = SentenceTransformer(str(folder), device="cpu")

    queries, documents, plain = (
        call(list(TEXTS[:2])) for call in (model.encode_query, model.encode_document, model.encode)
    )

    assert_close(queries, [bert.reference(folder, text, "query : ") for text in TEXTS[:2]])
    assert_close(documents, [bert.reference(folder, text, "document : ") for text in TEXTS[:2]])
    assert_close(plain, [bert.reference(folder, text) for text in TEXTS[:2]])


def test_a_prompt_that_is_given_wins_over_the_models_own(twin):
    folder = twin("bert", prompts={"query": "query : ", "passage": "document : "})
    model = SentenceTransformer(str(folder), device="cpu")
    text = TEXTS[0]
    assert distance(model.encode_query(text, prompt="search : "), bert.reference(folder, text, "search : ")) < 1e-5
    made = model.encode_document(text, prompt_name="query")
    assert distance(made, bert.reference(folder, text, "query : ")) < 1e-5


def test_prompts_of_the_constructor_are_named_in_a_call(twin):
    model = SentenceTransformer(
        str(twin("bert")), device="cpu", prompts={"find": "search : "}, default_prompt_name="find"
    )
    wanted = bert.reference(twin("bert"), TEXTS[0], "search : ")
    assert distance(model.encode(TEXTS[0]), wanted) < 1e-5
    assert distance(model.encode(TEXTS[0], prompt_name="find"), wanted) < 1e-5
    assert distance(model.encode(TEXTS[0], prompt_name="query"), bert.reference(twin("bert"), TEXTS[0])) < 1e-5


def test_a_query_may_ask_for_something_else_with_an_instruction(qwen, twin):
    model = SentenceTransformer(qwen, device="cpu")
    made = model.encode_query("a red circle", prompt="Retrieve the picture of a square")
    wanted = qwen3_vl.reference(
        twin("qwen3_vl", form="st"), text="a red circle", instruction="Retrieve the picture of a square"
    )
    assert distance(made, wanted) < 1e-5


# ---- constructor


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_precision_and_attention_are_chosen_by_model_kwargs(qwen, attention, model):
    half = SentenceTransformer(
        qwen, device="cpu", model_kwargs={"torch_dtype": "bfloat16", "attn_implementation": attention}
    )
    assert half.dtype == torch.bfloat16
    assert half.config._attn_implementation == attention
    made = half.encode(["a red circle", "a dog"])
    assert made.dtype == np.float32
    wanted = model("qwen3_vl", form="st").encode(["a red circle", "a dog"])
    assert all(one @ other > 0.95 for one, other in zip(made, wanted))


def test_both_attentions_give_the_same_vectors(qwen, samples):
    sdpa, eager = (
        SentenceTransformer(qwen, device="cpu", model_kwargs={"attn_implementation": name}).encode(
            ["a red circle", {"text": "a", "image": str(samples / "red_circle.png")}, "a dog " * 20]
        )
        for name in ("sdpa", "eager")
    )
    assert_close(sdpa, eager, limit=3e-5)


def image_tokens(folder, picture, **options):
    features = SentenceTransformer(folder, device="cpu", **options).preprocess([picture])
    return int((features["mm_token_type_ids"] == 1).sum())


def test_pixel_limits_of_the_processor_change_the_number_of_image_tokens(qwen, samples):
    picture = Image.open(samples / "night_sky.jpg")  # 480 x 320
    assert image_tokens(qwen, picture) == 15 * 10
    limits = {"min_pixels": 28 * 28, "max_pixels": 100 * 100}
    assert image_tokens(qwen, picture, processor_kwargs=limits) * 32 * 32 <= 100 * 100
    limits = {"min_pixels": 800 * 800, "max_pixels": 1000 * 1000}
    assert 800 * 800 <= image_tokens(qwen, picture, processor_kwargs=limits) * 32 * 32 <= 1000 * 1000


def test_max_pixels_alone_is_enough(qwen, samples):
    picture = Image.open(samples / "night_sky.jpg")
    few = image_tokens(qwen, picture, processor_kwargs={"max_pixels": 128 * 128})
    assert 0 < few * 32 * 32 <= 128 * 128
    assert image_tokens(qwen, picture, tokenizer_kwargs={"max_pixels": 128 * 128}) == few


def test_pixel_limits_may_be_given_for_one_call(qwen, samples):
    picture = Image.open(samples / "night_sky.jpg")
    model = SentenceTransformer(qwen, device="cpu")
    small = SentenceTransformer(qwen, device="cpu", processor_kwargs={"max_pixels": 128 * 128})
    made = model.encode([picture], processing_kwargs={"image": {"max_pixels": 128 * 128}})
    assert_close(made, small.encode([picture]))
    assert distance(made[0], model.encode(picture)) > 1e-3


def test_a_local_folder_has_no_revision(twin):
    model = SentenceTransformer(str(twin("bert")), device="cpu", revision="refs/pr/23")
    assert distance(model.encode(TEXTS[0]), bert.reference(twin("bert"), TEXTS[0])) < 1e-5


# ---- what a model says of itself


@pytest.mark.parametrize(
    ("name", "modalities"),
    [
        ("bert", {"text"}),
        ("static", {"text"}),
        ("clip", {"text", "image"}),
        ("clap", {"text", "audio"}),
        ("qwen3_vl", {"text", "image", "video", "message"}),
    ],
)
def test_a_model_says_what_it_reads(name, modalities, model):
    encoder = model(name)
    assert set(encoder.modalities) == modalities
    for modality in ("text", "image", "audio", "video", "message"):
        assert encoder.supports(modality) == (modality in modalities)
    assert encoder.supports(("image", "text")) == encoder.supports(("text", "image")) == (name == "qwen3_vl")


def test_what_a_model_supports_is_what_it_encodes(model, samples):
    picture, sound = str(samples / "red_circle.png"), str(samples / "chime.wav")
    values = {"image": Image.open(picture), "audio": sounds()[1], ("image", "text"): {"text": "a", "image": picture}}
    for name in ("bert", "clip", "clap", "qwen3_vl"):
        for modality, value in values.items():
            if model(name).supports(modality):
                assert np.isfinite(model(name).encode(value)).all()
            else:
                with pytest.raises(ValueError):
                    model(name).encode(value)
    assert model("clap").encode(sound).ndim == 1


def test_minilm_ranks_the_sentence_that_means_the_same_first(minilm):
    model = SentenceTransformer(minilm, device="cpu")

    sentences = ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
    embeddings = model.encode(sentences)
    similarities = model.similarity(embeddings, embeddings)

    assert embeddings.shape == (3, 384)
    assert similarities[0].argsort(descending=True).tolist() == [0, 1, 2]
    assert similarities[0, 1].item() == pytest.approx(0.6660, abs=1e-3)  # as the known library prints it
    assert similarities[0, 2].item() == pytest.approx(0.1046, abs=1e-3)


def test_nothing_is_warned_of_in_an_ordinary_program(qwen, samples):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = SentenceTransformer(qwen, device="cpu")
        queries = model.encode_query(["a red circle"])
        documents = model.encode_document([str(samples / "red_circle.png"), "a text"])
        model.similarity(queries, documents)
