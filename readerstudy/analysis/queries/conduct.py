"""How a study was carried out, read from the database: counts and hashes are made there, in one pass."""

import json
import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Q

import readerstudy
from readerstudy.accounts.models import User
from readerstudy.analysis.record.codes import by_number
from readerstudy.analysis.record.conduct import (
    Audit,
    CohortFacts,
    Conduct,
    Drawn,
    Grades,
    Hashes,
    Import,
    Part,
    Run,
    SessionFacts,
    Sitting,
    Software,
    Step,
)
from readerstudy.audit.models import Event
from readerstudy.cohort.models import Cohort, Exam, Image, Patient, Split
from readerstudy.experiments.models import Checkpoint, CheckpointKind
from readerstudy.reading.models import CheckedDisplay, Reading, ReadingSession, Showing
from readerstudy.rehearsal.models import BlindingAudit
from readerstudy.studies.models import Allocation, Arm, Enrollment, Presentation, ReadingList, SessionPlan, Study
from readerstudy.studies.protocol import SessionKind
from readerstudy.truth.models import Authenticity, ImageTruth, Pathology, Truth, Unsealing

_PACKAGES = ("Django", "numpy", "scipy", "matplotlib")

# One row a reading list. The hash goes over the list's readings in the order in which they were stored: what was
# shown where, the verdict, the times (as PostgreSQL sends them: microseconds), the answers, the grade, the receipt.
# Grouped by a single number, and a NULL in place of a FILTER, so that one sort serves the groups and the hash.
_SITTINGS = f"""
SELECT list.id, enrollment.code, arm.name, plan.number,
       allocated, presented, read, a, b, c, ungraded, paused, idle, after_gap,
       encode(sha256(convert_to(coalesce(lines, ''), 'UTF8')), 'hex')
FROM (
    SELECT presentation.reading_list_id AS list_id,
           count(*) AS allocated, count(showing.id) AS presented, count(reading.id) AS read,
           count(*) FILTER (WHERE reading.quality = 'A') AS a,
           count(*) FILTER (WHERE reading.quality = 'B') AS b,
           count(*) FILTER (WHERE reading.quality = 'C') AS c,
           count(*) FILTER (WHERE reading.quality = '') AS ungraded,
           count(*) FILTER (WHERE reading.quality_reasons ? 'paused') AS paused,
           count(*) FILTER (WHERE reading.quality_reasons ? 'idle') AS idle,
           count(*) FILTER (WHERE reading.quality_reasons ? 'after_gap') AS after_gap,
           string_agg(CASE WHEN reading.id IS NOT NULL THEN concat_ws('|',
               presentation.position, presentation.code, presentation.stimulus_id, reading.verdict,
               reading.elapsed_ms, timestamptz_send(reading.shown_at), timestamptz_send(reading.answered_at),
               reading.answers, reading.quality, reading.receipt
           ) END, E'\\n' ORDER BY reading.id) AS lines
    FROM {Presentation._meta.db_table} presentation
    LEFT JOIN {Showing._meta.db_table} showing ON showing.presentation_id = presentation.id
    LEFT JOIN {Reading._meta.db_table} reading ON reading.presentation_id = presentation.id
    WHERE presentation.reading_list_id = ANY(%s)
    GROUP BY presentation.reading_list_id
) counted
JOIN {ReadingList._meta.db_table} list ON list.id = counted.list_id
JOIN {Enrollment._meta.db_table} enrollment ON enrollment.id = list.enrollment_id
JOIN {Arm._meta.db_table} arm ON arm.id = enrollment.arm_id
JOIN {SessionPlan._meta.db_table} plan ON plan.id = list.session_plan_id
"""


def study_conduct(study: Study, classifier: str | None = None) -> Conduct:
    """Everything about how the study was carried out; `classifier` is the run that judged its images, if one did."""
    sittings, readings_hash = _sittings(study)
    generators = [str(name) for name in study.plan.get("generators", [])]
    runs = _runs([*generators, *([classifier] if classifier else [])])
    return Conduct(
        cohort=_cohort(study, generators),
        resolutions=dict(study.arms.values_list("name", "resolution")),
        sessions=tuple(_session(plan) for plan in SessionPlan.objects.filter(study=study).order_by("number")),
        drawn=tuple(_drawn(study)),
        patients_drawn=_patients_drawn(study),
        sittings=sittings,
        created=Step(study.created_at, _actor(study, "study.created")),
        closed=Step(study.closed_at, _actor(study, "study.closed")) if study.closed_at else None,
        unsealed=_unsealed(study),
        is_declared=study.has_declared_analysis,
        hashes=Hashes(plan=_canonical(study.plan), draw=_draw_hash(study), readings=readings_hash),
        generators=tuple(runs.get(name, Run(name, CheckpointKind.GENERATOR)) for name in generators),
        classifier=runs.get(classifier, Run(classifier, CheckpointKind.CLASSIFIER)) if classifier else None,
        software=_software(),
        audits=tuple(
            Audit(one.at, one.passed, one.result.get("images"))
            for one in BlindingAudit.objects.filter(study=study).order_by("id")
        ),
    )


# --- material -----------------------------------------------------------------------------------------------
def _cohort(study: Study, generators: Sequence[str]) -> CohortFacts:
    cohort = study.cohort
    images = Image.objects.filter(exam__patient__cohort=cohort)
    truths = ImageTruth.objects.filter(image__in=images.values("pk"))
    return CohortFacts(
        name=cohort.name,
        parts=tuple(_parts(cohort)),
        imports=tuple(_imports(cohort)),
        pathologies=dict(Counter(truths.values_list("pathology", flat=True))),
        pathology_sources=tuple(truths.order_by("source").values_list("source", flat=True).distinct()),
        modalities=tuple(
            Exam.objects.filter(patient__cohort=cohort)
            .order_by("modality")
            .values_list("modality", flat=True)
            .distinct()
        ),
        source_bits=tuple(images.order_by("source_bits").values_list("source_bits", flat=True).distinct()),
        fractions=tuple(cohort.fractions),
        twins=_twins(cohort, generators),
    )


def _parts(cohort: Cohort) -> Iterable[Part]:
    patients = dict(Patient.objects.filter(cohort=cohort).values_list("split").annotate(count=Count("pk")).order_by())
    rows = (
        ImageTruth.objects.filter(image__exam__patient__cohort=cohort)
        .values_list("image__exam__patient__split")
        .annotate(
            all=Count("pk"),
            malignant=Count("pk", filter=Q(pathology=Pathology.MALIGNANT)),
            of_patients=Count("image__exam__patient", filter=Q(pathology=Pathology.MALIGNANT), distinct=True),
        )
        .order_by()
    )
    images = {split: counts for split, *counts in rows}
    for split in Split.values:
        if split in patients:
            count, malignant, malignant_patients = images.get(split, (0, 0, 0))
            yield Part(split, patients[split], count, malignant_patients, malignant)


def _imports(cohort: Cohort) -> Iterable[Import]:
    for event in Event.objects.filter(verb="cohort.imported", subject=_subject(cohort)).order_by("id"):
        counts = (int(event.data.get(name, 0)) for name in ("new", "known", "problems"))
        yield Import(event.at, *counts)


def _twins(cohort: Cohort, generators: Sequence[str]) -> Mapping[str, int]:
    """How many images have a twin by these runs, by resolution."""
    made = Truth.objects.filter(
        authenticity=Authenticity.ADVERSARIAL,
        generator__in=generators,
        stimulus__image__exam__patient__cohort=cohort,
    )
    return dict(made.values_list("stimulus__resolution").annotate(count=Count("pk")).order_by())


# --- plan and draw ------------------------------------------------------------------------------------------
def _session(plan: SessionPlan) -> SessionFacts:
    rules = plan.rules
    return SessionFacts(
        number=plan.number,
        title=plan.title,
        asks=plan.kind == SessionKind.BLINDED,
        planned=plan.total,
        washout_days=plan.washout_days,
        rest_hours=rules.rest_hours,
        display_check=rules.display_check.value,
        practice=plan.practice_id is not None,
        questions=tuple(question.name for question in rules.questions),
    )


_PATIENT = "stimulus__image__exam__patient"


def _drawn(study: Study) -> Iterable[Drawn]:
    rows = (
        Allocation.objects.filter(session_plan__study=study)
        .values_list("arm__name", "session_plan__number", f"{_PATIENT}__split")
        .annotate(images=Count("pk"), patients=Count(_PATIENT, distinct=True))
        .order_by("arm__name", "session_plan__number", f"{_PATIENT}__split")
    )
    return (Drawn(*row) for row in rows)


def _patients_drawn(study: Study) -> Mapping[str, int]:
    """Different patients over all sessions, by arm."""
    rows = Allocation.objects.filter(session_plan__study=study).values_list("arm__name")
    return dict(rows.annotate(patients=Count(_PATIENT, distinct=True)).order_by())


def _draw_hash(study: Study) -> str:
    """Over session, arm, place and the SHA-256 of the very file that stands there."""
    rows = (
        Allocation.objects.filter(session_plan__study=study)
        .order_by("session_plan__number", "arm__name", "position")
        .values_list("session_plan__number", "arm__name", "position", "stimulus__sha256")
    )
    return _hash("\n".join("|".join(map(str, row)) for row in rows))


# --- what happened ------------------------------------------------------------------------------------------
def _sittings(study: Study) -> tuple[tuple[Sitting, ...], str]:
    """Every reader in every session, in order; and the hash over the hashes of their readings."""
    lists = list(ReadingList.objects.filter(enrollment__study=study).values_list("pk", flat=True))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '256MB'")
        cursor.execute("SET LOCAL bytea_output = 'hex'")  # the hash must not hang on a server's settings
        cursor.execute(_SITTINGS, [lists])
        rows = sorted(cursor.fetchall(), key=lambda row: (by_number(row[1]), row[3]))
    disturbed = _Disturbances(study)
    sittings = tuple(disturbed.sitting(row) for row in rows)
    lines = (f"{row[1]}|{row[3]}|{row[6]}|{row[-1]}" for row in rows)
    return sittings, _hash("\n".join(lines))


class _Disturbances:
    """What the sittings, the display checks and the trail say about each reading list."""

    def __init__(self, study: Study) -> None:
        lists = ReadingList.objects.filter(enrollment__study=study)
        sessions = ReadingSession.objects.filter(reading_list__in=lists.values("pk"))
        self._sessions = {session.reading_list_id: session for session in sessions}
        checks = CheckedDisplay.objects.filter(reading_list__in=lists.values("pk"))
        self._checks = Counter(checks.values_list("reading_list_id", "passed"))
        verbs = ("session.held", "session.resumed")
        subjects = [_subject(one) for one in lists]
        trail = Event.objects.filter(verb__in=verbs, subject__in=subjects)
        self._trail = Counter(trail.values_list("subject", "verb"))

    def sitting(self, row: Sequence[Any]) -> Sitting:
        """From one row of the query."""
        pk, reader, arm, number, allocated, presented, read, a, b, c, none, paused, idle, after_gap, _hash = row
        session = self._sessions.get(pk)
        subject = f"{ReadingList._meta.label_lower}:{pk}"
        return Sitting(
            reader=reader,
            arm=arm,
            session=number,
            allocated=allocated,
            presented=presented,
            read=read,
            grades=Grades(a, b, c, none),
            paused=paused,
            idle=idle,
            after_gap=after_gap,
            opened_at=session.opened_at if session else None,
            finished_at=session.finished_at if session else None,
            is_held=bool(session and session.held_at),
            times_held=self._trail[subject, "session.held"],
            times_resumed=self._trail[subject, "session.resumed"],
            checks_passed=self._checks[pk, True],
            checks_failed=self._checks[pk, False],
        )


def _unsealed(study: Study) -> Step | None:
    row = Unsealing.objects.filter(study=study).select_related("by").first()
    return Step(row.at, _name(row.by), row.reason) if row else None


def _actor(study: Study, verb: str) -> str:
    event = Event.objects.filter(verb=verb, subject=_subject(study)).select_related("actor").order_by("-id").first()
    return _name(event.actor) if event else ""


def _name(person: User | None) -> str:
    return (person.get_full_name() or person.username) if person else ""


def _subject(row: Study | Cohort | ReadingList) -> str:
    """As `audit.actions.record` names it."""
    return f"{row._meta.label_lower}:{row.pk}"


# --- what made it -------------------------------------------------------------------------------------------
def _runs(names: Sequence[str]) -> Mapping[str, Run]:
    found = Checkpoint.objects.filter(name__in=names)
    return {one.name: Run(one.name, one.kind, one.preset, one.seed, one.code_version, one.split_hash) for one in found}


@cache
def _software() -> Software:
    packages = {"Python": platform.python_version(), **{name: _version(name) for name in _PACKAGES}}
    return Software(version=readerstudy.__version__, source_hash=_source_hash(), packages=packages)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _source_hash() -> str:
    """Over the path and the bytes of every Python file of this package."""
    root = Path(readerstudy.__file__).parent
    digest = sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _canonical(plan: Mapping[str, Any]) -> str:
    return _hash(json.dumps(plan, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
