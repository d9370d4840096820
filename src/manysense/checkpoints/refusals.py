"""What it means when the Hub, the network or the cache refuses a model: one sentence, and what to try.

Knows: the errors of huggingface_hub, and where a person gets access, tokens and names. Does not know: how files are
fetched (source.py) or pushed (push.py).
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ManysenseError, ModelNotFound, UsageError, first_line
from ..starter import NAMES

if TYPE_CHECKING:
    from .source import Source

LOG_IN = "log in with `hf auth login`, set HF_TOKEN, or pass token="


def is_absent(error: Exception) -> bool:
    """Whether it only says that nothing of this name is there, so that another reading of the name may be."""
    from huggingface_hub import errors

    absent = (errors.RepositoryNotFoundError, errors.RevisionResolutionError, errors.LocalEntryNotFoundError)
    return isinstance(error, absent) and not isinstance(error, (errors.GatedRepoError, errors.IncompleteSnapshotError))


def refusal(what: str, repository: str, error: Exception, source: Source) -> ManysenseError:
    """The error of this package for whatever huggingface_hub raised while it fetched a repository.

    what: the subject of the sentence, "model 'owner/name'".
    """
    from huggingface_hub import constants, errors

    if isinstance(error, errors.IncompleteSnapshotError):
        return ModelNotFound(
            f"{what} is only partly in the local cache: its download was cut short, or another program fetched a part\n"
            "  Go online once to complete it; HF_HUB_OFFLINE and local_files_only keep it offline."
        )
    if isinstance(error, (errors.LocalEntryNotFoundError, errors.RevisionResolutionError)):
        return _unreached(what, repository, error, source)
    if isinstance(error, errors.GatedRepoError):
        return ModelNotFound(
            f"{what} is gated, and {sender(source.token)} has no access\n"
            f"  Ask for it at {constants.ENDPOINT}/{repository}; then {LOG_IN}."
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return ModelNotFound(
            f"{what} is neither a folder nor a repository of the Hub that {sender(source.token)} may read\n"
            f"  {_meant(repository, source)}Check the spelling; for a private model {LOG_IN}."
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return ModelNotFound(f"{what} has no revision {source.revision!r}\n  {_revisions(repository, source)}")
    if isinstance(error, errors.LocalTokenNotFoundError):
        return UsageError(f"token=True asks for the stored token, and there is none; {LOG_IN} as text")
    if isinstance(error, errors.HFValidationError):
        return ModelNotFound(f"{what} can be no folder and no name of the Hub: {first_line(error)}")
    if isinstance(error, errors.HfHubHTTPError):
        return ModelNotFound(f"{what} could not be fetched: {answer(error)}")
    if isinstance(error, OSError) and error.errno is not None:
        return ModelNotFound(
            f"{what} could not be written to the cache: {error}\n"
            "  Make room or give access there, or name another folder with cache_folder or HF_HOME."
        )
    return ModelNotFound(
        f"{what} could not be fetched: {type(error).__name__}: {first_line(error)}\n"
        "  Try again: what was fetched is kept."
    )


def sender(token: str | bool | None) -> str:
    """Who asked, as the subject of a sentence."""
    from huggingface_hub import get_token

    stored = token if isinstance(token, str) else None if token is False else get_token()
    return "this token" if stored else "a caller without token"


def answer(error: Any) -> str:
    """What the Hub said, and what to do about it. error: HfHubHTTPError."""
    from huggingface_hub import constants

    status = error.response.status_code
    said = f"the Hub answered {status}" + (f": {error.server_message.strip()}" if error.server_message else "")
    if status == 401:
        where = f"{constants.ENDPOINT}/settings/tokens"
        return f"{said}\n  The token is missing or unknown there: make one at {where}; then {LOG_IN}."
    if status == 403:
        return f"{said}\n  This token is not allowed to: {LOG_IN} of one that is."
    if status == 429:
        return f"{said}\n  It was asked too often: wait a while, or {LOG_IN}, which allows more."
    return f"{said}\n  Try again later."


def _unreached(what: str, repository: str, error: Exception, source: Source) -> ManysenseError:
    """Nothing in the cache, and the Hub was not asked or did not answer."""
    from huggingface_hub import constants, errors

    cause = error.__cause__
    at = f" at revision {source.revision!r}" if source.revision is not None else ""
    missing = f"{what}{at} is neither a folder nor in the local cache"
    if isinstance(cause, errors.HfHubHTTPError):
        return ModelNotFound(f"{missing}, and {answer(cause)}")
    if cause is None or source.offline:
        return ModelNotFound(
            f"{missing}, and the Hub was not reached\n"
            f"  {_meant(repository, source)}Go online once, or pass the path of a folder; HF_HUB_OFFLINE and "
            "local_files_only keep it offline."
        )
    return ModelNotFound(
        f"{missing}, and the Hub at {constants.ENDPOINT} was not reached: {first_line(cause)}\n"
        "  Check the connection and the proxy (HTTPS_PROXY, HF_ENDPOINT), or pass the path of a folder."
    )


def _revisions(repository: str, source: Source) -> str:
    rest = 'A pull request is "refs/pr/23"; a commit is its whole hash.'
    try:
        refs = source.api().list_repo_refs(repository)
    except Exception:  # only a help: what was wrong is known without it
        return rest
    named = [ref.name for ref in (*refs.branches, *refs.tags)]
    return f"It has {', '.join(named[:10])}{' …' if len(named) > 10 else ''}. {rest}"


def _meant(repository: str, source: Source) -> str:
    """ "Did you mean …? " with up to three names, or nothing."""
    from huggingface_hub import constants

    cache = Path(source.cache or constants.HF_HUB_CACHE).expanduser()
    cached = [path.name.removeprefix("models--").replace("--", "/") for path in cache.glob("models--*")]
    of_owner, of_name = _on_the_hub(repository, source)
    known = {*cached, *of_owner, *NAMES} - {repository}
    near = difflib.get_close_matches(repository, sorted(known), n=3, cutoff=0.8)
    meant = list(dict.fromkeys([*near, *of_name]))[:3]
    return f"Did you mean {' or '.join(map(repr, meant))}? " if meant else ""


def _on_the_hub(repository: str, source: Source) -> tuple[list[str], list[str]]:
    """Models of the same owner; models of the same name."""
    owner, _, name = repository.rpartition("/")
    if source.offline or not owner:
        return [], []
    try:
        api = source.api()
        of_owner = [model.id for model in api.list_models(author=owner, sort="downloads", limit=300)]
        return of_owner, [model.id for model in api.list_models(search=name, sort="downloads", limit=3)]
    except Exception:  # only a help: what was wrong is known without it
        return [], []
