"""The public names, the logger, the tree of errors: what the package shows."""

from __future__ import annotations

import ast
import logging
import re
from pathlib import Path

import pytest

import manysense
from manysense import errors

SOURCE = Path(manysense.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))
NAMES = [str(path.relative_to(SOURCE)) for path in FILES]


@pytest.mark.parametrize("name", manysense.__all__)
def test_every_public_name_is_there(name):
    assert getattr(manysense, name) is not None


def test_public_names_are_sorted_and_listed_by_dir():
    assert manysense.__all__ == sorted(manysense.__all__)
    assert dir(manysense) == manysense.__all__


def test_editors_see_the_names_that_programs_get():
    (block,) = [n for n in ast.parse((SOURCE / "__init__.py").read_text()).body if isinstance(n, ast.If)]
    typed = {alias.asname or alias.name for node in block.body for alias in node.names}
    assert typed | {"__version__"} == set(manysense.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        manysense.Nothing  # noqa: B018


def test_the_package_is_typed():
    assert (SOURCE / "py.typed").is_file()


def test_the_version_is_that_of_the_distribution():
    from importlib.metadata import version

    assert manysense.__version__ == version("manysense")


# ---- no prints, one logger


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_nothing_is_printed(path):
    if path.is_relative_to(SOURCE / "cli"):
        return  # the command talks, through its own console
    calls = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
    assert not [n.lineno for n in calls if isinstance(n.func, ast.Name) and n.func.id == "print"]


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_every_logger_is_the_one_of_the_package(path):
    if path.name == "quiet.py":
        return  # it keeps another library's logger quiet
    calls = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
    loggers = [n.args for n in calls if isinstance(n.func, ast.Attribute) and n.func.attr == "getLogger"]
    assert all(len(args) == 1 and ast.literal_eval(args[0]) == "manysense" for args in loggers)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_the_library_leaves_logging_to_its_caller(path):
    if path.is_relative_to(SOURCE / "cli"):
        return
    assert not re.search(r"basicConfig|addHandler|StreamHandler", path.read_text())


def test_the_logger_has_no_handler_after_everything_is_imported():
    import manysense.sentence_transformer.model  # noqa: F401

    logger = logging.getLogger("manysense")
    assert logger.handlers == []
    assert logger.level == logging.NOTSET


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_every_file_opens_by_saying_what_it_is(path):
    if path.read_text().strip():
        assert ast.get_docstring(ast.parse(path.read_text()))


# ---- errors


def drawn():
    """name → (parent, further bases) as the docstring of errors.py draws them."""
    found, stack = {}, []
    for line in errors.__doc__.splitlines():
        match = re.match(r"^    ([│├└─\s]*)([A-Z]\w+)(?:\((\w+)\))?(?:\s|$)", line)
        if match:
            depth = len(match[1]) // 4
            stack[depth:] = [match[2]]
            found[match[2]] = (stack[depth - 1] if depth else None, match[3])
    return found


def test_the_drawn_tree_is_the_real_one():
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.ManysenseError)]
    real = {}
    for kind in classes:
        parents = [base for base in kind.__bases__ if issubclass(base, errors.ManysenseError)]
        builtin = [base.__name__ for base in kind.__bases__ if base not in parents]
        real[kind.__name__] = (parents[0].__name__ if parents else None, builtin[0] if builtin else None)
    real["ManysenseError"] = (None, None)  # an Exception, as the drawing need not say
    assert drawn() == real


def test_every_error_is_also_a_builtin_one():
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, errors.ManysenseError) and name != "ManysenseError":
            assert any(base.__module__ == "builtins" and base not in (Exception, BaseException, object)
                       for base in kind.__mro__), name  # fmt: skip


def test_an_error_of_an_item_says_where_why_and_what_to_do():
    error = errors.MediaError("cannot open it", index=3, total=10, hint="Try again.")
    assert str(error) == "item 3 of 10: cannot open it\n  Try again."


def test_an_os_error_of_ours_prints_its_reason():
    assert str(errors.ModelNotFound("no such model")) == "no such model"
    assert str(errors.MediaNotFound("no such file")) == "no such file"


def test_the_warning_is_a_user_warning():
    assert issubclass(manysense.ManysenseWarning, UserWarning)


def test_a_missing_extra_names_the_exact_command(monkeypatch):
    import sys

    from manysense.extras import need

    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(
        errors.MissingExtra, match=re.escape('to read video, manysense needs PyAV:  pip install "manysense[video]"')
    ):
        need("av", to="read video")


def test_an_extra_that_is_broken_says_how(monkeypatch, tmp_path):
    from manysense.extras import need

    (tmp_path / "soxr_broken.py").write_text("raise ImportError('libsoxr.so.0: cannot open shared object file')")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(errors.MissingExtra, match=r"fails to import.*libsoxr"):
        need("soxr_broken", to="resample sound")
