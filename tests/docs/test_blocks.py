"""Every code block of README.md, SECURITY.md and docs/ runs, and gives what it says.

A page is one program: its blocks run in order, in one namespace, in a folder of its own that holds a copy of samples/
and models under the names that the pages use. A comment `# → value` after a statement is compared with its value or
with what it printed: "…" stands for anything. The network is off.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import re
import shlex
import shutil
import socket
import sys
import tokenize
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from pages import ROOT, RUN, Block, blocks, name

MS_MARCO = "cross-encoder/ms-marco-MiniLM-L6-v2"
MINILM = ("path/to/model", "all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2")
STAND_INS = {
    "openai/clip-vit-base-patch32": "clip",
    "laion/clap-htsat-unfused": "clap",
    "Qwen/Qwen3-VL-Embedding-2B": "qwen3_vl",
    "Qwen/Qwen3-Reranker-0.6B": "answerer",
    "Qwen/Qwen3-VL-Reranker-2B": "vl_reranker",
}
"""Models that pages name, and the twins that stand there for them: a folder wins over a name on the Hub."""
NOT_RUN = re.compile(r"# not run: \S.{10,}")
MOST_NOT_RUN = 2
ARROW = "# →"


@pytest.fixture
def workshop(
    tmp_path: Path, twin: Callable[..., Path], minilm: str, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The folder that a page runs in."""
    shutil.copytree(samples, tmp_path / "samples")
    for spelled in MINILM:
        _link(tmp_path / spelled, Path(minilm))
    for spelled, family in STAND_INS.items():
        _link(tmp_path / spelled, twin(family))
    _raw_scores(shutil.copytree(twin("labeller"), tmp_path / MS_MARCO))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(socket, "getaddrinfo", _no_network)
    return tmp_path


def _link(place: Path, folder: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(folder, target_is_directory=True)


def _raw_scores(folder: Path) -> None:
    """Let config.json say, as that of MS_MARCO does, that scores go through no activation."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    own = {"sentence_transformers": {"activation_fn": "torch.nn.modules.linear.Identity"}}
    (folder / "config.json").write_text(json.dumps({**config, **own}), encoding="utf-8")


def _no_network(*args: Any, **kwargs: Any) -> NoReturn:
    raise OSError("a page asked the network")


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN, ids=name)
def test_every_block_of_a_page_runs_and_gives_what_it_says(page: Path, workshop: Path) -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(page):
        if block.info == "python":
            _run(block, namespace)
        elif block.language in ("console", "shell", "bash") and block.text.startswith("$ manysense"):
            _run_commands(block, workshop)


def test_blocks_that_do_not_run_are_few_and_say_why() -> None:
    written = [block for page in RUN for block in blocks(page) if block.language == "python"]
    left_out = [block for block in written if block.info != "python"]
    for block in left_out:
        assert block.info == "python no-run", f"{block.place}: {block.info!r} is no kind of block"
        first = block.text.splitlines()[0]
        assert NOT_RUN.fullmatch(first), f"{block.place}: its first line must be a comment '# not run: <reason>'"
    assert len(left_out) <= MOST_NOT_RUN, [block.place for block in left_out]


# ---- Python


def _run(block: Block, namespace: dict[str, Any]) -> None:
    expected = _arrows(block)
    wrong = []
    for node in ast.parse(block.text).body:
        place, printed = f"{name(block.page)}:{block.line + node.lineno - 1}", io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                value = _value(node, place, namespace)
        except Exception as error:
            raise AssertionError(f"{place}: {type(error).__name__}: {error}") from error
        shown = printed.getvalue() if value is None else repr(value)
        wanted = expected.get(node.lineno)
        if wanted is not None and not _alike(wanted, shown):
            wrong.append(f"{place}\n  says {wanted}\n  is   {shown.strip()}")
    assert not wrong, "\n".join(wrong)


def _value(node: ast.stmt, place: str, namespace: dict[str, Any]) -> Any:
    """Run one statement; its value, where it is an expression."""
    if isinstance(node, ast.Expr):
        return eval(compile(ast.Expression(node.value), place, "eval"), namespace)  # noqa: S307  our own pages
    exec(compile(ast.Module([node], []), place, "exec"), namespace)  # noqa: S102
    return None


def _arrows(block: Block) -> dict[int, str]:
    """Line of a top-level statement → what the arrows at its end and below it say."""
    starts = [node.lineno for node in ast.parse(block.text).body]
    found: dict[int, list[str]] = {}
    for token in tokenize.generate_tokens(io.StringIO(block.text).readline):
        if token.type == tokenize.COMMENT and token.string.startswith(ARROW):
            before = [start for start in starts if start <= token.start[0]]
            assert before, f"{block.place}: an arrow before any statement"
            found.setdefault(before[-1], []).append(token.string.removeprefix(ARROW).strip())
    return {start: "\n".join(lines) for start, lines in found.items()}


def _alike(wanted: str, shown: str) -> bool:
    """Equal but for white space; "…" stands for anything."""
    parts = (re.escape(" ".join(part.split())).replace(r"\ ", r"\s+") for part in wanted.split("…"))
    return re.fullmatch(r"\s*" + r".*".join(f"{part}\\s*" for part in parts), shown.strip(), re.DOTALL) is not None


# ---- the command


def _run_commands(block: Block, workshop: Path) -> None:
    lines = block.text.replace("\\\n", " ").splitlines()
    starts = [i for i, line in enumerate(lines) if line.startswith("$ ")]
    for start, end in zip(starts, [*starts[1:], len(lines)]):
        assert lines[start].startswith("$ manysense"), f"{block.place}: only the command's own blocks open with '$'"
        status, shown = _manysense(shlex.split(lines[start].removeprefix("$ "))[1:])
        assert status == 0, f"{block.place}: {lines[start]!r} ends with {status}:\n{shown}"
        wanted = set(re.findall(r"[A-Za-z]{4,}", "\n".join(lines[start + 1 : end])))
        missing = {word for word in wanted if word not in shown}
        assert len(missing) <= len(wanted) / 2, f"{block.place}: {lines[start]!r} shows none of {sorted(missing)}"


def _manysense(arguments: list[str]) -> tuple[int, str]:
    """Run the command in this process: its exit status and all it wrote."""
    from manysense.cli.app import main

    shown = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown):
        patch.setattr(sys, "argv", ["manysense", *arguments])
        try:
            main()
        except SystemExit as end:
            return int(end.code or 0), shown.getvalue()
    return 0, shown.getvalue()


# ---- these checks notice what they are for


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("1 + 1  # → 2\n", True),
        ("1 + 1  # → 3\n", False),
        ("print('a b')\n# → a   b\n", True),
        ("for i in range(2):\n    print(i)\n# → 0\n# → 1\n", True),
        ("for i in range(2):\n    print(i)\n# → 0\n", False),
        ("'a long text'  # → 'a …'\n", True),
        ("x = 1\nassert x == 2\n", False),
    ],
)
def test_a_block_that_is_wrong_is_seen(text: str, good: bool) -> None:
    block = Block(ROOT / "docs" / "made_up.md", "python", text, 1)
    if good:
        _run(block, {})
    else:
        with pytest.raises(AssertionError):
            _run(block, {})
