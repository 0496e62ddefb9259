"""Rows as an Apache Parquet file that is written while it is sent: memory holds one group of rows."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import pyarrow
import pyarrow.parquet
from django.http import StreamingHttpResponse

from readerstudy.bundle.columns import Column, Type
from readerstudy.bundle.tables import ARROW

MEDIA_TYPE: Final = "application/vnd.apache.parquet"
ROWS: Final = 20_000  # of a group
TEXTS: Final = 16 << 20  # characters of JSON in a group: the paradata of one reading may have thousands


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


def stream(name: str, columns: Sequence[Column], lines: Iterable[Mapping[str, Any]]) -> StreamingHttpResponse:
    """Return a download of these columns."""
    return StreamingHttpResponse(
        _encoded(columns, lines),
        content_type=MEDIA_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{name}.parquet"'},
    )


def _encoded(columns: Sequence[Column], lines: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    schema = pyarrow.schema([(column.name, ARROW[column.type]) for column in columns])
    sink = _Sink()
    with pyarrow.parquet.ParquetWriter(pyarrow.PythonFile(sink, mode="w"), schema, compression="zstd") as file:
        for group in _groups(lines, columns):
            file.write_table(pyarrow.Table.from_pylist(group, schema=schema))
            yield sink.take()
    yield sink.take()


def _groups(lines: Iterable[Mapping[str, Any]], columns: Sequence[Column]) -> Iterator[list[dict[str, Any]]]:
    long = [column.name for column in columns if column.type is Type.JSON]
    group: list[dict[str, Any]] = []
    characters = 0
    for line in lines:
        row = {column.name: _cell(column.type, line[column.name]) for column in columns}
        group.append(row)
        characters += sum(len(row[name] or "") for name in long)
        if len(group) == ROWS or characters >= TEXTS:
            yield group
            group, characters = [], 0
    if group:
        yield group


def _cell(type: Type, value: Any) -> Any:
    if value is None:
        return None
    if type is Type.JSON:
        return json.dumps(value, ensure_ascii=False)
    return str(value) if type is Type.TEXT else value
