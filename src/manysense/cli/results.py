"""The files that `manysense embed` writes.

    .npz       embeddings (n, width), ids (n,) unicode, metadata: a JSON string; for int8 and uint8 ranges (2, dims)
    .jsonl     {"id": …, "embedding": […]} a line
    .parquet   columns id (string) and embedding (fixed-size list), metadata in the schema; needs pyarrow

Knows: formats. Does not know: where chunks come from. One chunk is in memory at a time. Equal chunks give equal
bytes: no file holds a time.
"""

from __future__ import annotations

import importlib
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ..errors import UsageError
from ..extras import need

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vectors = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Result:
    """ids: of the rows, in order.  chunks: the rows, in their final dtype, from the first again at each call.
    width: numbers per row.  ranges: (2, dims) of int8 and uint8, else None.
    """

    ids: Sequence[str]
    chunks: Callable[[], Iterable[Vectors]]
    width: int
    dtype: np.dtype[Any]
    metadata: dict[str, Any]
    ranges: Vectors | None = None


Write = Callable[[IO[bytes], Result], None]


def writer_for(path: Path) -> Write:
    """By the suffix. Raises UsageError for an unknown one, MissingExtra where a package is missing."""
    writers: dict[str, Write] = {".npz": _write_npz, ".jsonl": _write_jsonl, ".parquet": _write_parquet}
    write = writers.get(path.suffix.lower())
    if write is None:
        raise UsageError(f"--out {str(path)!r} must end in one of {', '.join(writers)}")
    if write is _write_parquet:
        need("pyarrow", to="write parquet")
    return write


def _write_npz(file: IO[bytes], result: Result) -> None:
    import numpy as np

    def text(value: str) -> Vectors:
        return np.array(value)

    ids = np.array(result.ids, dtype=np.str_) if result.ids else np.empty(0, "<U1")
    arrays: list[tuple[str, Vectors]] = [("ids", ids), ("metadata", text(json.dumps(result.metadata)))]
    if result.ranges is not None:
        arrays.append(("ranges", result.ranges))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        with _member(archive, "embeddings") as member:
            header = {
                "descr": np.lib.format.dtype_to_descr(result.dtype),
                "fortran_order": False,
                "shape": (len(result.ids), result.width),
            }
            np.lib.format.write_array_header_1_0(member, header)
            for vectors in result.chunks():
                member.write(np.ascontiguousarray(vectors).data)
        for name, array in arrays:
            with _member(archive, name) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def _member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """With a fixed time instead of the present one."""
    return archive.open(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), "w", force_zip64=True)


def _write_jsonl(file: IO[bytes], result: Result) -> None:
    for name, vector in zip(result.ids, _rows(result)):
        file.write(json.dumps({"id": name, "embedding": _numbers(vector)}).encode() + b"\n")


def _rows(result: Result) -> Iterator[Vectors]:
    for vectors in result.chunks():
        yield from vectors


def _numbers(vector: Vectors) -> list[Any]:
    """Python numbers; floats with just the digits that give the same float32 again."""
    return vector.tolist() if vector.dtype.kind != "f" else [float(digits) for digits in vector.astype(str)]


def _write_parquet(file: IO[bytes], result: Result) -> None:
    arrow = need("pyarrow", to="write parquet")
    parquet = importlib.import_module("pyarrow.parquet")
    kind = arrow.list_(arrow.from_numpy_dtype(result.dtype), result.width)
    metadata = dict(result.metadata) if result.ranges is None else {**result.metadata, "ranges": result.ranges.tolist()}
    schema = arrow.schema([("id", arrow.string()), ("embedding", kind)], metadata={"manysense": json.dumps(metadata)})
    done = 0
    with parquet.ParquetWriter(file, schema) as writer:
        for vectors in result.chunks():
            names = arrow.array([_clean(name) for name in result.ids[done : done + len(vectors)]], arrow.string())
            lists = arrow.FixedSizeListArray.from_arrays(arrow.array(vectors.ravel()), result.width)
            writer.write_batch(arrow.record_batch([names, lists], schema=schema))
            done += len(vectors)


def _clean(name: str) -> str:
    """Bytes of a file name that are no UTF-8 become U+FFFD: parquet holds no others."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
