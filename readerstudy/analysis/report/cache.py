"""Cache of written reports in the reports folder.

A closed study does not change, so its report is computed once per version of the software and language. The cache can
be deleted at any time; reports are then computed again.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import get_language

from readerstudy.analysis.queries.attack import study_evaluations
from readerstudy.analysis.queries.exclusions import excluded_images
from readerstudy.analysis.report.build import build_report, write_report
from readerstudy.errors import StudyError
from readerstudy.provenance import source_hash
from readerstudy.reading.models import Reading
from readerstudy.studies.models import Study
from readerstudy.truth.seal import may_show_images_of_cohort, require_unsealed

SUFFIXES = (".py", ".html", ".css", ".po", ".mo")  # of the files that a report is made by
Stage = Callable[[str], None]
# A page computes reports of up to this many readings; the command computes larger ones, with a progress bar.
MOST_READINGS_FOR_PAGES = 50_000
KEPT = 4  # reports of one study, for languages and for versions of the software that run in parallel


class ReportTooLarge(StudyError):
    """The report is not cached, and computing it takes minutes."""

    def __init__(self, study: Study, readings: int) -> None:
        self.readings = readings
        super().__init__(
            f"The study {study.code} has {readings:,} readings, and its report takes some minutes. "
            f"Run: manage.py analyse_study {study.code}. This page shows it then."
        )


@dataclass(frozen=True)
class CachedReport:
    """A written report: the folder of its files, and the number of readings it covers."""

    folder: Path
    readings: int

    @property
    def body(self) -> str:
        return (self.folder / "body.html").read_text(encoding="utf-8")

    def file(self, name: str) -> Path | None:
        """Return one of the report's files, or None if there is no such file."""
        path = self.folder / name
        return path if path.is_file() else None

    def as_dict(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads((self.folder / "report.json").read_text(encoding="utf-8"))
        return report


def cached_report(study: Study, *, at: datetime, for_page: bool = True, stage: Stage = lambda _: None) -> CachedReport:
    """Return the report, computed now if it is not cached.

    Raises StillSealed before the unsealing, and ReportTooLarge if `for_page` is true and computing it takes minutes.
    """
    require_unsealed(study)
    readings = count_readings(study)
    folder = Path(settings.REPORTS_DIR) / ".published" / study.code / _fingerprint(study, readings)
    if not folder.is_dir():
        if for_page and readings > MOST_READINGS_FOR_PAGES:
            raise ReportTooLarge(study, readings)
        _write(study, folder, at=at, stage=stage)
    return CachedReport(folder, readings)


def count_readings(study: Study) -> int:
    """Return the number of readings of a study."""
    return Reading.objects.filter(presentation__reading_list__enrollment__study=study).count()


def _write(study: Study, folder: Path, *, at: datetime, stage: Stage) -> None:
    """Write to a draft folder and rename it, so that reports are complete; of two processes the first one wins."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(dir=folder.parent, prefix="draft-"))
    try:
        report = build_report(study, at=at, stage=stage)
        write_report(report, draft, stage=stage)
        body = render_to_string("report/_report.html", {"report": report, "files": f"/report/{study.code}/"})
        (draft / "body.html").write_text(body, encoding="utf-8")
        _delete_oldest(folder.parent)
        draft.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _delete_oldest(folder: Path) -> None:
    """Keep the newest reports of a study; a running rehearsal is reported repeatedly."""
    by_age = sorted((path for path in folder.iterdir() if not path.name.startswith("draft-")), key=_modified)
    for old in by_age[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def _modified(folder: Path) -> float:
    return folder.stat().st_mtime


def _fingerprint(study: Study, readings: int) -> str:
    """Return a hash of everything the report depends on: study, readings, exclusions, evaluations, software, language.

    It includes whether the gallery may be shown, because a later study of the same cohort removes the gallery.
    """
    evaluations = [row.pk for row in study_evaluations(study)]
    shows_gallery = may_show_images_of_cohort(study.cohort.name)
    excluded = [str(each) for each in excluded_images(study)]
    state = [study.pk, study.status, str(study.unsealed_at), readings, excluded, evaluations, shows_gallery]
    return sha256(json.dumps([*state, _software(), get_language()], default=str).encode()).hexdigest()[:24]


def _software() -> str:
    """Return a fingerprint of the source files that a report is made by."""
    return source_hash("readerstudy", "templates", "static/css", "locale", suffixes=SUFFIXES)
