"""Where a model's files come from: a local folder or a Hub repository, as one frozen value.

Knows: names, revisions, tokens, caches, offline. Does not know: what the files mean (formats/).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import starter
from ..errors import ModelNotFound, UsageError, first_line

SKIPPED = ("*.h5", "*.msgpack", "*.ot", "*.onnx", "onnx/*", "openvino/*", "coreml/*", "*.gguf", "*.tflite", "*.mlmodel")
ORGANISATION = "sentence-transformers"


@dataclass(frozen=True, slots=True)
class Source:
    """name: of a model that ships with the package (manysense.starter.NAMES), a folder, or "owner/repository" on the
    Hub; without owner, one of the organisation sentence-transformers.

    token: Hub token, None for the one in HF_TOKEN.  cache_folder: None for SENTENCE_TRANSFORMERS_HOME, else the Hub's
    own cache (HF_HOME).  local_files_only: never ask the network.
    """

    name: str
    revision: str | None = None
    token: str | bool | None = None
    cache_folder: str | None = None
    local_files_only: bool = False
    trust_remote_code: bool = False

    def folder(self) -> Path:
        """A local folder with the model's files, downloaded if need be. Raises ModelNotFound with the way out."""
        if not self.name.strip():
            raise ModelNotFound("the name of the model is empty")
        packaged = starter.folder(self.name)
        if packaged is not None:
            if self.revision is not None:
                raise UsageError(f"{self.name} ships with the package and has no revisions; leave revision away")
            return packaged
        path = Path(self.name).expanduser()
        try:
            is_folder, is_file = path.is_dir(), path.is_file()
        except (OSError, ValueError) as error:
            raise ModelNotFound(f"{self.name[:80]!r} can be no folder and no name: {first_line(error)}") from error
        if is_folder:
            return path
        if is_file:
            raise ModelNotFound(f"{self.name!r} is a file; a model is a folder")
        if not self.name or self.name.count("/") > 1 or self.name.startswith((".", "/", "~")) or "\\" in self.name:
            raise ModelNotFound(f"there is no folder {self.name!r}, and a Hub name has the form owner/repository")
        return self._downloaded(self.name if "/" in self.name else f"{ORGANISATION}/{self.name}")

    def _downloaded(self, repository: str) -> Path:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import (
            HfHubHTTPError,
            HFValidationError,
            LocalEntryNotFoundError,
            RepositoryNotFoundError,
        )

        ignored = list(SKIPPED)
        kwargs: dict[str, Any] = {
            "revision": self.revision,
            "token": self.token,
            "cache_dir": self.cache_folder or os.environ.get("SENTENCE_TRANSFORMERS_HOME"),
            "local_files_only": self.local_files_only,
        }
        try:
            return Path(snapshot_download(repository, ignore_patterns=ignored, **kwargs))
        except LocalEntryNotFoundError as error:
            raise ModelNotFound(
                f"model {repository!r} is neither a folder nor in the local cache, and the Hub was not reached\n"
                "  Go online once, or pass the path of a folder; HF_HUB_OFFLINE and local_files_only keep it offline."
            ) from error
        except (RepositoryNotFoundError, HFValidationError) as error:
            raise ModelNotFound(
                f"model {repository!r} is neither a folder nor a repository of the Hub that this token may read\n"
                "  Check the spelling; for a private or gated model set HF_TOKEN."
            ) from error
        except (HfHubHTTPError, OSError) as error:
            raise ModelNotFound(f"model {repository!r} could not be fetched: {first_line(error)}") from error
