"""The command `manysense`: its commands, each in a file of its own, and what its exit codes mean.

    0    done
    1    done, but some inputs failed (--on-error skip)
    2    wrong usage: nothing was computed
    3    the model, or an optional package that it needs, cannot be loaded
    4    an input failed (--on-error raise)
    70   anything else: the result cannot be written, or a bug in manysense
    130  interrupted

Knows: the names of the commands. Does not know: what they do. Nothing heavy is imported here, so that --help is
instant; each command imports what it needs when it runs.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from .. import __version__
from .bench import bench
from .compare import compare
from .demo import demo
from .embed import embed
from .env import env
from .info import info
from .rerank import rerank
from .say import INTERRUPTED

EPILOG = """\b
Exit codes:
  0    done
  1    done, but some inputs failed (--on-error skip)
  2    wrong usage: nothing was computed
  3    the model, or an optional package that it needs, cannot be loaded
  4    an input failed (--on-error raise)
  70   anything else: the result cannot be written, or a bug in manysense
  130  interrupted"""

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"manysense {__version__}")
        raise typer.Exit()


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
) -> None:
    """Embed text, pictures, sound and video into one vector space."""


for _command in (demo, embed, compare, rerank, info, env):
    app.command()(_command)
app.add_typer(bench, name="bench")


def main() -> None:
    """The entry point. See this file's docstring for exit codes."""
    try:
        app(prog_name="manysense")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
