"""Readings as an Apache Parquet file that is written while it is sent: memory holds one group of rows."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import pyarrow
import pyarrow.parquet
from django.http import StreamingHttpResponse

MEDIA_TYPE: Final = "application/vnd.apache.parquet"
ROWS: Final = 20_000  # of a group
_MOMENT: Final = pyarrow.timestamp("us", tz="UTC")
_TYPES: Final[dict[str, pyarrow.DataType]] = {
    "session": pyarrow.int32(),
    "position": pyarrow.int32(),
    "elapsed_ms": pyarrow.int64(),
    "shown_at": _MOMENT,
    "answered_at": _MOMENT,
    "quality_reasons": pyarrow.list_(pyarrow.string()),
    "is_repeat": pyarrow.bool_(),
    "aid_score": pyarrow.float64(),
    "aid_threshold": pyarrow.float64(),
    "aid_above": pyarrow.bool_(),
}
_JSON: Final = ("answers",)
_AS_TEXT: Final = ("receipt",)


class _Sink:
    """A file that hands over what was written to it."""

    def __init__(self) -> None:
        self.closed = False
        self._parts: list[bytes] = []
        self._position = 0

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._position += len(part)
        return len(part)

    def tell(self) -> int:
        return self._position

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        self.closed = True

    def take(self) -> bytes:
        """Return what was written since the last call."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def stream(name: str, columns: Sequence[str], lines: Iterable[Mapping[str, Any]]) -> StreamingHttpResponse:
    """Return a download of these columns. Columns without a type of their own are texts."""
    return StreamingHttpResponse(
        _encoded(columns, lines),
        content_type=MEDIA_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{name}.parquet"'},
    )


def _encoded(columns: Sequence[str], lines: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    schema = pyarrow.schema([(column, _TYPES.get(column, pyarrow.string())) for column in columns])
    sink = _Sink()
    with pyarrow.parquet.ParquetWriter(pyarrow.PythonFile(sink, mode="w"), schema, compression="zstd") as file:
        for group in _groups(lines, columns):
            file.write_table(pyarrow.Table.from_pylist(group, schema=schema))
            yield sink.take()
    yield sink.take()


def _groups(lines: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
    group: list[dict[str, Any]] = []
    for line in lines:
        group.append({column: _cell(column, line[column]) for column in columns})
        if len(group) == ROWS:
            yield group
            group = []
    if group:
        yield group


def _cell(column: str, value: Any) -> Any:
    if column in _JSON:
        return json.dumps(value, ensure_ascii=False)
    return str(value) if column in _AS_TEXT else value
