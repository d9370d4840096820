"""Each distinct medium is opened once and seen by a tower once, in a call and across calls; statistics say so."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

import manysense.modules.transformer.media_towers as towers
from cross_encoder.pairs import QUERY, assert_scores, by_document
from manysense import CrossEncoder, Video
from manysense.media.reader import Reader
from twins.samples import clip, pictures

PICTURES = [picture.resize((64, 96)) for picture in pictures()]
QUERIES = ["red dog", "a blue cat at night", PICTURES[2], {"image": PICTURES[1], "text": "dog"}]
DOCUMENTS = [
    *PICTURES,
    PICTURES[0].copy(),
    {"image": PICTURES[0], "text": "a"},
    {"image": [PICTURES[1], PICTURES[0]]},
    "a text",
    Video(clip(2, 64, 48)),
]
DISTINCT = 4  # three pictures, whatever they stand in, and a clip


@pytest.fixture
def model(twin):
    return CrossEncoder(twin("vl_reranker"), device="cpu")


@pytest.fixture
def counted(model, monkeypatch):
    """What was really decoded, and what the network's own towers really saw, by name."""
    counts: Counter[str] = Counter()

    def count(place, name, what, size=lambda *args, **kwargs: 1):
        original = getattr(place, name)

        def call(*args, **kwargs):
            counts[what] += size(*args, **kwargs)
            return original(*args, **kwargs)

        monkeypatch.setattr(place, name, call)

    count(Reader, "picture", "opened")
    count(Reader, "clip", "opened")
    count(model.model, "get_image_features", "seen", lambda *args, image_grid_thw, **kwargs: len(image_grid_thw))
    count(model.model, "get_video_features", "seen", lambda *args, video_grid_thw, **kwargs: len(video_grid_thw))
    return counts


def test_one_query_opens_and_sees_every_medium_once(model, counted):
    _, stats = model.rank(QUERY, DOCUMENTS, return_stats=True)
    assert counted == {"opened": DISTINCT, "seen": DISTINCT}
    assert (stats.opened, stats.tower_runs) == (DISTINCT, DISTINCT)


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("batch_size", [None, 1])
def test_many_queries_open_and_see_every_medium_once(fast, batch_size, model, counted):
    model[0].fast = fast
    _, stats = model.rank(queries=QUERIES, documents=DOCUMENTS, batch_size=batch_size, return_stats=True)
    assert counted == {"opened": DISTINCT, "seen": DISTINCT}
    assert (stats.opened, stats.tower_runs) == (DISTINCT, DISTINCT)


def test_a_second_call_opens_and_sees_nothing(model, counted):
    before, _ = model.rank(QUERY, DOCUMENTS, return_stats=True)
    first = Counter(counted)
    _, stats = model.rank("another query", DOCUMENTS, return_stats=True)
    assert counted == first
    assert (stats.opened, stats.tower_runs) == (0, 0)
    assert stats.cache_hits > 0
    assert_scores(by_document(model.rank(QUERY, DOCUMENTS)), by_document(before))
    assert counted == first


def test_a_query_of_a_picture_is_seen_once_for_all_its_documents(model, counted):
    documents = [f"text {number}" for number in range(30)]
    model.rank(PICTURES[0], documents)
    assert counted == {"opened": 1, "seen": 1}


def test_predict_and_the_stream_share_the_same_cache(model, counted):
    model.predict([(QUERY, document) for document in DOCUMENTS])
    dict(model.rank_stream([QUERY, "cat"], DOCUMENTS))
    assert counted == {"opened": DISTINCT, "seen": DISTINCT}


def test_files_are_told_by_their_content(model, counted, tmp_path):
    PICTURES[0].save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes())
    model.rank(queries=["a", "b"], documents=[tmp_path / "a.png", tmp_path / "b.png", str(tmp_path / "a.png")])
    assert counted["seen"] <= 2  # a copy may count as another file, the same file never does
    PICTURES[1].save(tmp_path / "a.png")
    before = counted["seen"]
    (hit,) = model.rank("a", [tmp_path / "a.png"])
    assert counted["seen"] == before + 1
    assert_scores(hit["score"], model.predict(("a", PICTURES[1])))


def test_a_cache_that_holds_nothing_changes_no_score(model, counted):
    wanted = by_document(model.rank(QUERY, DOCUMENTS))
    for limit in (0, model[0].media_cache.nbytes // 3):
        model[0].media_cache.clear()
        model[0].media_cache.limit = limit
        for _ in range(2):
            assert_scores(by_document(model.rank(QUERY, DOCUMENTS)), wanted)
        assert model[0].media_cache.nbytes <= limit


def test_the_cache_counts_its_bytes(model):
    model.rank(QUERY, DOCUMENTS)
    cache = model[0].media_cache
    assert cache.nbytes == sum(seen.nbytes for seen in cache._seen.values()) > 0
    assert len(cache._seen) == DISTINCT
    assert cache.misses == DISTINCT
    cache.clear()
    assert cache.nbytes == 0


def test_changed_weights_are_seen(model, counted):
    import torch

    before = by_document(model.rank(QUERY, PICTURES))
    with torch.no_grad():
        model.model.model.visual.patch_embed.proj.weight.mul_(1.5)
    made = by_document(model.rank(QUERY, PICTURES))
    assert abs(made - before).max() > 1e-3
    assert counted["seen"] == 6


def test_other_processing_is_another_medium(model, counted):
    big = PICTURES[0].resize((320, 320))
    model.predict((QUERY, big))
    smaller = model.predict((QUERY, big), processing_kwargs={"image": {"max_pixels": 96 * 96}})
    assert counted["seen"] == 2
    model[0].media_cache.clear()
    assert_scores(model.predict((QUERY, big), processing_kwargs={"image": {"max_pixels": 96 * 96}}), smaller)


def test_media_beside_the_towers_give_the_same_scores(model):
    """With the towers inside the network, as transformers runs it."""
    wanted = by_document(model.rank(QUERY, DOCUMENTS))
    assert model[0]._apart
    model[0].fast = model[0]._apart = False
    assert_scores(by_document(model.rank(QUERY, DOCUMENTS)), wanted)


def test_statistics_add_up(model):
    rankings, stats = model.rank(queries=QUERIES, documents=DOCUMENTS, return_stats=True)
    assert stats.pairs == len(QUERIES) * len(DOCUMENTS) == sum(map(len, rankings))
    assert 0 < stats.forwards <= stats.pairs
    distinct = [document for i, document in enumerate(DOCUMENTS) if i != 3]  # the copy is the first picture again
    lengths = [len(model.preprocess([(query, document)])["input_ids"][0]) for query in QUERIES for document in distinct]
    assert stats.forwards == len(lengths)
    assert stats.tokens + stats.shared_tokens == sum(lengths)
    assert stats.padding == 0
    assert 0 < stats.stages["towers"] <= stats.stages["forward"]
    assert set(stats.stages) == {"fetch", "measure", "prepare", "forward", "towers"}


def test_a_common_beginning_is_computed_once(reranker):
    model = reranker("answerer")
    documents = ["a dog", "the red cat", "piano music at night"]
    lengths = [len(model.preprocess([(QUERY, document)])["input_ids"][0]) for document in documents]
    ranking, stats = model.rank(QUERY, documents, return_stats=True)
    assert stats.tokens + stats.shared_tokens == sum(lengths)
    assert stats.shared_tokens > sum(lengths) / 3
    assert_scores(by_document(ranking), [model.predict((QUERY, document)) for document in documents])


def test_towers_are_named_by_the_recipe(model):
    """Without this, counting the network's own methods would count nothing."""
    assert {tower.method for tower in model[0].recipe.towers.values()} == {"get_image_features", "get_video_features"}
    assert model[0].media_cache.limit == towers.KEPT_BYTES


def test_an_output_made_with_weights_of_before_is_not_kept():
    cache = towers.MediaCache()
    medium = towers.Medium("image", "a", dict)

    def output(value):
        return [towers.Seen("image", torch.full((1, 2), value))]

    def slow(media):  # meanwhile another call has come with other weights
        assert float(cache.outputs([medium], "after", lambda _: output(2.0))[0].embeddings[0, 0]) == 2.0
        return output(1.0)

    assert float(cache.outputs([medium], "before", slow)[0].embeddings[0, 0]) == 1.0
    assert float(cache.outputs([medium], "after", lambda _: output(3.0))[0].embeddings[0, 0]) == 2.0
