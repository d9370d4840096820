"""Router: which route an item takes, and that nothing but the item and the call has a say in it."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch

from manysense import Image, ManysenseWarning, ModelError, SentenceTransformer, UsageError
from manysense.errors import UnsupportedModality
from manysense.modules import Asym, BoW, Dense, Normalize, Pooling, Router, StaticEmbedding, Transformer
from twins.samples import pictures

TEXTS = ["a dog", "the red house on the hill", "music"]
WORDS = ["dog", "house", "hill", "red", "music"]


@pytest.fixture
def folders(twin):
    """Two static models of one width, and a text encoder of another."""
    return twin("static"), twin("static", seed=1)


def static(folder):
    return StaticEmbedding.load_from(folder / "0_StaticEmbedding")


def model_of(*modules):
    return SentenceTransformer(modules=list(modules), device="cpu")


@pytest.fixture
def alone(folders):
    """The two routes as models of their own."""
    return [model_of(static(folder)) for folder in folders]


@pytest.fixture
def asymmetric(folders):
    query, document = folders
    return model_of(Router.for_query_document([static(query)], [static(document)]))


# ---- tasks


def test_queries_and_documents_take_their_routes(asymmetric, alone):
    query, document = alone
    np.testing.assert_array_equal(asymmetric.encode_query(TEXTS), query.encode(TEXTS))
    np.testing.assert_array_equal(asymmetric.encode_document(TEXTS), document.encode(TEXTS))
    assert not np.allclose(query.encode(TEXTS), document.encode(TEXTS))


def test_a_call_without_a_task_takes_the_default(asymmetric, alone):
    np.testing.assert_array_equal(asymmetric.encode(TEXTS), alone[1].encode(TEXTS))
    np.testing.assert_array_equal(asymmetric.encode(TEXTS, task="query"), alone[0].encode(TEXTS))


def test_the_first_route_is_the_default_unless_there_shall_be_none(folders):
    modules = {"a": [static(folders[0])], "b": [static(folders[1])]}
    assert Router(modules).default_route == "a"
    assert Router(modules, default_route="b").default_route == "b"
    assert Router(modules, allow_empty_key=False).default_route is None


@pytest.mark.parametrize("how", ["task", "none"])
def test_a_missing_route_is_one_error_that_names_those_there_are(folders, how):
    routes = {"query": [static(folders[0])], "document": [static(folders[1])]}
    model = model_of(Router(routes, allow_empty_key=False, route_mappings={("title", None): "document"}))
    given = {"task": "sentence"} if how == "task" else {}
    with pytest.raises(UsageError, match=r"query, document, \(title, any modality\) → document") as error:
        model.encode(TEXTS, **given)
    assert "encode_query" in str(error.value)


def test_a_task_may_be_mapped_to_a_route_of_another_name(folders, alone):
    routes = {"fast": [static(folders[0])], "slow": [static(folders[1])]}
    model = model_of(Router(routes, route_mappings={("query", "text"): "fast", ("document", None): "slow"}))
    np.testing.assert_array_equal(model.encode_query(TEXTS), alone[0].encode(TEXTS))
    np.testing.assert_array_equal(model.encode_document(TEXTS), alone[1].encode(TEXTS))


def test_modules_behind_the_router_follow_every_route(folders):
    model = model_of(Router.for_query_document([static(folders[0])], [static(folders[1])]), Normalize())
    for made in (model.encode_query(TEXTS), model.encode_document(TEXTS)):
        np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-6)


def test_a_router_behind_other_modules_chooses_by_the_task_of_the_call(twin):
    transformer = Transformer(str(twin("bert-bare")))
    dense = {name: Dense(32, 4) for name in ("query", "document")}
    model = model_of(transformer, Pooling(32), Router({name: [module] for name, module in dense.items()}))
    for name, module in dense.items():
        expected = model_of(transformer, Pooling(32), module).encode(TEXTS)
        np.testing.assert_allclose(model.encode(TEXTS, task=name), expected, atol=1e-6)


# ---- items with a task of their own


def test_an_item_may_say_its_task_itself(asymmetric, alone):
    query, document = alone
    made = asymmetric.encode([{"query": TEXTS[0]}, {"document": TEXTS[0]}, TEXTS[0], {"query": TEXTS[1]}])
    expected = [query.encode(TEXTS[0]), document.encode(TEXTS[0]), document.encode(TEXTS[0]), query.encode(TEXTS[1])]
    np.testing.assert_array_equal(made, expected)
    np.testing.assert_array_equal(asymmetric.encode({"query": TEXTS[0]}), expected[0])


def test_an_item_cannot_contradict_its_call(asymmetric):
    np.testing.assert_array_equal(asymmetric.encode_query({"query": TEXTS[0]}), asymmetric.encode_query(TEXTS[0]))
    with pytest.raises(ValueError, match="says task 'document' and the call says 'query'"):
        asymmetric.encode_query([{"document": TEXTS[0]}])


def test_a_dict_with_another_key_is_no_item(asymmetric):
    with pytest.raises(ValueError, match="passage"):
        asymmetric.encode([{"passage": TEXTS[0]}])


# ---- modalities


@pytest.fixture
def mixed(twin):
    """Texts to a static model, pictures to CLIP, both of one width."""
    clip = Transformer.load_from(twin("clip"))
    width = clip.get_embedding_dimension()
    text = static(twin("static"))
    return model_of(Router({"text": [text, Dense(text.embedding_dim, width)], "image": [clip]}))


def test_a_list_of_texts_and_pictures_takes_the_routes_of_both(mixed, model):
    one, other = pictures()[:2]
    made = mixed.encode([TEXTS[0], one, TEXTS[1], other])
    np.testing.assert_allclose(made[[1, 3]], model("clip").encode([one, other]), atol=1e-6)
    np.testing.assert_allclose(made[[0, 2]], mixed.encode([TEXTS[0], TEXTS[1]]), atol=1e-6)
    assert not np.allclose(made[0], model("clip").encode(TEXTS[0]))


def test_what_routes_read_together_the_model_reads(mixed):
    assert mixed.modalities == ["text", "image"]


def test_a_picture_without_a_route_costs_no_other_item_anything(twin, folders):
    routes = {"fast": [static(folders[0])], "image": [Transformer.load_from(twin("clip"))]}
    router = Router(routes, route_mappings={("query", None): "fast"})
    picture = Image(pictures()[0])
    with pytest.raises(UnsupportedModality, match=r"route 'fast', for task 'query', reads text, and the item is image"):
        model_of(router).encode_query([TEXTS[0], picture])
    kept, indices = model_of(router).encode_query([TEXTS[0], picture, TEXTS[1]], on_error="skip")
    assert indices.tolist() == [0, 2]
    assert len(kept) == 2


def test_two_routes_prepare_one_picture_each_in_its_own_way(twin, edit_json):
    """What one route has prepared is kept for equal pictures of its own alone."""
    plain = twin("clip")
    changed = edit_json(plain, "preprocessor_config.json", image_mean=[0.1, 0.5, 0.9])
    models = {"query": Transformer.load_from(plain), "document": Transformer.load_from(changed)}
    model = model_of(Router({name: [module] for name, module in models.items()}))
    picture = pictures()[0]
    made = model.encode([{"query": picture}, {"document": picture}])
    for row, module in zip(made, models.values()):
        np.testing.assert_allclose(row, model_of(module).encode(picture), atol=1e-6)
    assert not np.allclose(made[0], made[1])


@pytest.fixture
def edit_json(tmp_path):
    def changed(folder, name, **values):
        copy = shutil.copytree(folder, tmp_path / "changed")
        (copy / name).write_text(json.dumps(json.loads((copy / name).read_text()) | values))
        return copy

    return changed


# ---- the order of the rules


RULES = {
    ("query", "text"): "a",
    ("query", None): "b",
    (None, "text"): "c",
    (None, None): "d",
}


@pytest.mark.parametrize(
    ("left_out", "expected"),
    [(0, "a"), (1, "b"), (2, "c"), (3, "d"), (4, "query")],
)
def test_the_most_particular_rule_comes_first(left_out, expected):
    names = ("text", "query", *"abcd")
    router = Router({name: [BoW(WORDS)] for name in names}, route_mappings=dict(list(RULES.items())[left_out:]))
    assert router.resolve("query", "text") == expected


def test_names_of_routes_stand_for_tasks_then_for_modalities_then_comes_the_default():
    router = Router({"text": [BoW(WORDS)], "query": [BoW(WORDS)], "x": [BoW(WORDS)]}, default_route="x")
    assert router.resolve("query", "text") == "query"
    assert router.resolve("other", "text") == "text"
    assert router.resolve(None, "image") == "x"
    assert router.resolve("other", "image") is None


def test_modalities_that_stand_together_have_no_order():
    router = Router({"a": [BoW(WORDS)], "b": [BoW(WORDS)]}, route_mappings={(None, ("text", "image")): "b"})
    assert router.resolve(None, ("image", "text")) == router.resolve(None, ("text", "image")) == "b"


@pytest.mark.parametrize(
    "arguments",
    [
        ({},),
        ({"a": []},),
        ({"a": [BoW(WORDS)]}, "b"),
        ({"a": [BoW(WORDS)]}, None, True, {("query", None): "b"}),
        ({"a": [BoW(WORDS)]}, None, True, {"query": "a"}),
    ],
)
def test_routes_that_do_not_exist_are_refused(arguments):
    with pytest.raises(UsageError, match="route"):
        Router(*arguments)


def test_vectors_of_different_widths_are_told():
    with pytest.warns(ManysenseWarning, match="different widths, which cannot be compared: query 2, document 5"):
        Router.for_query_document([BoW(WORDS[:2])], [BoW(WORDS)])


# ---- limits, options, features


def test_each_route_keeps_to_its_own_limit(folders):
    query, document = static(folders[0]), static(folders[1])
    query.max_seq_length, document.max_seq_length = 2, 4
    model = model_of(Router.for_query_document([query], [document]))
    assert model.max_seq_length == 4
    with pytest.warns(ManysenseWarning, match="2 tokens are read, the longest has 5"):
        model.encode_query("dog cat house red bird")
    assert np.array_equal(model.encode_query("dog cat house", on_truncate="ignore"), model.encode_query("dog cat"))
    assert not np.array_equal(model.encode_document("dog cat house"), model.encode_document("dog cat"))
    model.max_seq_length = 3
    assert (query.max_seq_length, document.max_seq_length) == (3, 3)


def test_an_option_must_be_known_to_one_of_the_routes(twin):
    clip, other = Transformer.load_from(twin("clip")), Transformer.load_from(twin("bert-bare"))
    text = [other, Pooling(32), Dense(32, clip.get_embedding_dimension())]
    model = model_of(Router({"text": text, "image": [clip]}))
    assert len(model.encode([TEXTS[0]], processing_kwargs={"image": {"do_center_crop": True}})) == 1
    with pytest.raises(UsageError, match="bogus"):
        model.encode(TEXTS, processing_kwargs={"text": {"bogus": 1}})


def test_features_remember_the_route_that_they_were_prepared_for(asymmetric, alone):
    with torch.no_grad():
        made = asymmetric(asymmetric.preprocess(TEXTS, task="query"))["sentence_embedding"]
    np.testing.assert_allclose(made, alone[0].encode(TEXTS), atol=1e-6)


def test_features_from_elsewhere_take_the_route_of_the_task(asymmetric, alone):
    features = alone[0].preprocess(TEXTS)
    with torch.no_grad():
        made = asymmetric(dict(features), task="query")["sentence_embedding"]
    np.testing.assert_allclose(made, alone[0].encode(TEXTS), atol=1e-6)
    with pytest.raises(UsageError, match="no route for task 'x'"):
        asymmetric(dict(features), task="x")


def test_a_batch_of_features_holds_one_route(asymmetric):
    with pytest.raises(UsageError, match="takes one route, got document, query"):
        asymmetric.preprocess([{"query": TEXTS[0]}, {"document": TEXTS[0]}])


def test_a_prompt_goes_to_the_route(folders, alone):
    router = Router.for_query_document([static(folders[0])], [static(folders[1])])
    model = SentenceTransformer(modules=[router], prompts={"query": "red "}, device="cpu")
    np.testing.assert_array_equal(model.encode_query("dog"), alone[0].encode("red dog"))


# ---- folders


def test_a_saved_router_takes_the_same_routes(asymmetric, tmp_path):
    asymmetric.save_pretrained(tmp_path)
    again = SentenceTransformer(str(tmp_path), device="cpu")
    np.testing.assert_array_equal(again.encode_query(TEXTS), asymmetric.encode_query(TEXTS))
    np.testing.assert_array_equal(again.encode_document(TEXTS), asymmetric.encode_document(TEXTS))
    assert again[0].get_config_dict() == asymmetric[0].get_config_dict()


def test_rules_are_saved(tmp_path):
    rules = {("query", "text"): "a", (None, ("image", "text")): "b", (None, None): "a"}
    module = Router({"a": [BoW(WORDS)], "b": [BoW(WORDS)]}, "b", False, rules)
    module.save(str(tmp_path))
    again = Router.load_from(tmp_path)
    assert again.route_mappings == rules
    assert (again.default_route, again.allow_empty_key, again.routes) == ("b", False, ("a", "b"))


def test_a_module_of_several_routes_is_saved_once_and_stays_one(folders, tmp_path):
    shared = static(folders[0])
    width = shared.embedding_dim
    Router({"query": [shared], "document": [shared, Dense(width, width)]}).save(str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == [
        "document_1_Dense",
        "query_0_StaticEmbedding",
    ]
    again = Router.load_from(tmp_path)
    assert again.modules_of("query")[0] is again.modules_of("document")[0]


@pytest.fixture
def asym_folder(folders, tmp_path):
    """As versions before 5 wrote it."""
    names = {"query": "140213_StaticEmbedding", "doc": "140907_StaticEmbedding"}
    inside = tmp_path / "0_Asym"
    for name, folder in zip(names.values(), folders):
        shutil.copytree(folder / "0_StaticEmbedding", inside / name)
    config = {
        "types": dict.fromkeys(names.values(), "sentence_transformers.models.StaticEmbedding"),
        "structure": {route: [name] for route, name in names.items()},
        "parameters": {"allow_empty_key": True},
    }
    (inside / "config.json").write_text(json.dumps(config))
    listed = [{"idx": 0, "name": "0", "path": "0_Asym", "type": "sentence_transformers.models.Asym"}]
    (tmp_path / "modules.json").write_text(json.dumps(listed))
    return tmp_path


def test_a_folder_of_asym_is_a_router(asym_folder, alone):
    model = SentenceTransformer(str(asym_folder), device="cpu")
    assert isinstance(model[0], Router)
    assert Asym is Router
    np.testing.assert_array_equal(model.encode({"doc": TEXTS[1]}), alone[1].encode(TEXTS[1]))
    np.testing.assert_array_equal(model.encode(TEXTS), alone[0].encode(TEXTS))


@pytest.mark.parametrize(
    "broken",
    [
        {"structure": {"a": ["missing"]}},
        {"types": None},
        {"types": {"../x": "sentence_transformers.models.BoW"}},
        {"parameters": {"route_mappings": {"__import__('os')": "a"}}},
        {"parameters": {"unknown": 1}},
    ],
)
def test_a_broken_folder_of_a_router_is_a_model_error(asymmetric, tmp_path, broken):
    asymmetric.save_pretrained(tmp_path)
    path = tmp_path / "router_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | broken))
    with pytest.raises(ModelError):
        SentenceTransformer(str(tmp_path), device="cpu")
