"""Readings as frames: each library where it is installed, the same values in both, and a sentence where it is not."""

from datetime import UTC, datetime
from importlib import import_module

import httpx
import pytest

from readerstudy.client import InvestigatorClient
from readerstudy.client.frames import table_frame
from readerstudy.errors import StudyError

SEALED = """\
reader,session,position,presentation,verdict,elapsed_ms,shown_at,answered_at,quality,quality_reasons,answers,receipt,is_repeat
R1,2,1,abc,real,4100,2026-03-02T08:00:00+00:00,2026-03-02T08:00:04.100250+00:00,A,[],"{""confidence"": ""3""}",r-1,False
R2,2,1,def,unsure,900,2026-03-02T09:00:00+00:00,2026-03-02T09:00:00.900000+00:00,,"[""pause""]",{},r-2,True
"""
TRUTH = "authenticity,pathology,direction,image,aid_score,aid_threshold,aid_above,laterality,classifier_score,paradata"
UNSEALED = "".join(
    f"{line},{more}\n"
    for line, more in zip(
        SEALED.splitlines(),
        (TRUTH, "adversarial,positive,insert,0a1b,0.81,0.50,True,L,0.25,{}", "real,normal,,9f8e,,,,R,,{}"),
        strict=True,
    )
)


def client_of(text: str) -> InvestigatorClient:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/api/v1/studies/tiny/readings.csv"
        return httpx.Response(200, text=text)

    return InvestigatorClient(httpx.Client(transport=httpx.MockTransport(answer), base_url="https://host"))


def readings(text: str):
    return client_of(text).study("tiny").readings()


def test_columns_of_pandas_have_their_types():
    pd = pytest.importorskip("pandas", reason="pandas is optional: the extra [frames]")
    frame = readings(UNSEALED).pandas()
    kinds = {name: str(kind) for name, kind in frame.dtypes.items()}
    assert {name: kinds[name] for name in ("session", "position", "elapsed_ms")} == dict.fromkeys(
        ("session", "position", "elapsed_ms"), "int64"
    )
    assert (kinds["is_repeat"], kinds["aid_above"], kinds["aid_score"]) == ("boolean", "boolean", "float64")
    assert kinds["classifier_score"] == "float64"
    assert frame["paradata"].tolist() == ["{}", "{}"]
    assert all(isinstance(frame[name].dtype, pd.DatetimeTZDtype) for name in ("shown_at", "answered_at"))
    assert frame["answered_at"][0] == datetime(2026, 3, 2, 8, 0, 4, 100250, tzinfo=UTC)
    assert list(frame["verdict"].cat.categories) == ["real", "not_real", "unsure", "seen"]
    assert list(frame["quality"].isna()) == [False, True]
    assert kinds["laterality"] == kinds["reader"] == kinds["image"] == "category"
    assert frame["aid_above"].tolist() == [True, pd.NA]
    assert frame["answers"][0] == '{"confidence": "3"}'


def test_columns_of_polars_have_their_types():
    pl = pytest.importorskip("polars", reason="polars is optional: the extra [frames]")
    frame = readings(UNSEALED).polars()
    assert frame.schema["session"] == frame.schema["elapsed_ms"] == pl.Int64
    assert (frame.schema["is_repeat"], frame.schema["aid_above"]) == (pl.Boolean, pl.Boolean)
    assert frame.schema["answered_at"] == pl.Datetime("us", "UTC")
    assert frame["answered_at"][0] == datetime(2026, 3, 2, 8, 0, 4, 100250, tzinfo=UTC)
    assert frame.schema["verdict"] == pl.Enum(["real", "not_real", "unsure", "seen"])
    assert frame.schema["laterality"] == frame.schema["reader"] == pl.Categorical
    assert frame["quality"].to_list() == ["A", None]
    assert frame["direction"].to_list() == ["insert", None]
    assert frame["aid_score"].to_list() == [0.81, None]
    assert frame["aid_above"].to_list() == [True, None]
    assert frame["is_repeat"].to_list() == [False, True]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_rows_without_a_reading_have_gaps(library):
    pytest.importorskip(library, reason=f"{library} is optional: the extra [frames]")
    frame = getattr(readings(f"{SEALED}R2,2,2,ghi,,,,,,,,,False\n"), library)()
    for name in ("verdict", "elapsed_ms", "shown_at", "answered_at", "receipt"):
        gaps = frame[name].isna() if library == "pandas" else frame[name].is_null()
        assert gaps.to_list() == [False, False, True], name
    assert frame["elapsed_ms"].to_list()[:2] == [4100, 900]
    assert frame["session"].to_list() == [2, 2, 2]


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("text", [SEALED, SEALED.splitlines()[0] + "\n"])
def test_a_sealed_study_and_an_empty_one_make_frames(library, text):
    pytest.importorskip(library, reason=f"{library} is optional: the extra [frames]")
    frame = getattr(readings(text), library)()
    assert list(frame.columns) == SEALED.splitlines()[0].split(",")
    assert len(frame) == text.count("\n") - 1


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_any_list_becomes_a_frame(library):
    pytest.importorskip(library, reason=f"{library} is optional: the extra [frames]")
    frame = table_frame([{"reader": "R1", "auc": 0.5}, {"reader": "R2", "auc": 0.75}], library=library)
    assert (list(frame.columns), frame["auc"].sum()) == (["reader", "auc"], 1.25)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_missing_library_is_named(library, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, library, None)
    with pytest.raises(StudyError, match=f"pip install {library}"):
        getattr(readings(SEALED), library)()


def test_the_parquet_file_becomes_a_table_of_arrow():
    pa = pytest.importorskip("pyarrow", reason="pyarrow is optional: the extra [parquet]")
    parquet = import_module("pyarrow.parquet")
    written = pa.table({"session": pa.array([2, 3], pa.int32()), "verdict": ["real", "unsure"]})
    sink = pa.BufferOutputStream()
    parquet.write_table(written, sink)

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/api/v1/studies/tiny/readings.parquet"
        return httpx.Response(200, content=sink.getvalue().to_pybytes())

    client = InvestigatorClient(httpx.Client(transport=httpx.MockTransport(answer), base_url="https://host"))
    assert client.study("tiny").readings().arrow().equals(written)
