"""The announcement's programs with rerankers run as they are: only the import and the model's name are others."""

from __future__ import annotations

import pytest
from PIL import Image

from checkpoints.hub_stub import connected
from cross_encoder.pairs import assert_scores, by_document
from manysense import CrossEncoder, SentenceTransformer
from twins import vl_reranker

pytestmark = pytest.mark.slow

NAMES = ("red_circle.png", "blue_square.png", "night_sky.jpg", "slide.png")


@pytest.fixture
def reranker_name(twin):
    return str(twin("vl_reranker", form="st"))


@pytest.fixture
def small(samples, tmp_path):
    """Files of real pictures, small enough for a test."""
    places = []
    for name in NAMES:
        picture = Image.open(samples / name).convert("RGB")
        picture.thumbnail((96, 96))
        picture.save(tmp_path / f"{name}.png")
        places.append(str(tmp_path / f"{name}.png"))
    return places


def test_candidate_pictures_are_ranked_for_a_question(reranker_name, small, twin):
    model = CrossEncoder(reranker_name, device="cpu")
    query = "A red circle"
    candidate_pil_images = [Image.open(place) for place in small]

    hits = model.rank(query, candidate_pil_images, top_k=3)
    lines = [f"{hit['corpus_id']}: {hit['score']:.3f}" for hit in hits]

    assert len(lines) == 3
    folder = twin("vl_reranker", form="st")
    wanted = [vl_reranker.reference(folder, query, picture) for picture in candidate_pil_images]
    order = sorted(range(4), key=lambda place: -wanted[place])[:3]
    assert [hit["corpus_id"] for hit in hits] == order
    assert_scores([hit["score"] for hit in hits], [wanted[place] for place in order])


def test_a_mixed_shortlist_is_retrieved_and_then_reranked(reranker_name, small, twin):
    embedder = SentenceTransformer(str(twin("qwen3_vl", form="st")), device="cpu")
    reranker = CrossEncoder(reranker_name, device="cpu")
    query = "A red circle"
    documents = [
        *small,
        {"text": "a slide about the model", "image": small[3]},
        "The piano song was played again at night.",
        {"text": "a picture of the night", "image": small[2]},
    ]

    query_embedding = embedder.encode_query(query)
    document_embeddings = embedder.encode_document(documents)
    similarities = embedder.similarity(query_embedding, document_embeddings)[0]
    top_k_indices = similarities.argsort(descending=True)[:5]
    shortlist = [documents[i] for i in top_k_indices]
    reranked = reranker.rank(query, shortlist, top_k=5)
    best = [top_k_indices[hit["corpus_id"]].item() for hit in reranked]

    assert len(set(best)) == 5
    assert_scores(by_document(reranked), reranker.predict([(query, document) for document in shortlist]))
    scores = [hit["score"] for hit in reranked]
    assert scores == sorted(scores, reverse=True)
    assert any(isinstance(document, dict) for document in shortlist)


def test_pairs_of_several_kinds_are_predicted_together(reranker_name, small, twin):
    model = CrossEncoder(reranker_name, device="cpu")
    pictures = [Image.open(place) for place in small]
    pairs = [
        ("A red circle", small[0]),
        ("A red circle", "a text about circles"),
        ("A red circle", {"text": "a page", "image": small[3]}),
        (pictures[1], pictures[2]),
    ]

    scores = model.predict(pairs)

    opened = [(pairs[0][0], pictures[0]), pairs[1], (pairs[2][0], {"text": "a page", "image": pictures[3]}), pairs[3]]
    folder = twin("vl_reranker", form="st")
    assert_scores(scores, [vl_reranker.reference(folder, *pair) for pair in opened])


@pytest.mark.slow
def test_the_files_of_a_pull_request_are_a_revision(twin, tmp_path):
    raw, saved = twin("vl_reranker"), twin("vl_reranker", form="st", prompts=(("page", "Find a page"),))
    with connected(tmp_path) as hub:
        hub.add("Qwen/Qwen3-VL-Reranker-2B", raw)
        hub.add("Qwen/Qwen3-VL-Reranker-2B", saved, "refs/pr/11")
        model = CrossEncoder("Qwen/Qwen3-VL-Reranker-2B", revision="refs/pr/11", device="cpu")
        main = CrossEncoder("Qwen/Qwen3-VL-Reranker-2B", device="cpu")
    assert model.prompts["page"] == "Find a page"
    assert "page" not in main.prompts
    wanted = vl_reranker.reference(raw, "A red circle", "a dog")
    assert_scores([model.predict(("A red circle", "a dog")), main.predict(("A red circle", "a dog"))], [wanted] * 2)
