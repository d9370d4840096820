"""From queries and documents to rankings.

Knows: which pairs a call has and in which order they are scored, what of them makes a ranking, ties. Does not know: how
pairs are scored (predict.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..batching.run import run
from ..collect import Kept
from ..errors import ItemError, UsageError
from ..inputs.shape import as_items, is_message, is_single, is_sound_pair
from ..outputs.rows import ArrayRows
from ..settings import choose, positive
from .predict import How, check_one_label, score

if TYPE_CHECKING:
    from .line import PairLine
    from .model import CrossEncoder


class Ranking(list[dict[str, Any]]):
    """Hits of one query, best first: {"corpus_id": position in the documents, "score": float}, "text" where asked for.

    errors: of documents that were left out, with on_error="skip"; their `index` is the position of the document.
    """

    errors: tuple[ItemError, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a ranking the caller wants."""

    top_k: int | None = None
    min_score: float | None = None
    return_documents: bool = False

    def __post_init__(self) -> None:
        if self.top_k is not None:
            positive("top_k", self.top_k)

    def ranking(self, scores: npt.NDArray[Any], documents: Sequence[Any], failed: Sequence[ItemError] = ()) -> Ranking:
        """scores: (documents,).  failed: of documents that have none. Equal scores keep the order of the documents."""
        missing = {error.index for error in failed}
        order: list[int] = [i for i in np.argsort(-scores, kind="stable").tolist() if i not in missing]
        if self.min_score is not None:
            order = [i for i in order if scores[i] >= self.min_score]
        hits = [{"corpus_id": i, "score": float(scores[i])} for i in order[: self.top_k]]
        if self.return_documents:
            hits = [{**hit, "text": documents[i]} for i, hit in zip(order, hits)]
        made = Ranking(hits)
        made.errors = tuple(sorted(failed, key=lambda error: error.index or 0))
        return made


class Work:
    """All pairs of a call: a sequence that makes them as they are asked for.

    queries, documents: as the caller gave them; with `own`, `documents[q]` are those of query q. Pairs of one query
    stand together, until `group_by_document`.
    """

    def __init__(self, queries: Sequence[Any], documents: Sequence[Any], own: bool) -> None:
        self.queries, self.own, self._documents = queries, own, documents
        self.starts = np.concatenate([[0], np.cumsum([len(self.documents(q)) for q in range(len(queries))])])
        self._order: npt.NDArray[np.int64] | None = None

    def documents(self, query: int) -> Sequence[Any]:
        """Those of one query."""
        return self._documents[query] if self.own else self._documents

    def group_by_document(self) -> None:
        """Let pairs of one document stand together, so that what it holds is opened once."""
        first: dict[Any, int] = {}
        places = np.empty(len(self), np.int64)
        for pair in range(len(self)):
            q, d = self._numbered(pair)
            document = self.documents(q)[d]
            key = document if isinstance(document, (str, bytes)) else id(document)
            places[pair] = first.setdefault(key, len(first))
        self._order = np.argsort(places, kind="stable")

    def _numbered(self, pair: int) -> tuple[int, int]:
        q = int(np.searchsorted(self.starts, pair, "right")) - 1
        return q, pair - int(self.starts[q])

    def __len__(self) -> int:
        return int(self.starts[-1])

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        if self._order is not None:
            for pair in self._order:
                q, d = self._numbered(int(pair))
                yield self.queries[q], self.documents(q)[d]
            return
        for q, query in enumerate(self.queries):
            for document in self.documents(q):
                yield query, document

    def place(self, row: int) -> tuple[int, int]:
        """(position of the query, of the document) of the pair that came as number `row`."""
        return self._numbered(row if self._order is None else int(self._order[row]))

    def numbered(self, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """rows: one value per pair, as they came. The same, query by query."""
        if self._order is None:
            return rows
        made = np.empty_like(rows)
        made[self._order] = rows
        return made

    def of_query(self, numbered: npt.NDArray[Any], query: int) -> npt.NDArray[Any]:
        """Values of one query, in the order of its documents."""
        return numbered[self.starts[query] : self.starts[query + 1]]


def work_of(query: Any, queries: Any, documents: Any) -> tuple[Work, bool]:
    """(the pairs, whether the caller gave a single query). Raises UsageError."""
    if (query is None) == (queries is None):
        raise UsageError("rank takes one query, or several as queries=[…]")
    held = _listed(documents, "documents")
    if queries is None:
        return Work([query], held, own=False), True
    asked = _listed(queries, "queries")
    own = bool(held) and all(_is_list_of_documents(one) for one in held)
    if own and len(held) != len(asked):
        raise UsageError(f"each query has its own documents, and there are {len(asked)} queries and {len(held)} lists")
    return Work(asked, [list(one) for one in held] if own else held, own), False


def _is_list_of_documents(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and not is_sound_pair(value) and not (bool(value) and is_message(value[0]))


def _listed(values: Any, name: str) -> list[Any]:
    if values is None:
        raise UsageError(f"rank needs {name}")
    if is_single(values):
        raise UsageError(f"{name} must be a list, got a single {type(values).__name__}; put it into a list")
    items, _, _ = as_items(values)
    return list(items)


def rank(model: CrossEncoder, work: Work, wanted: Wanted, how: How, single: bool, stats: bool) -> Any:
    check_one_label(model)
    choose("on_error", how.settings.on_error, ("raise", "skip"))
    line = how.line(model, stats)
    _open_queries(line, work)
    _look_at_documents(line, work, how.settings.on_error == "raise")
    store = ArrayRows(len(work))
    count, failed = score(model, line, work, len(work), how, store)
    if failed and how.settings.on_error == "raise":
        raise _with_finished(_named(failed[0], work, single), work, store, count, single)
    line.warn(None if len(work) == 1 else count)
    for error in failed:
        store.fill_nan(error.index or 0, 1)
    rows = work.numbered(store.finish(count).reshape(-1))
    errors: list[list[ItemError]] = [[] for _ in work.queries]
    for error in failed:
        errors[work.place(error.index or 0)[0]].append(_named(error, work, single))
    made = [wanted.ranking(work.of_query(rows, q), work.documents(q), errors[q]) for q in range(len(work.queries))]
    result: Any = made[0] if single else made
    return (result, line.told(len(work))) if stats else result


def rank_stream(model: CrossEncoder, work: Work, wanted: Wanted, how: How) -> Iterator[tuple[int, Ranking]]:
    check_one_label(model)
    choose("on_error", how.settings.on_error, ("raise", "skip"))
    line = how.line(model)
    _open_queries(line, work)
    _look_at_documents(line, work, how.settings.on_error == "raise")
    return _stream(line, work, wanted, how)


def _stream(line: PairLine, work: Work, wanted: Wanted, how: How) -> Iterator[tuple[int, Ranking]]:
    rows = np.full(len(work), np.nan, np.float32)
    left = np.diff(work.starts).tolist()
    errors: dict[int, list[ItemError]] = {}
    for q in (q for q, count in enumerate(left) if not count):
        yield q, Ranking()
    with line.model.evaluating():
        pieces = run(line, work, batch_size=how.settings.batch_size)
        try:
            for done in pieces:
                line.saw(done)
                values = done.values[:, 0].tolist() if done.error is None else ()  # type: ignore[call-overload]
                if done.error is not None:
                    ((done.error.index,),) = done.rows
                    error = _named(done.error, work, False)
                    if how.settings.on_error == "raise":
                        raise error
                for unit, value in zip(done.rows, values or [None]):
                    for row in unit:
                        q, document = work.place(row)
                        left[q] -= 1
                        if value is None:
                            errors.setdefault(q, []).append(error)
                        else:
                            rows[work.starts[q] + document] = value
                        if not left[q]:
                            yield q, wanted.ranking(work.of_query(rows, q), work.documents(q), errors.pop(q, ()))
        finally:
            pieces.close()  # type: ignore[attr-defined]
            line.close()
    line.warn(len(work))


def _open_queries(line: PairLine, work: Work) -> None:
    """Raise what is wrong with a query itself, before any document is looked at."""
    for q, query in enumerate(work.queries):
        try:
            line.open_query(query)
        except ItemError as error:
            error.index = None if len(work.queries) == 1 else q
            error.total = None if len(work.queries) == 1 else len(work.queries)
            error.reason = f"the query: {error.reason}"
            raise


def _look_at_documents(line: PairLine, work: Work, strict: bool) -> None:
    """Everything that can be known of documents without opening them, before anything is computed; pairs are put in
    order by what they are. strict: raise what is wrong with one."""
    media = False
    for q in range(len(work.queries) if work.own else min(1, len(work.queries))):
        for d, document in enumerate(work.documents(q)):
            pair = (work.queries[q], document)
            if line.is_plain(pair):
                continue
            try:
                _, document_turn = line.parse(pair).turns
                media |= any(part.modality != "text" for part in document_turn.parts)
            except ItemError as error:
                if strict:
                    error.index, error.total = d, len(work.documents(q))
                    if work.own:
                        error.reason = f"{error.reason} (a document of query {q})"
                    raise
    if media and len(work.queries) > 1:
        work.group_by_document()


def _with_finished(error: ItemError, work: Work, store: ArrayRows, count: int, single: bool) -> ItemError:
    """The error with the scores that were finished, in `partial`: beside each the position of its document, or (query,
    document) where there are several queries."""
    rows, indices = store.kept(count, 1)
    places = np.array([work.place(int(row)) for row in indices], np.int64).reshape(-1, 2)
    error.partial = Kept(rows.reshape(-1), places[:, 1] if single else places)
    if error.hint is None:
        error.hint = 'Leave broken documents out with on_error="skip"; what was finished is in error.partial.'
    return error


def _named(error: ItemError, work: Work, single: bool) -> ItemError:
    """The error with the position of its document. query: that of its query."""
    q, document = work.place(error.index or 0)
    error.index, error.total = document, len(work.documents(q))
    if not single:
        error.reason = f"{error.reason} (a document of query {q})"
    return error
