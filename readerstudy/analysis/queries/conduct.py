"""How a study was carried out, read from the database. Counts and hashes are computed there in one pass."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from readerstudy.analysis.queries.exclusions import excluded_images
from readerstudy.analysis.queries.material import cohort_facts, drawn_images, patients_drawn, session_facts
from readerstudy.analysis.queries.provenance import (
    draw_hash,
    generators_and_attacks,
    network_runs,
    plan_hash,
    software_versions,
    text_hash,
)
from readerstudy.analysis.queries.trail import last_actor, person_name, subject_of
from readerstudy.analysis.queries.unblindings import unplanned_unblindings
from readerstudy.analysis.queries.withdrawals import analysed_readers
from readerstudy.analysis.record.codes import reader_sort_key
from readerstudy.analysis.record.conduct import (
    AuditResult,
    GradeCounts,
    NetworkRun,
    ReaderSession,
    StudyConduct,
    StudyEvent,
    StudyHashes,
)
from readerstudy.audit.models import Event
from readerstudy.experiments.models import CheckpointKind
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.reading.models import CheckedDisplay, Reading, ReadingSession, Showing
from readerstudy.rehearsal.models import BlindingAudit
from readerstudy.studies.models import Arm, Enrollment, Presentation, ReadingList, SessionPlan, Study
from readerstudy.truth.queries import find_unsealing

# One row per reading list. The hash covers the list's readings in the order in which they were stored: what was shown
# at which position, the verdict, the times (in PostgreSQL's binary form: microseconds), answers, grade and receipt.
# Grouping by a single number, and NULL instead of FILTER, lets one sort serve both the groups and the hash; lists found
# by the query itself, not given as an array, let several processes of the database share the join.
_READER_SESSIONS = f"""
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
    WHERE presentation.reading_list_id IN (SELECT list.id FROM {ReadingList._meta.db_table} list
        JOIN {Enrollment._meta.db_table} enrollment ON enrollment.id = list.enrollment_id
        WHERE enrollment.study_id = %s)
    GROUP BY presentation.reading_list_id
) counted
JOIN {ReadingList._meta.db_table} list ON list.id = counted.list_id
JOIN {Enrollment._meta.db_table} enrollment ON enrollment.id = list.enrollment_id
JOIN {Arm._meta.db_table} arm ON arm.id = enrollment.arm_id
JOIN {SessionPlan._meta.db_table} plan ON plan.id = list.session_plan_id
"""


def study_conduct(study: Study, classifier: str | None = None, plan: AnalysisPlan | None = None) -> StudyConduct:
    """Return how the study was carried out. `classifier` is the run that evaluated its images, if there is one.

    The sessions are those of the readers whom the plan does not leave out; the hash of the readings covers all.
    """
    every_session, readings_hash = _reader_sessions(study)
    readers = analysed_readers(study, plan or study.analysis)
    made_by = [str(name) for name in study.plan.get("generators", [])]
    generators, attacks = generators_and_attacks(made_by)
    runs = network_runs([classifier] if classifier else [])
    return StudyConduct(
        cohort=cohort_facts(study, made_by),
        resolutions=dict(study.arms.values_list("name", "resolution")),
        sessions=tuple(session_facts(plan) for plan in SessionPlan.objects.filter(study=study).order_by("number")),
        drawn=drawn_images(study),
        patients_drawn=patients_drawn(study),
        reader_sessions=tuple(each for each in every_session if each.reader in readers),
        created=StudyEvent(study.created_at, last_actor(study, "study.created")),
        closed=StudyEvent(study.closed_at, last_actor(study, "study.closed")) if study.closed_at else None,
        unsealed=_unsealed(study),
        is_declared=study.has_declared_analysis,
        hashes=StudyHashes(plan=plan_hash(study.plan), draw=draw_hash(study), readings=readings_hash),
        generators=generators,
        classifier=runs.get(classifier, NetworkRun(classifier, CheckpointKind.CLASSIFIER)) if classifier else None,
        software=software_versions(),
        audits=_audits(study),
        excluded=excluded_images(study),
        attacks=attacks,
        unblindings=unplanned_unblindings(study),
    )


def _unsealed(study: Study) -> StudyEvent | None:
    unsealing = find_unsealing(study)
    if unsealing is None:
        return None
    by, other = person_name(unsealing.by), person_name(unsealing.confirmed_by)
    return StudyEvent(unsealing.at, by, unsealing.reason, confirmed_by=other)


def _audits(study: Study) -> tuple[AuditResult, ...]:
    audits = BlindingAudit.objects.filter(study=study).order_by("id")
    return tuple(AuditResult(audit.at, audit.passed, audit.result.get("images")) for audit in audits)


def _reader_sessions(study: Study) -> tuple[tuple[ReaderSession, ...], str]:
    """Return every reader's sessions in order, and the hash over the hashes of their readings."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '256MB'")
        cursor.execute("SET LOCAL bytea_output = 'hex'")  # the hash must not depend on the server's settings
        cursor.execute(_READER_SESSIONS, [study.pk])
        rows = sorted(cursor.fetchall(), key=lambda row: (reader_sort_key(row[1]), row[3]))
    interruptions = _Interruptions(study)
    reader_sessions = tuple(interruptions.reader_session(row) for row in rows)
    lines = (f"{row[1]}|{row[3]}|{row[6]}|{row[-1]}" for row in rows)
    return reader_sessions, text_hash("\n".join(lines))


class _Interruptions:
    """Sessions, display checks and audit events of each reading list of a study."""

    def __init__(self, study: Study) -> None:
        lists = ReadingList.objects.filter(enrollment__study=study)
        sessions = ReadingSession.objects.filter(reading_list__in=lists.values("pk"))
        self._sessions = {session.reading_list_id: session for session in sessions}
        checks = CheckedDisplay.objects.filter(reading_list__in=lists.values("pk"))
        self._checks = Counter(checks.values_list("reading_list_id", "passed"))
        verbs = ("session.held", "session.stopped", "session.resumed")
        events = Event.objects.filter(verb__in=verbs, subject__in=[subject_of(each) for each in lists])
        self._events = Counter(events.values_list("subject", "verb"))

    def reader_session(self, row: Sequence[Any]) -> ReaderSession:
        """Return the reader's session from one row of _READER_SESSIONS."""
        pk, reader, arm, number, allocated, presented, read, a, b, c, none, paused, idle, after_gap, _hash = row
        session = self._sessions.get(pk)
        subject = f"{ReadingList._meta.label_lower}:{pk}"
        return ReaderSession(
            reader=reader,
            arm=arm,
            session=number,
            allocated=allocated,
            presented=presented,
            read=read,
            grades=GradeCounts(a, b, c, none),
            paused=paused,
            idle=idle,
            after_gap=after_gap,
            opened_at=session.opened_at if session else None,
            finished_at=session.finished_at if session else None,
            is_held=bool(session and session.held_at),
            times_held=self._events[subject, "session.held"] + self._events[subject, "session.stopped"],
            times_resumed=self._events[subject, "session.resumed"],
            checks_passed=self._checks[pk, True],
            checks_failed=self._checks[pk, False],
        )
