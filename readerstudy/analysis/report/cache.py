"""Reports as they were written: worked out once, kept below the reports folder, served from there.

A closed study does not change, so its report is worked out once for each version of the software, language and
audience. What stands here can be deleted at any time; it is made again.
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
from readerstudy.analysis.queries.study import refuse_while_sealed
from readerstudy.analysis.report.build import build_report, may_hang_pictures, write_report
from readerstudy.errors import StudyError
from readerstudy.provenance import source_hash
from readerstudy.reading.models import Reading
from readerstudy.studies.models import Study

SUFFIXES = (".py", ".html", ".css", ".po", ".mo")  # of the files that a report is made by
Stage = Callable[[str], None]
# A page waits for a report of so many readings; a larger one is made by the command, with a progress bar.
WAITS_FOR = 50_000
KEPT = 4  # of one study: languages, and versions of the software that run side by side


class TooLargeToWaitFor(StudyError):
    """The report takes minutes and nobody has made it yet."""

    def __init__(self, study: Study, readings: int) -> None:
        self.readings = readings
        super().__init__(
            f"The study {study.code} has {readings:,} readings, and its report takes some minutes. "
            f"Run: manage.py analyse_study {study.code}. This page shows it then."
        )


@dataclass(frozen=True)
class Published:
    """A written report: the folder of its files, and the fragment that a page shows."""

    folder: Path
    readings: int

    @property
    def body(self) -> str:
        return (self.folder / "body.html").read_text(encoding="utf-8")

    def file(self, name: str) -> Path | None:
        """One of the report's files; None where there is no such file."""
        path = self.folder / name
        return path if path.is_file() else None

    def as_dict(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "report.json").read_text(encoding="utf-8"))
        return found


def published(study: Study, *, at: datetime, waits: bool = True, stage: Stage = lambda _: None) -> Published:
    """The report as it stands, made now where it is not there yet.

    Raises StillSealed, and TooLargeToWaitFor where `waits` is true and it would take minutes.
    """
    refuse_while_sealed(study)
    readings = count_of_readings(study)
    folder = Path(settings.REPORTS_DIR) / ".published" / study.code / _fingerprint(study, readings)
    if not folder.is_dir():
        if waits and readings > WAITS_FOR:
            raise TooLargeToWaitFor(study, readings)
        _publish(study, folder, at=at, stage=stage)
    return Published(folder, readings)


def count_of_readings(study: Study) -> int:
    return Reading.objects.filter(presentation__reading_list__enrollment__study=study).count()


def _publish(study: Study, folder: Path, *, at: datetime, stage: Stage) -> None:
    """Write beside, then put in place in one step: nobody sees half a report, and the first of two makers wins."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(dir=folder.parent, prefix="draft-"))
    try:
        report = build_report(study, at=at, stage=stage)
        write_report(report, draft, stage=stage)
        body = render_to_string("report/_report.html", {"report": report, "files": f"/report/{study.code}/"})
        (draft / "body.html").write_text(body, encoding="utf-8")
        _forget(folder.parent)
        draft.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _forget(place: Path) -> None:
    """Keep the newest few: a rehearsal under way is reported again and again."""
    by_age = sorted((path for path in place.iterdir() if not path.name.startswith("draft-")), key=_made)
    for old in by_age[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def _made(folder: Path) -> float:
    return folder.stat().st_mtime


def _fingerprint(study: Study, readings: int) -> str:
    """What the report depends on: the study and its readings, the evaluation, the software and the language.

    And whether pictures may hang: a study that is made later on the same images takes them down.
    """
    evaluations = [row.pk for row in study_evaluations(study)]
    state = [study.pk, study.status, str(study.unsealed_at), readings, evaluations, may_hang_pictures(study)]
    return sha256(json.dumps([*state, _software(), get_language()], default=str).encode()).hexdigest()[:24]


def _software() -> str:
    """Return a fingerprint of the source files that a report is made by."""
    return source_hash("readerstudy", "templates", "static/css", "locale", suffixes=SUFFIXES)
