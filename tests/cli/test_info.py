"""`manysense info` says what a load would give; `manysense env` tells no secrets."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from manysense.cli.app import app


def facts(*arguments, **kwargs):
    done = CliRunner().invoke(app, [*map(str, arguments), "--json"], **kwargs)
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("bert", {"dense": 16, "prompts": {"query": "find: "}}),
        ("bert-bare", {}),
        ("static", {}),
        ("clip", {"form": "new"}),
        ("clip", {"form": "old"}),
        ("clap", {}),
        ("qwen3_vl", {"form": "st"}),
    ],
)
def test_it_says_what_a_load_gives(name, variant, twin, model):
    said, network = facts("info", twin(name, **variant)), model(name, **variant)
    assert said["modalities"] == network.modalities
    assert said["dims"] == network.get_embedding_dimension()
    assert said["limits"]["text"]["tokens"] == network.max_seq_length
    assert said["prompts"] == network.prompts
    assert said["similarity"] == network.similarity_fn_name
    assert [text.split(" ")[0] for text in said["modules"]] == [type(module).__name__ for module in network]
    assert said["parameters"] == sum(p.numel() for p in network.parameters())
    held = sum(t.numel() * t.element_size() for t in network.parameters())
    assert held <= said["memory_bytes"]["float32"] <= 1.4 * held  # the files hold buffers too


@pytest.mark.parametrize(
    ("name", "kind", "limit"),
    [
        ("clip", "image", {"size": [48, 48]}),
        ("clap", "audio", {"rate": 48_000, "seconds": 10.0}),
        ("qwen3_vl", "image", {"pixels": 1800 * 32 * 32}),
        ("qwen3_vl", "video", {"frames": 64, "fps": 1.0}),
    ],
)
def test_it_says_how_much_of_an_input_is_read(name, kind, limit, twin):
    assert facts("info", twin(name))["limits"][kind] == limit


def test_it_reads_no_weights(twin, tmp_path):
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(twin("clip"), folder)
    (folder / "model.safetensors").unlink()
    done = CliRunner().invoke(app, ["info", str(folder)])
    assert done.exit_code == 0, done.stderr
    assert "no weights found" in done.stdout


def test_what_is_missing_comes_with_the_command_to_install_it(twin, monkeypatch):
    monkeypatch.setattr("manysense.extras.missing", lambda: {"audio": "…", "video": "…"})
    assert facts("info", twin("clap"))["install"] == 'pip install "manysense[audio]"'
    assert facts("info", twin("qwen3_vl"))["install"] == 'pip install "manysense[video]"'
    assert facts("info", twin("clip"))["install"] is None
    page = CliRunner().invoke(app, ["info", str(twin("clap"))]).stdout
    assert 'to read audio:  pip install "manysense[audio]"' in page


def test_the_page_fits_and_names_everything(twin):
    page = CliRunner().invoke(app, ["info", str(twin("qwen3_vl"))]).stdout
    for words in ("text, up to 8,192 tokens", "pictures, up to", "video, up to 64 frames", "→ Pooling (lasttoken)"):
        assert words in page
    assert max(map(len, page.splitlines())) <= 100


def test_env_names_versions_devices_and_switches():
    said = facts("env", env={"HF_HUB_OFFLINE": "1"})
    import torch

    assert torch.__version__.startswith(said["packages"]["torch"])
    assert said["devices"][0].startswith("cpu")
    assert torch.__version__ in said["devices"][0]
    assert said["environment"]["HF_HUB_OFFLINE"] == "1"
    assert said["cpu_cores"] >= 1


def test_env_tells_no_secret():
    hidden = {"HF_TOKEN": "hf_s3cret", "HTTPS_PROXY": "http://me:pa55@proxy", "HF_ENDPOINT": "https://me:pa55@mirror/x"}
    for arguments in (["env"], ["env", "--json"]):
        text = CliRunner().invoke(app, arguments, env=hidden).stdout
        assert "s3cret" not in text
        assert "pa55" not in text
    said = facts("env", env=hidden)["environment"]
    assert said["HF_TOKEN"] == said["HTTPS_PROXY"] == "set"
    assert said["HF_ENDPOINT"] == "https://…@mirror/x"
