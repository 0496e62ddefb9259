"""Memory does not grow with the readings: of an export not at all, of a report by the few bytes that are compared."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from readerstudy.accounts.models import User
from readerstudy.analysis.queries import counts
from readerstudy.analysis.report.versions import count_readings
from readerstudy.api import dataset
from readerstudy.studies.models import Study
from readerstudy.truth.actions import unseal_study
from tests import make
from tests.analysis import rows
from tests.bench import report_growth
from tests.tamper import without_triggers

IMAGES = 100
FEW, MANY = 10, 100  # readers
BYTES_COMPARED = 24  # of a reading of the two sessions: four numbers of 4 bytes or less, one of 8


def unsealed(readers: int, rosa: User) -> Study:
    """Filled by the database itself, as for the measurement of ten million readings."""
    study = report_growth._study(f"r{readers}", IMAGES)
    report_growth._readers(study, readers)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(report_growth._PRESENTATIONS, [study.pk])
        cursor.execute(report_growth._READINGS, [study.pk])
        cursor.execute("SET LOCAL session_replication_role = origin")
        cursor.execute("ANALYZE studies_presentation, reading_reading")
    make.join([rosa], Study.objects.filter(pk=study.pk))
    closed = rows.closed(study)
    unseal_study(study=closed, actor=rosa, reason="All have read.", at=make.MONDAY)
    return closed


@pytest.fixture
def sizes(db: None, rosa: User) -> tuple[Study, Study]:
    few, many = unsealed(FEW, rosa), unsealed(MANY, rosa)
    assert (count_readings(few), count_readings(many)) == (FEW * IMAGES, MANY * IMAGES)
    return few, many


def peak(work: Callable[[], Any]) -> int:
    """The most bytes that Python held at once during the work."""
    work()  # what is imported and cached once is there
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("query", ["", "?missing=true"])
def test_the_readings_are_exported_in_flat_memory(
    sizes: tuple[Study, Study], as_rosa: Any, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setattr(dataset, "CHUNK", 200)
    lengths: dict[str, int] = {}
    if query:  # as if nothing had been read
        with without_triggers(), connection.cursor() as cursor:
            cursor.execute("DELETE FROM reading_reading")

    def export(study: Study) -> None:
        answer = as_rosa.get(f"/api/v1/studies/{study.code}/readings.csv{query}")
        lengths[study.code] = sum(part.count(b"\n") for part in answer.streaming_content)

    few, many = (peak(lambda study=study: export(study)) for study in sizes)
    assert lengths == {f"r{FEW}": FEW * IMAGES + 1, f"r{MANY}": MANY * IMAGES + 1}
    assert many < 1.3 * few


def test_a_report_holds_of_a_reading_what_it_compares(
    sizes: tuple[Study, Study], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "_BUFFER", 1 << 12)
    few, many = (peak(lambda study=study: counts.aggregate_readings(study, study.analysis)) for study in sizes)
    more = (MANY - FEW) * IMAGES
    of_readers = (MANY - FEW) * 6_200  # counts of each reader, and sums of the sub-groups, 4 bytes each
    assert many - few < BYTES_COMPARED * more + of_readers
