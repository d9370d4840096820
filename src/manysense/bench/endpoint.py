"""A reranker behind HTTP: POST /rerank, in the JSON that Cohere, Jina, vLLM and Text Embeddings Inference speak.

Knows: the two forms of requests and of answers, loopback. Does not know: loads, clocks.

It goes to the address itself: no proxy, no redirect. One connection a thread, kept open, as a client in production has.
"""

from __future__ import annotations

import base64
import http.client
import ipaddress
import json
import mimetypes
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from ..errors import UsageError
from ..inputs.forms import form_of
from ..settings import choose

Form = Literal["documents", "texts"]
FORMS: tuple[Form, ...] = ("documents", "texts")
_GONE = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError, http.client.CannotSendRequest)


class Endpoint:
    """form: "documents" (Cohere, Jina, vLLM; pictures go as {"image": data URI}) or "texts" (Text Embeddings Inference,
    text alone).  served_name: of the model, where the server wants one.  timeout: seconds that an answer may take.

    Raises UsageError for an address that is no http(s) URL, or not of this machine without allow_remote.
    """

    def __init__(
        self,
        url: str,
        *,
        form: Form = "documents",
        served_name: str | None = None,
        timeout: float = 60.0,
        allow_remote: bool = False,
    ) -> None:
        choose("--form", form, FORMS)
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"{url!r} is no http(s) URL; an endpoint looks like http://127.0.0.1:8080/rerank")
        if not allow_remote and not is_loopback(parts.hostname):
            raise UsageError(
                f"{parts.hostname} is not this machine; a load can disturb others, and the network adds its own delay\n"
                "  --allow-remote sends it there all the same."
            )
        self._connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._host, self._port, self._timeout = parts.hostname, parts.port, timeout
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._form, self._served_name = form, served_name
        self._mine = threading.local()

    def rank(self, query: Any, documents: Sequence[Any], /, *, top_k: int | None = None) -> list[dict[str, Any]]:
        """See Reranker. Raises OSError where the server cannot be reached or refuses, ValueError for its answer."""
        status, body = self._post(json.dumps(self.body(query, documents, top_k)).encode())
        if status != 200:
            raise OSError(f"HTTP {status}: {body[:200].decode('utf-8', 'replace')}")
        return hits(json.loads(body))

    def body(self, query: Any, documents: Sequence[Any], top_k: int | None) -> dict[str, Any]:
        made: dict[str, Any] = {"query": sent(query), self._form: [sent(document) for document in documents]}
        if self._form == "texts" and not all(isinstance(one, str) for one in (made["query"], *made["texts"])):
            raise ValueError('the form "texts" carries text alone; pictures need the form "documents"')
        if self._form == "documents":
            made["top_n"] = len(documents) if top_k is None else top_k
        if self._served_name is not None:
            made["model"] = self._served_name
        return made

    def _post(self, body: bytes) -> tuple[int, bytes]:
        used = getattr(self._mine, "connection", None)
        try:
            return self._exchange(used or self._opened(), body)
        except _GONE:
            self._close()
            if used is None:
                raise
        return self._exchange(self._opened(), body)  # the server had closed a connection that lay idle

    def _exchange(self, connection: http.client.HTTPConnection, body: bytes) -> tuple[int, bytes]:
        try:
            connection.request("POST", self._path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        except TimeoutError as error:
            self._close()
            raise TimeoutError(f"no answer within {self._timeout:g} s") from error
        except (OSError, http.client.HTTPException):
            self._close()
            raise

    def _opened(self) -> http.client.HTTPConnection:
        self._mine.connection = self._connect(self._host, self._port, timeout=self._timeout)
        made: http.client.HTTPConnection = self._mine.connection
        return made

    def _close(self) -> None:
        connection = self._mine.__dict__.pop("connection", None)
        if connection is not None:
            connection.close()


def is_loopback(host: str) -> bool:
    """Decided by the name alone: no name server is asked."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def sent(value: Any) -> Any:
    """A query or document as JSON carries it: text as it is, a picture as {"image": data URI}."""
    if isinstance(value, Mapping):
        return {name: part if name == "text" else _data_uri(part) for name, part in value.items()}
    return {"image": _data_uri(value)} if form_of(value).kind == "path" else value


def _data_uri(path: str) -> str:
    kind = mimetypes.guess_type(path)[0] or ""
    if not kind.startswith("image/"):
        raise ValueError(f"an endpoint is sent text and pictures; {path!r} is neither")
    return f"data:{kind};base64,{base64.b64encode(Path(path).read_bytes()).decode()}"


def hits(answer: Any) -> list[dict[str, Any]]:
    """{"results": [{"index", "relevance_score"}, …]} or [{"index", "score"}, …] as what rank() returns."""
    listed: Any = answer.get("results") if isinstance(answer, dict) else answer
    try:
        return [{"corpus_id": hit["index"], "score": hit.get("relevance_score", hit.get("score"))} for hit in listed]
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"no answer of a /rerank endpoint: {json.dumps(answer)[:200]}") from error
