"""CSV as a stream, line by line, so that memory does not depend on the length of the study."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.http import StreamingHttpResponse
from rest_framework.renderers import BaseRenderer


class CsvRenderer(BaseRenderer):
    """Lets `?format=csv` and `Accept: text/csv` through to the view, which streams; renders only refusals."""

    media_type = "text/csv"
    format = "csv"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> str:
        sentence = data.get("detail", "") if isinstance(data, Mapping) else ""
        return f"{sentence}\n"


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, line: str) -> str:
        return line


def stream(name: str, columns: Sequence[str], lines: Iterable[Mapping[str, Any]]) -> StreamingHttpResponse:
    """A download of these columns; moments in ISO 8601 (UTC)."""
    return StreamingHttpResponse(
        _encoded(columns, lines),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def _encoded(columns: Sequence[str], lines: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    writer = csv.writer(_Echo(), lineterminator="\n")
    yield writer.writerow(columns)
    for line in lines:
        yield writer.writerow([_cell(line[column]) for column in columns])


def _cell(value: Any) -> Any:
    """Moments in ISO 8601, lists and objects as JSON."""
    if isinstance(value, list | dict):
        return json.dumps(value)
    return value.isoformat() if hasattr(value, "isoformat") else value
