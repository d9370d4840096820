"""A Hub on loopback: repositories with commits, branches and pull requests, behind the protocol of huggingface_hub.

Knows: what huggingface_hub asks for names, files, refs, uploads and commits, and how the Hub answers, refusals
included. Does not know: models; manysense. It keeps what was asked, so that a test can say what was not.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

Files = dict[str, bytes]


def files_of(folder: Path) -> Files:
    """Every file of a folder, by its path inside."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@dataclass
class Repository:
    """refs: branch, tag or "refs/pr/N" → commit.  readers: tokens that may read it, None for everybody.

    gated: its names may be listed by everybody, its files are for `readers` alone.
    """

    commits: dict[str, Files] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)
    readers: set[str] | None = None
    gated: bool = False
    messages: dict[str, str] = field(default_factory=dict)

    def commit(self, files: Files, ref: str = "main", message: str = "") -> str:
        """Put these files, and no other, at a ref; the commit's hash."""
        made = hashlib.sha1(json.dumps([sorted(files), len(self.commits), ref, message]).encode()).hexdigest()
        self.commits[made], self.refs[ref], self.messages[made] = dict(files), made, message
        return made

    def at(self, revision: str) -> str | None:
        return self.refs.get(revision, revision if revision in self.commits else None)

    def files(self, revision: str = "main") -> Files:
        return self.commits[self.refs.get(revision, revision)]


@dataclass
class Trouble:
    """What goes wrong with the next `times` requests for paths that end so: the connection breaks after so many bytes
    of content, or the answer is an error of this status."""

    end: str
    after: int | None = None
    status: int = 0
    message: str = ""
    times: int = 1


@dataclass
class Hub:
    """users: token → name of the user, who may write below that name.  troubles: what goes wrong, in that order.

    asked, headers: of every request so far, "METHOD /path" and its headers by lower-case name.
    """

    url: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    uploads: Files = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)
    lfs: tuple[str, ...] = (".safetensors", ".bin")

    def add(self, name: str, source: Path | Files, ref: str = "main", **kwargs: Any) -> str:
        """Add a repository, or a commit to one; the commit's hash."""
        repository = self.repositories.setdefault(name, Repository(**kwargs))
        return repository.commit(source if isinstance(source, dict) else files_of(source), ref)

    def count(self, pattern: str) -> int:
        return sum(re.search(pattern, line) is not None for line in self.asked)


@contextmanager
def serving() -> Iterator[Hub]:
    """A Hub without repositories, answering at `hub.url` until the block ends."""
    hub = Hub()
    handler = type("Answer", (_Answer,), {"hub": hub})
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    http.daemon_threads = True
    hub.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, name="hub-stub")
    thread.start()
    try:
        yield hub
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


class _Broken(Exception):
    """The answer was given otherwise."""


class _Answer(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"
    limit: int | None = None

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._route()

    do_HEAD = do_POST = do_PUT = do_GET

    # ---- which question it is

    def _route(self) -> None:
        url = urlsplit(self.path)
        self.query = {key: values[0] for key, values in parse_qs(url.query).items()}
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or self._chunks()
        self.hub.asked.append(f"{self.command} {url.path}")
        self.hub.headers.append({name.lower(): value for name, value in self.headers.items()})
        self.limit = None
        try:
            self._trouble(url.path)
            for pattern, answer in _ROUTES:
                found = re.fullmatch(pattern, url.path)
                if found:
                    answer(self, **{key: unquote(value) for key, value in found.groupdict().items()})
                    return
            self.error(404, f"the stub does not know {self.command} {url.path}")
        except _Broken:
            pass

    def _trouble(self, path: str) -> None:
        for trouble in self.hub.troubles:
            if trouble.times and path.endswith(trouble.end) and not (self.command == "HEAD" and trouble.status == 0):
                trouble.times -= 1
                self.limit = trouble.after
                if trouble.status:
                    self.error(trouble.status, trouble.message)
                return

    def _chunks(self) -> bytes:
        """The body of a request in chunks."""
        parts = []
        while "chunked" in self.headers.get("Transfer-Encoding", ""):
            size = int(self.rfile.readline(), 16)
            parts.append(self.rfile.read(size))
            self.rfile.readline()
            if not size:
                break
        return b"".join(parts)

    # ---- answering

    def send(self, body: bytes = b"", status: int = 200, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", headers.pop("Content-Length", str(len(body))))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body if self.limit is None else body[: self.limit])
        if self.limit is not None and self.command != "HEAD":
            self.close_connection = True

    def json(self, value: Any, status: int = 200, **headers: str) -> None:
        self.send(json.dumps(value).encode(), status, **{"Content-Type": "application/json", **headers})

    def error(self, status: int, message: str, **headers: str) -> None:
        self.json({"error": message}, status, **{"X-Error-Message": message, **headers})
        raise _Broken

    # ---- who asks, and for what

    def token(self) -> str | None:
        given = self.headers.get("Authorization", "").removeprefix("Bearer ").strip() or None
        if given is not None and given not in self.hub.users:
            self.error(401, "Invalid credentials in Authorization header")
        return given

    def repository(self, name: str) -> Repository:
        token = self.token()
        if name in self.hub.renamed:
            self.send(b"", 307, Location=self.path.replace(name, self.hub.renamed[name], 1))
            raise _Broken
        found = self.hub.repositories.get(name)
        private = found is not None and found.readers is not None and not found.gated
        if found is None or (private and token not in found.readers):
            self.error(404 if token else 401, "Repository not found", **{"X-Error-Code": "RepoNotFound"})
        return found

    def commit(self, name: str, revision: str) -> tuple[Repository, str]:
        repository = self.repository(name)
        commit = repository.at(revision)
        if commit is None:
            self.error(404, f"Invalid rev id: {revision}", **{"X-Error-Code": "RevisionNotFound"})
        return repository, commit

    def writer(self, name: str) -> str:
        token = self.token()
        if token is None:
            self.error(401, "Invalid username or password.")
        if self.hub.users[token] != name.partition("/")[0]:
            self.error(403, f"You don't have the rights to write to {name}")
        return token

    # ---- reading

    def info(self, name: str, revision: str = "main") -> None:
        repository, commit = self.commit(name, revision)
        siblings = [{"rfilename": path} for path in repository.commits[commit]]
        self.json({"id": name, "modelId": name, "sha": commit, "private": False, "tags": [], "siblings": siblings})

    def listing(self) -> None:
        self.token()
        author, search = self.query.get("author"), self.query.get("search")
        found = [
            {"id": name, "modelId": name, "tags": []}
            for name, repository in self.hub.repositories.items()
            if repository.readers is None
            and (author is None or name.startswith(f"{author}/"))
            and (search is None or search.lower() in name.lower())
        ]
        self.json(found[: int(self.query.get("limit", 1000))])

    def tree(self, name: str, revision: str) -> None:
        repository, commit = self.commit(name, revision)
        self.json(
            [
                {
                    "type": "file",
                    "path": path,
                    "size": len(content),
                    "oid": _blob(content),
                    **self._pointer(path, content),
                }
                for path, content in repository.commits[commit].items()
            ]
        )

    def _pointer(self, path: str, content: bytes) -> dict[str, Any]:
        if not path.endswith(self.hub.lfs):
            return {}
        return {"lfs": {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}}

    def refs(self, name: str) -> None:
        repository = self.repository(name)
        made: dict[str, list[dict[str, str]]] = {"branches": [], "tags": [], "converts": []}
        for ref, commit in repository.refs.items():
            if not ref.startswith("refs/pr/"):
                kind = "tags" if ref in repository.tags else "branches"
                made[kind].append({"name": ref, "ref": f"refs/heads/{ref}", "targetCommit": commit})
        self.json(made)

    def resolve(self, name: str, revision: str, path: str) -> None:
        repository, commit = self.commit(name, revision)
        token = self.token()
        if repository.gated and token not in (repository.readers or ()):
            message = f"Access to model {name} is restricted."
            self.error(403 if token else 401, message, **{"X-Error-Code": "GatedRepo"})
        content = repository.commits[commit].get(path)
        if content is None:
            self.error(404, "Entry not found", **{"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit})
        etag = hashlib.sha256(content).hexdigest() if path.endswith(self.hub.lfs) else _blob(content)
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        if self.command == "HEAD":
            headers["Content-Length"] = str(len(content))
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked:
            start = int(asked[1])
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self.send(content[start:], 206, **headers)
        else:
            self.send(content, **headers)

    # ---- writing

    def whoami(self) -> None:
        token = self.token()
        if token is None:
            self.error(401, "Invalid username or password.")
        self.json({"type": "user", "name": self.hub.users[token], "orgs": [], "auth": {"type": "access_token"}})

    def create(self) -> None:
        asked = json.loads(self.body)
        token = self.token()
        if token is None:
            self.error(401, "Invalid username or password.")
        name = f"{asked.get('organization') or self.hub.users[token]}/{asked['name']}"
        if name in self.hub.repositories:
            self.json({"error": "You already created this model repo", "url": f"{self.hub.url}/{name}"}, 409)
            return
        self.writer(name)
        private = asked.get("private") or asked.get("visibility") == "private"
        self.hub.repositories[name] = Repository(readers={token} if private else None)
        self.hub.repositories[name].commit({".gitattributes": b""}, message="initial commit")
        self.json({"url": f"{self.hub.url}/{name}", "name": name, "id": name})

    def validate(self) -> None:
        self.json({"errors": [], "warnings": []})

    def branch(self, name: str, branch: str) -> None:
        self.writer(name)
        repository = self.repository(name)
        if branch in repository.refs:
            self.error(409, "Reference already exists")
        repository.refs[branch] = repository.refs["main"]
        self.json({}, 201)

    def preupload(self, name: str, revision: str) -> None:
        _, commit = self.commit(name, revision)
        if "create_pr" not in self.query:
            self.writer(name)
        modes = [
            {
                "path": file["path"],
                "uploadMode": "lfs" if file["path"].endswith(self.hub.lfs) else "regular",
                "shouldIgnore": False,
            }
            for file in json.loads(self.body)["files"]
        ]
        self.json({"files": modes, "commitOid": commit})

    def lfs_batch(self, name: str) -> None:
        self.repository(name)
        objects = [
            {
                "oid": file["oid"],
                "size": file["size"],
                "actions": {"upload": {"href": f"{self.hub.url}/lfs/{file['oid']}", "header": {}}},
            }
            for file in json.loads(self.body)["objects"]
        ]
        self.json({"transfer": "basic", "objects": objects})

    def lfs_put(self, oid: str) -> None:
        assert hashlib.sha256(self.body).hexdigest() == oid
        self.hub.uploads[oid] = self.body
        self.send()

    def take_commit(self, name: str, revision: str) -> None:
        repository, before = self.commit(name, revision)
        if "create_pr" not in self.query:
            self.writer(name)
        header, *operations = [json.loads(line) for line in self.body.splitlines()]
        files = dict(repository.commits[before])
        for operation in operations:
            value = operation["value"]
            if operation["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif operation["key"] == "lfsFile":
                files[value["path"]] = self.hub.uploads[value["oid"]]
            else:
                self.error(400, f"the stub does not know {operation['key']}")
        number = 1 + sum(ref.startswith("refs/pr/") for ref in repository.refs)
        pull = "create_pr" in self.query
        made = repository.commit(files, f"refs/pr/{number}" if pull else revision, header["value"]["summary"])
        answer = {"success": True, "commitOid": made, "commitUrl": f"{self.hub.url}/{name}/commit/{made}"}
        if pull:
            answer["pullRequestUrl"] = f"{self.hub.url}/{name}/discussions/{number}"
        self.json(answer)


def _blob(content: bytes) -> str:
    """The id that git gives to a file of this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


_NAME = r"(?P<name>[^/]+(?:/[^/]+)?)"
_REVISION = r"(?P<revision>refs(?:/|%2F)pr(?:/|%2F)\d+|[^/]+)"
_ROUTES: list[tuple[str, Callable[..., None]]] = [
    (r"/api/models", _Answer.listing),
    (r"/api/whoami-v2", _Answer.whoami),
    (r"/api/repos/create", _Answer.create),
    (r"/api/validate-yaml", _Answer.validate),
    (rf"/api/models/{_NAME}/revision/{_REVISION}", _Answer.info),
    (rf"/api/models/{_NAME}/tree/{_REVISION}", _Answer.tree),
    (rf"/api/models/{_NAME}/refs", _Answer.refs),
    (rf"/api/models/{_NAME}/branch/(?P<branch>.+)", _Answer.branch),
    (rf"/api/models/{_NAME}/preupload/{_REVISION}", _Answer.preupload),
    (rf"/api/models/{_NAME}/commit/{_REVISION}", _Answer.take_commit),
    (rf"/api/models/{_NAME}", _Answer.info),
    (rf"/{_NAME}\.git/info/lfs/objects/batch", _Answer.lfs_batch),
    (r"/lfs/(?P<oid>[0-9a-f]{64})", _Answer.lfs_put),
    (rf"/{_NAME}/resolve/{_REVISION}/(?P<path>.+)", _Answer.resolve),
]


@contextmanager
def connected(folder: Path) -> Iterator[Hub]:
    """A Hub that huggingface_hub asks in this process, with a cache below `folder`, online and without a token."""
    from huggingface_hub import constants

    with serving() as hub, pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "ENDPOINT": hub.url,
            "HUGGINGFACE_CO_URL_TEMPLATE": hub.url + "/{repo_id}/resolve/{revision}/{filename}",
            "HF_HUB_OFFLINE": False,
            "HF_HUB_CACHE": str(folder / "cache"),
            "HF_TOKEN_PATH": str(folder / "token"),
            "HF_HUB_DISABLE_XET": True,  # that storage is another server, with a protocol of its own
        }.items():
            patch.setattr(constants, name, value)
        for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "SENTENCE_TRANSFORMERS_HOME"):
            patch.delenv(name, raising=False)
        yield hub
