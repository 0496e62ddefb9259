"""Readings as frames of pandas or polars, whichever is installed, with typed columns."""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, get_args

import httpx

from readerstudy.client.api_client import ApiClient
from readerstudy.client.downloads import Advance, Download, download
from readerstudy.client.models.data import QualityEnum, ReadingLine, ReadingLineAuthenticityEnum, Verdict
from readerstudy.client.models.shared import DirectionEnum, PathologyEnum
from readerstudy.client.pages import Filter, Pages
from readerstudy.errors import StudyError

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

PAGE_SIZE: Final = 5000  # the most that the API gives at once
WHOLE: Final = ("session", "position", "elapsed_ms")
FRACTIONS: Final = ("aid_score", "aid_threshold", "classifier_score", "classifier_source_score")
TRUTHS: Final = ("is_repeat", "is_excluded", "aid_above")
MOMENTS: Final = ("shown_at", "answered_at")
TEXTS: Final = ("presentation", "receipt", "answers", "quality_reasons", "paradata")  # the last three are JSON
# Their words are known, also those that no reading has. Any other column has the words that occur in it.
WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "verdict": get_args(Verdict),
    "quality": get_args(QualityEnum),
    "authenticity": get_args(ReadingLineAuthenticityEnum),
    "pathology": get_args(PathologyEnum),
    "direction": get_args(DirectionEnum),
}


class Readings:
    """The readings of a closed study: rows, a file, or a frame. The truth is among the columns once it may be seen.

    Iterating requests page after page and yields the rows as the API has them; the other ways stream one CSV file.
    Whole numbers, fractions, truth values and moments (UTC) have their types in frames, all words are categorical, and
    empty cells are missing. `answers`, `quality_reasons` and `paradata` stay JSON text.
    """

    def __init__(self, client: ApiClient, base: str, filters: Mapping[str, Filter] | None = None) -> None:
        self._client, self._base, self._filters = client, base, dict(filters or {})

    def __iter__(self) -> Iterator[ReadingLine]:
        return iter(
            Pages[ReadingLine](self._client, f"{self._base}readings/", {**self._filters, "page_size": PAGE_SIZE})
        )

    def save(self, path: Any, *, progress: Advance | bool = True) -> Download:
        """Write them to a CSV file, or to a Parquet file if its name ends so; see `downloads.download`."""
        kind = "parquet" if str(path).endswith(".parquet") else "csv"
        return download(self._client, self._address(kind), path, progress=progress)

    def pandas(self) -> "pandas.DataFrame":
        """Return them as a frame of pandas. Raises StudyError if it is not installed."""
        pd = _optional("pandas")
        frame = pd.read_csv(self._file(), dtype=str, keep_default_na=False, na_values=[""])
        for name in frame.columns:
            frame[name] = _pandas_column(pd, frame[name])
        return frame

    def polars(self) -> "polars.DataFrame":
        """Return them as a frame of polars. Raises StudyError if it is not installed."""
        pl = _optional("polars")
        frame = pl.read_csv(self._file(), infer_schema=False)
        return frame.with_columns(_polars_column(pl, name) for name in frame.columns)

    def arrow(self) -> "pyarrow.Table":
        """Return them as a table of Apache Arrow, with the types of the Parquet file. Needs pyarrow."""
        _optional("pyarrow")
        parquet: Any = import_module("pyarrow.parquet")
        return parquet.read_table(self._file("parquet"))

    def _address(self, kind: str) -> str:
        query = httpx.QueryParams({name: value for name, value in self._filters.items() if value is not None})
        return f"{self._base}readings.{kind}?{query}".removesuffix("?")

    def _file(self, kind: str = "csv") -> io.BytesIO:
        with self._client.open("GET", self._address(kind)) as response:
            return io.BytesIO(response.read())


def _pandas_column(pd: Any, column: Any) -> Any:
    name = str(column.name)
    if name in WHOLE:
        return pd.to_numeric(column).astype("Int64" if column.hasnans else "int64")
    if name in FRACTIONS:
        return pd.to_numeric(column).astype("float64")
    if name in TRUTHS:
        return column.map({"True": True, "False": False}).astype("boolean")
    if name in MOMENTS:
        return pd.to_datetime(column, utc=True, format="ISO8601")
    if name in TEXTS:
        return column.astype("string")
    return column.astype(pd.CategoricalDtype(list(WORDS[name])) if name in WORDS else "category")


def _polars_column(pl: Any, name: str) -> Any:
    column = pl.col(name)
    if name in WHOLE:
        return column.cast(pl.Int64)
    if name in FRACTIONS:
        return column.cast(pl.Float64)
    if name in TRUTHS:
        return column.replace_strict({"True": True, "False": False}, return_dtype=pl.Boolean)
    if name in MOMENTS:
        return column.str.to_datetime("%+", time_unit="us", time_zone="UTC")
    if name in TEXTS:
        return column
    return column.cast(pl.Enum(WORDS[name]) if name in WORDS else pl.Categorical)


def table_frame(rows: Iterable[Mapping[str, Any]], *, library: str = "pandas") -> Any:
    """Return rows of any list or table of the API as a frame of this library, with the types that it infers."""
    make: Callable[[list[dict[str, Any]]], Any] = _optional(library).DataFrame
    return make([dict(row) for row in rows])


def _optional(name: str) -> Any:
    """Import a package that the client does not need otherwise. Raises StudyError that names the extra."""
    try:
        return import_module(name)
    except ImportError as error:
        extra = "parquet" if name == "pyarrow" else "frames"
        needs = f"Readings as a table of {name} need the package {name}"
        raise StudyError(f"{needs}: pip install {name}, or readerstudy[{extra}]") from error
