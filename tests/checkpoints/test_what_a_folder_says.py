"""What sentence_bert_config.json and tokenizer_config.json say of each call is done: lengths, sides, calls, tokenizers.

Knows: keys that change a vector. Does not know: what was set after loading (test_what_was_set_is_saved.py).
"""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import twins.bert
from manysense import ManysenseWarning, ModelError, SentenceTransformer
from reference.closeness import CLOSE, MOVED, distance

TEXT = "the red house on the hill and the dog by the water"
LONG = TEXT + " " + "a cat and two dogs in front of the old house " * 9
SAID = "sentence_bert_config.json"
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json")


def ours(folder, **kwargs):
    return SentenceTransformer(str(folder), device="cpu", **kwargs)


def vector(folder, text=TEXT, **kwargs):
    return ours(folder, **kwargs).encode(text, on_truncate="ignore")


def assert_same(made, expected):
    assert distance(made, expected) < CLOSE


def forward(output, feature="token_embeddings", **more):
    """The keys that say which output of the network is taken."""
    entry = {"method": "forward", "method_output_name": output}
    return {"modality_config": {"text": entry | more}, "module_output_name": feature}


def alone(folder):
    """The folder without the modules behind the first one."""
    modules = json.loads((folder / "modules.json").read_text())
    (folder / "modules.json").write_text(json.dumps(modules[:1]))
    return folder


@pytest.fixture
def theirs():
    library = pytest.importorskip("sentence_transformers")
    return lambda folder, **kwargs: library.SentenceTransformer(str(folder), device="cpu", **kwargs)


# ---- processing_kwargs


def test_the_length_in_processing_kwargs_is_read(broken, edit, twin):
    folder = broken()
    edit(folder / SAID, processing_kwargs={"text": {"max_length": 5, "truncation": True}})
    assert_same(vector(folder), vector(twin("bert"), "the red house"))


def test_processing_kwargs_stand_below_those_of_a_call(broken, edit, twin):
    folder = broken()
    edit(folder / SAID, processing_kwargs={"text": {"max_length": 5, "padding": True}})
    made = ours(folder).encode(TEXT, processing_kwargs={"text": {"max_length": 6}}, on_truncate="ignore")
    assert_same(made, vector(twin("bert"), "the red house on"))


def test_processing_kwargs_win_over_the_length_of_a_task(broken, edit, twin):
    folder = broken()
    edit(folder / SAID, processing_kwargs={"common": {"max_length": 5}}, query_length=4)
    assert_same(ours(folder).encode_query(TEXT, on_truncate="ignore"), vector(twin("bert"), "the red house"))


def test_truncation_that_a_folder_switches_off_ends_at_the_positions_of_the_model(broken, edit):
    folder = broken()
    edit(folder / SAID, max_seq_length=5, processing_kwargs={"text": {"truncation": False}})
    assert ours(folder).preprocess([LONG])["input_ids"].shape == (1, twins.bert.POSITIONS)


def test_options_for_pictures_in_processing_kwargs_are_read(broken, edit, samples):
    folder, wide = broken("clip"), str(samples / "landscape.jpg")
    exact = {"do_center_crop": False, "size": {"height": 48, "width": 48}}
    (folder / SAID).write_text(json.dumps({"processing_kwargs": {"image": exact, "common": {"return_tensors": "pt"}}}))
    plain = ours(folder)[0].image_policy
    made = ours(folder).preprocess([wide])["pixel_values"]
    (folder / SAID).unlink()
    assert plain.crop == (48, 48)
    assert torch.equal(made, ours(folder).preprocess([wide], processing_kwargs={"image": exact})["pixel_values"])
    assert not torch.equal(made, ours(folder).preprocess([wide])["pixel_values"])


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"text": {"add_special_tokens": False}}, "add_special_tokens"),
        ({"text": {"max_length": 0}}, "max_length"),
        ({"text": {"truncation": "only_second"}}, "only_second"),
        ({"text": 5}, "text is a dict of options, not 5"),
    ],
)
def test_processing_kwargs_that_would_be_read_in_another_way_are_refused(broken, edit, said, told):
    folder = broken()
    edit(folder / SAID, processing_kwargs=said)
    with pytest.raises(ModelError, match=f"processing_kwargs of the folder.*{told}"):
        ours(folder)


def test_a_section_of_processing_kwargs_that_nobody_knows_is_told(broken, edit):
    folder = broken()
    edit(folder / SAID, processing_kwargs={"max_length": {}})
    with pytest.warns(ManysenseWarning, match="not known and were left out: max_length"):
        ours(folder)


# ---- lengths and sides


def test_the_length_of_the_tokenizers_arguments_wins_over_the_folders(broken, edit):
    folder = broken()
    edit(folder / SAID, tokenizer_args={"model_max_length": 33}, max_seq_length=7)
    assert ours(folder).max_seq_length == 33
    assert ours(folder, processor_kwargs={"model_max_length": 9}).max_seq_length == 9


def ends(folder, text, limit=48):
    """[CLS], the last tokens of a text, [SEP]."""
    tokenizer = twins.bert._load(folder)[0]
    first, *middle, last = tokenizer(text)["input_ids"]
    return [first, *middle[len(middle) - (limit - 2) :], last]


def test_a_tokenizer_that_cuts_on_the_left_keeps_the_end_of_a_text(broken, edit, twin):
    folder = broken()
    edit(folder / "tokenizer_config.json", truncation_side="left")
    assert ours(folder).preprocess([LONG])["input_ids"].tolist() == [ends(twin("bert"), LONG)]


def test_the_side_can_be_said_when_a_model_is_loaded_and_later(twin):
    said, later = ours(twin("bert"), tokenizer_kwargs={"truncation_side": "left"}), ours(twin("bert"))
    later.tokenizer.truncation_side = "left"
    for model in (said, later):
        assert model.preprocess([LONG])["input_ids"].tolist() == [ends(twin("bert"), LONG)]


def test_of_a_very_long_text_too_the_end_is_kept(broken, edit, twin):
    folder = broken()
    edit(folder / "tokenizer_config.json", truncation_side="left")
    endless = "water " * 200_000 + LONG
    assert ours(folder).preprocess([endless])["input_ids"].tolist() == [ends(twin("bert"), LONG)]


def test_a_prompt_that_was_cut_on_the_left_takes_no_token_of_the_text_out_of_the_mean(broken, edit):
    folder = broken(include_prompt=False)
    edit(folder / "tokenizer_config.json", truncation_side="left")
    model = ours(folder)
    short, cut = model.preprocess(["a cat"], prompt="the dog "), model.preprocess([LONG], prompt="the dog ")
    assert short["prompt_length"].tolist() == [3]
    assert cut["prompt_length"].tolist() == [1]  # [CLS]


def test_a_chat_that_is_cut_on_the_left_keeps_what_stands_around_the_text(model, twin):
    left = ours(twin("qwen3_vl"), processor_kwargs={"truncation_side": "left"})
    call = {"processing_kwargs": {"text": {"max_length": 40}}}
    made = left.preprocess(["one two three four five six seven " * 9 + "the dog"], **call)["input_ids"][0]
    usual = model("qwen3_vl").preprocess(["one two three four five six seven " * 9 + "the dog"], **call)["input_ids"][0]
    said = left.tokenizer.decode(made)
    assert len(made) <= 40
    assert "the dog<|im_end|>" in said
    assert "the dog" not in left.tokenizer.decode(usual)
    assert made[:5].tolist() == usual[:5].tolist()


# ---- modality_config, module_output_name


def test_the_layer_that_modality_config_names_is_taken(broken, edit, twin):
    folder = broken(style="new", normalize=False)
    edit(folder / SAID, **forward(["hidden_states", -2]))
    ids = torch.tensor([twins.bert.token_ids(twin("bert"), TEXT)])
    with torch.inference_mode():
        states = twins.bert._load(twin("bert"))[1](ids, output_hidden_states=True).hidden_states
    assert_same(vector(folder), states[-2][0].mean(0).numpy())
    assert distance(vector(folder), states[-1][0].mean(0).numpy()) > MOVED


def test_an_output_may_be_the_vector_itself(broken, edit, twin):
    folder = alone(broken(style="new"))
    edit(folder / SAID, **forward("pooler_output", "sentence_embedding"))
    ids = torch.tensor([twins.bert.token_ids(twin("bert"), TEXT)])
    with torch.inference_mode():
        pooled = twins.bert._load(twin("bert"))[1](ids).pooler_output[0].numpy()
    assert_same(vector(folder), pooled)


def test_the_feature_that_an_output_becomes_has_the_name_that_the_folder_says(broken, edit):
    folder = broken(style="new")
    edit(folder / SAID, **forward("last_hidden_state", "word_states"))
    model = ours(folder)
    features = model[0](model.preprocess(["a dog"]))
    assert features["word_states"].shape == (1, 4, twins.bert.WIDTH)
    assert "token_embeddings" not in features


def test_calls_that_a_folder_names_are_in_a_saved_copy(broken, edit, tmp_path):
    folder = broken(style="new")
    edit(folder / SAID, **forward(["hidden_states", -2]), max_seq_length=20, do_lower_case=True)
    model = ours(folder)
    model.save_pretrained(tmp_path / "copy")
    again = ours(tmp_path / "copy")
    assert_same(again.encode(TEXT), model.encode(TEXT))
    assert (again.max_seq_length, again[0].do_lower_case) == (20, True)
    written = json.loads((tmp_path / "copy" / SAID).read_text())
    assert written["modality_config"] == forward(["hidden_states", -2])["modality_config"]


def test_what_older_versions_wrote_where_the_output_was_the_vector_is_read(broken):
    folder = broken("clip")
    said = {name: {"method": f"get_{name}_features", "method_output_name": None} for name in ("text", "image")}
    usual = vector(folder)
    (folder / SAID).write_text(json.dumps({"modality_config": said, "module_output_name": "sentence_embedding"}))
    np.testing.assert_array_equal(vector(folder), usual)


@pytest.mark.parametrize("method", ["save_pretrained", "push_to_hub", "__class__", "get_input_embeddings", "eval"])
def test_a_method_that_does_more_than_compute_is_refused(broken, edit, method):
    folder = broken(style="new")
    edit(folder / SAID, modality_config={"text": {"method": method, "method_output_name": None}})
    with pytest.raises(ModelError, match=f"asks for the method '{method}'; known are forward and get_…_features"):
        ours(folder)


def test_a_method_that_the_network_does_not_have_is_refused(broken, edit):
    folder = broken(style="new")
    edit(folder / SAID, modality_config={"text": {"method": "get_text_features", "method_output_name": None}})
    with pytest.raises(ModelError, match="asks for get_text_features, which a BertModel does not have"):
        ours(folder)


@pytest.mark.parametrize("entry", ["forward", {}, {"method": "forward", "method_output_name": {"a": 1}}])
def test_an_entry_of_another_form_is_refused(broken, edit, entry):
    folder = broken(style="new")
    edit(folder / SAID, modality_config={"text": entry})
    with pytest.raises(ModelError, match=r"modality_config holds|method_output_name is"):
        ours(folder)


def test_an_output_that_the_network_does_not_make_is_an_error_that_names_those_it_makes(broken, edit):
    folder = broken(style="new")
    edit(folder / SAID, **forward("text_embeds"))
    with pytest.raises(ModelError, match="BertModel makes no text_embeds; it makes last_hidden_state, pooler_output"):
        vector(folder)


# ---- tokenizer_name_or_path


def test_a_tokenizer_may_lie_elsewhere(broken, edit, twin, tmp_path):
    folder = broken()
    for name in TOKENIZER_FILES:
        (folder / name).unlink()
    edit(folder / SAID, tokenizer_name_or_path=str(twin("bert")))
    assert_same(vector(folder), vector(twin("bert")))
    ours(folder).save_pretrained(tmp_path / "copy")
    assert_same(vector(tmp_path / "copy"), vector(twin("bert")))
    assert "tokenizer_name_or_path" not in (tmp_path / "copy" / SAID).read_text()


# ---- with the known library


@pytest.mark.slow
@pytest.mark.parametrize(
    "said",
    [
        {"processing_kwargs": {"text": {"max_length": 5, "truncation": True}}},
        {"processing_kwargs": {"common": {"max_length": 7}}},
        {"tokenizer_args": {"model_max_length": 33}, "max_seq_length": 7},
        {"max_seq_length": None, **forward(["hidden_states", -2])},
        {"max_seq_length": 20, **forward("last_hidden_state")},
    ],
    ids=["text", "common", "tokenizer_args", "layer", "length"],
)
def test_a_folder_means_the_same_to_the_known_library_and_so_does_a_saved_copy(broken, edit, theirs, tmp_path, said):
    folder = broken(style="new")
    edit(folder / SAID, **{"modality_config": None, **said})
    assert_same(vector(folder, LONG), theirs(folder).encode(LONG))
    ours(folder).save_pretrained(tmp_path / "copy")
    assert_same(theirs(tmp_path / "copy").encode(LONG), vector(folder, LONG))


@pytest.mark.slow
@pytest.mark.parametrize("prompt", ["", "two cats "])
def test_the_known_library_cuts_on_the_same_side(broken, edit, theirs, prompt):
    folder = broken()
    edit(folder / "tokenizer_config.json", truncation_side="left")
    made = ours(folder).encode([LONG, "a dog"], prompt=prompt, on_truncate="ignore")
    assert_same(made, theirs(folder).encode([LONG, "a dog"], prompt=prompt))


@pytest.mark.slow
def test_the_known_library_takes_the_same_output_as_the_vector(broken, edit, theirs):
    folder = alone(broken(style="new"))
    edit(folder / SAID, **forward("pooler_output", "sentence_embedding"))
    assert_same(vector(folder), theirs(folder).encode(TEXT))


# ---- prompts


def test_a_prompt_without_a_text_is_as_good_as_none(tmp_path):
    folder = twins.bert.build(tmp_path)
    prompts = {"query": None, "document": "a "}
    (folder / "config_sentence_transformers.json").write_text(json.dumps({"prompts": prompts}))
    model = ours(folder)
    assert model.prompts == {"query": "", "document": "a "}
    assert_same(model.encode_query(TEXT), vector(folder))
