"""Tables of a bundle as CSV and Parquet, and back. An empty cell is no value; both files hold the same."""

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow
import pyarrow.csv
import pyarrow.parquet
from django.utils.translation import gettext as _

from readerstudy.bundle.columns import TableSpec, Type
from readerstudy.errors import BadInput

ARROW: Final = {
    Type.TEXT: pyarrow.string(),
    Type.JSON: pyarrow.string(),
    Type.INTEGER: pyarrow.int64(),
    Type.NUMBER: pyarrow.float64(),
    Type.BOOLEAN: pyarrow.bool_(),
    Type.MOMENT: pyarrow.timestamp("us", tz="UTC"),
    Type.LIST: pyarrow.list_(pyarrow.string()),
}
CHUNK: Final = 50_000  # rows in memory
_LONGEST_LINE: Final = 16 << 20  # bytes that the reader of CSV takes at once


def write_table(folder: Path, spec: TableSpec, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write NAME.csv and NAME.parquet with the columns of the table, and return the number of rows."""
    schema = _schema(spec)
    written = 0
    with (
        (folder / f"{spec.name}.csv").open("w", encoding="utf-8", newline="") as file,
        pyarrow.parquet.ParquetWriter(folder / f"{spec.name}.parquet", schema, compression="zstd") as parquet,
    ):
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(schema.names)
        for chunk in _chunks(_plain_rows(spec, rows)):
            parquet.write_table(pyarrow.Table.from_pylist(chunk, schema=schema))
            lines.writerows([_cell(row[name]) for name in schema.names] for row in chunk)
            written += len(chunk)
    return written


def read_table(folder: Path, spec: TableSpec) -> pyarrow.Table:
    """Return the table. Raises BadInput if a file cannot be read, or if CSV and Parquet differ."""
    path, schema = folder / f"{spec.name}.csv", _schema(spec)
    try:
        table = pyarrow.csv.read_csv(
            path,
            read_options=pyarrow.csv.ReadOptions(block_size=_LONGEST_LINE),
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=schema,
                null_values=[""],
                strings_can_be_null=True,
                true_values=["true"],
                false_values=["false"],
            ),
        )
        parquet = pyarrow.parquet.read_table(folder / f"{spec.name}.parquet")
        names = table.column_names
    except (pyarrow.ArrowException, OSError, ValueError) as error:  # names that are not UTF-8 are found when read
        raise BadInput(_("%(file)s cannot be read: %(error)s") % {"file": path.name, "error": error}) from error
    if names != schema.names:
        raise BadInput(_("%(file)s does not have the columns of the codebook.") % {"file": path.name})
    if not parquet.schema.equals(schema) or not table.equals(parquet):
        files = {"csv": path.name, "parquet": f"{spec.name}.parquet"}
        raise BadInput(_("%(csv)s and %(parquet)s do not have the same rows.") % files)
    return table


def _schema(spec: TableSpec) -> pyarrow.Schema:
    return pyarrow.schema([(column.name, ARROW[column.type]) for column in spec.columns])


def _plain_rows(spec: TableSpec, rows: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    """Yield rows with the columns in order. An empty text is no value, as in the CSV."""
    for row in rows:
        if unknown := row.keys() - {column.name for column in spec.columns}:
            raise ValueError(f"The codebook of {spec.name} has no column {', '.join(sorted(unknown))}.")
        yield {column.name: _value(row[column.name], column.type) for column in spec.columns}


def _value(value: Any, kind: Type) -> Any:
    if value is None or value == "":
        return None
    if kind is Type.JSON:
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return float(value) if kind is Type.NUMBER else value


def _chunks(rows: Iterable[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    chunk: list[dict[str, Any]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else value
