"""A model → one commit of a repository on the Hub: all of it, or nothing.

Knows: the steps (write the folder, make the repository, commit) and what the Hub may answer to each. Does not know: how
a model is written (save.py), how the Hub is spoken to (huggingface_hub).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ..errors import ManysenseError, ModelError, ModelNotFound, UsageError, first_line
from .card import NAME as CARD
from .refusals import LOG_IN, answer, sender
from .source import Source

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, HfApi

    from ..model import Model

NEVER_PUSHED = frozenset({".git", ".cache", "__pycache__"})
"""Folders that stay at home."""


@dataclass(frozen=True, slots=True)
class Push:
    """Where a model goes. repository: "owner/name"; without owner, the token's.

    exist_ok: whether the repository may be there already.  replace_card: whether README.md of the repository gives way
    to the model's.  revision: a branch, made where it is missing, or "refs/pr/23".  pull_request: propose the commit.
    """

    repository: str
    token: str | bool | None = None
    private: bool | None = None
    exist_ok: bool = False
    replace_card: bool = False
    revision: str | None = None
    pull_request: bool = False
    message: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.repository, str) or not self.repository.strip():
            raise UsageError(f"repo_id is a name as in 'owner/name', got {self.repository!r}")
        if self.pull_request and self.revision not in (None, "main"):
            raise UsageError(
                f"create_pr opens a pull request to the main branch, so that revision={self.revision!r} has no place; "
                'to add to one that is open, pass revision="refs/pr/23" alone'
            )


def push(
    model: Model,
    to: Push,
    *,
    local_model_path: str | Path | None = None,
    safe_serialization: bool = True,
    train_datasets: Iterable[str] | None = None,
) -> str:
    """Commit the model, or the folder `local_model_path`; the URL of the commit, or of the pull request.

    The folder is written before anything is changed on the Hub, and goes there as one commit. README.md of a repository
    stays as it is unless `to.replace_card`.  Raises UsageError, ModelError, ModelNotFound; then nothing was pushed.
    """
    api = Source(to.repository, token=to.token).api()
    with _sentences(to):
        name = to.repository if "/" in to.repository else f"{api.whoami()['name']}/{to.repository}"
    with TemporaryDirectory(prefix="manysense-push-") as made:
        folder = Path(made) if local_model_path is None else Path(local_model_path).expanduser()
        if local_model_path is None:
            model.save_pretrained(
                folder, model_name=name, train_datasets=train_datasets, safe_serialization=safe_serialization
            )
        files = _files(folder)
        with _sentences(to):
            return _committed(api, name, to, files, model)


def owned(repository: Any, organization: str | None) -> Any:
    """A name with its owner, where the two were given apart, as old versions of the known library did."""
    if organization is None or not isinstance(repository, str):
        return repository
    owner, _, _ = repository.rpartition("/")
    if owner and owner != organization:
        raise UsageError(
            f"repo_id={repository!r} and organization={organization!r} name two owners; leave organization away"
        )
    return repository if owner else f"{organization}/{repository}"


def _files(folder: Path) -> list[CommitOperationAdd]:
    from huggingface_hub import CommitOperationAdd

    if not folder.is_dir():
        raise UsageError(f"local_model_path={str(folder)!r} is no folder")
    found = [
        CommitOperationAdd(path.relative_to(folder).as_posix(), str(path))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not NEVER_PUSHED.intersection(path.relative_to(folder).parts)
    ]
    if not found:
        raise UsageError(f"local_model_path={str(folder)!r} is an empty folder")
    return found


def _committed(api: HfApi, name: str, to: Push, files: list[CommitOperationAdd], model: Model) -> str:
    api.create_repo(name, private=to.private, exist_ok=to.exist_ok or to.pull_request)
    branch = None if to.revision in (None, "main") else to.revision
    if branch is not None and not branch.startswith("refs/"):
        api.create_branch(name, branch=branch, exist_ok=True)
    if not to.replace_card and api.file_exists(name, CARD, revision=branch):
        files = [file for file in files if file.path_in_repo != CARD]
    done = api.create_commit(
        name,
        files,
        commit_message=to.message or f"Add new {model.model_type} model",
        commit_description=_description(name, model) if to.pull_request else None,
        revision=branch,
        create_pr=to.pull_request,
    )
    return str(done.pr_url or done.commit_url)


def _description(name: str, model: Model) -> str:
    """What a pull request says of itself."""
    return (
        f"This adds the files of a {model.model_type}:\n\n```\n{model}\n```\n\n"
        "To try it before it is merged, with the number of this pull request:\n\n"
        f'```python\nfrom manysense import {model.model_type}\n\nmodel = {model.model_type}("{name}", '
        'revision="refs/pr/1")\n```\n'
    )


@contextlib.contextmanager
def _sentences(to: Push) -> Iterator[None]:
    """What huggingface_hub raises inside, as an error of this package, without the traceback of an HTTP client."""
    try:
        yield
    except ManysenseError:
        raise
    except Exception as error:
        raise _refusal(to, error) from None


def _refusal(to: Push, error: Exception) -> ManysenseError:
    """One sentence and the way out."""
    from huggingface_hub import constants, errors

    what = f"nothing was pushed to {to.repository!r}"
    if isinstance(error, RuntimeError) and error.__cause__ is not None:  # how an upload that failed is wrapped
        error = error.__cause__ if isinstance(error.__cause__, Exception) else error
    if isinstance(error, errors.HFValidationError):
        return UsageError(f"{what}, which can be no name on the Hub: {first_line(error)}")
    if isinstance(error, errors.LocalTokenNotFoundError):
        return UsageError(f"{what}: pushing needs a token, and none is stored; {LOG_IN}")
    if isinstance(error, errors.OfflineModeIsEnabled):
        return ModelNotFound(f"{what}: HF_HUB_OFFLINE is set, which keeps this program offline")
    if isinstance(error, ValueError):  # a head of README.md that the Hub does not understand
        return ModelError(f"{what}: {error}")
    if not isinstance(error, errors.HfHubHTTPError):
        return ModelNotFound(
            f"{what}: the Hub at {constants.ENDPOINT} was not reached: {type(error).__name__}: {first_line(error)}\n"
            "  Check the connection and the proxy (HTTPS_PROXY, HF_ENDPOINT), and push again with exist_ok=True."
        )
    status = error.response.status_code
    if status == 409 and not to.exist_ok:
        return UsageError(
            f"{what}: that repository is there already\n"
            "  exist_ok=True adds a commit to it; create_pr=True proposes one."
        )
    if status in (401, 403, 404):
        return ModelError(
            f"{what}: {sender(to.token)} may not write there ({status}: {error.server_message or first_line(error)})\n"
            f"  To do it with another, {LOG_IN}; create_pr=True proposes a commit to a repository of others."
        )
    return ModelError(f"{what}: {answer(error)}")
