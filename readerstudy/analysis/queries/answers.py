"""Answers of readers, and their readings of images that were shown twice, counted in the database.

Only `queries.study` calls this, after it has checked that the study is unsealed.
"""

import json
from collections import defaultdict
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from readerstudy.analysis.queries.exclusions import IS_INCLUDED
from readerstudy.analysis.queries.withdrawals import keeps_withdrawn
from readerstudy.analysis.record.answers import AnsweredQuestion, ReaderRepeats
from readerstudy.analysis.record.codes import reader_sort_key
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.questions import Question
from readerstudy.reading.models import ClosingAnswers, Reading, ReadingSession
from readerstudy.sealed_work import sealed_work
from readerstudy.statistics.agreement import VERDICTS
from readerstudy.studies.models import Enrollment, Presentation, ReadingList, SessionPlan, Study
from readerstudy.truth.queries import truth_of_stimuli
from readerstudy.truth.terms import Authenticity

_LISTS = f"""
FROM {ReadingList._meta.db_table} list
JOIN {Enrollment._meta.db_table} enrollment ON enrollment.id = list.enrollment_id
JOIN {SessionPlan._meta.db_table} plan ON plan.id = list.session_plan_id
"""
_READINGS = f"""{_LISTS}
JOIN {Presentation._meta.db_table} presentation ON presentation.reading_list_id = list.id
JOIN {Reading._meta.db_table} reading ON reading.presentation_id = presentation.id
"""

# Whether the plan keeps the readings of withdrawn readers is a parameter.
_KEPT = "(%s OR enrollment.withdrawn_at IS NULL)"

_GIVEN = f"""
SELECT plan.number, given.key,
       -- of marks, their number
       (CASE WHEN jsonb_typeof(given.value -> 0) = 'array' THEN to_jsonb(jsonb_array_length(given.value))
             ELSE given.value END)::text,
       count(*)
{_READINGS}
CROSS JOIN LATERAL jsonb_each(reading.answers) given
WHERE enrollment.study_id = %s AND {_KEPT} AND NOT presentation.is_repeat AND {IS_INCLUDED}
GROUP BY 1, 2, 3
"""

_CLOSING = f"""
SELECT plan.number, given.key, given.value::text, count(*)
{_LISTS}
JOIN {ReadingSession._meta.db_table} session ON session.reading_list_id = list.id
JOIN {ClosingAnswers._meta.db_table} closing ON closing.session_id = session.id
CROSS JOIN LATERAL jsonb_each(closing.answers) given
WHERE enrollment.study_id = %s AND {_KEPT}
GROUP BY 1, 2, 3
"""

_REPEATS = f"""
SELECT enrollment.code, plan.number, first_plan.number, truth.authenticity = %s,
       first_reading.verdict, reading.verdict, count(*)
{_READINGS}
JOIN {{truth}} truth ON truth.stimulus_id = presentation.stimulus_id
JOIN {ReadingList._meta.db_table} first_list ON first_list.enrollment_id = enrollment.id
JOIN {SessionPlan._meta.db_table} first_plan ON first_plan.id = first_list.session_plan_id
JOIN {Presentation._meta.db_table} first ON first.reading_list_id = first_list.id
     AND first.stimulus_id = presentation.stimulus_id AND NOT first.is_repeat
JOIN {Reading._meta.db_table} first_reading ON first_reading.presentation_id = first.id
WHERE enrollment.study_id = %s AND {_KEPT} AND presentation.is_repeat AND {IS_INCLUDED}
  -- Two sessions may have shown the image; the repeat is one of a single session.
  AND first_plan.number = (%s::int[])[plan.number]
  AND reading.verdict = ANY(%s) AND first_reading.verdict = ANY(%s)
GROUP BY 1, 2, 3, 4, 5, 6
"""


def answered_questions(study: Study, analysis: AnalysisPlan) -> tuple[AnsweredQuestion, ...]:
    """Return every question of the study, in the order of the sessions, with its answers."""
    plans = list(SessionPlan.objects.filter(study=study).order_by("number"))
    asks = any(_about_images(plan) for plan in plans)  # if not, no reading has an answer that could be counted
    after_images = _counted(_GIVEN, study, analysis) if asks else {}
    at_end = _counted(_CLOSING, study, analysis)
    answered = []
    for plan in plans:
        closing = plan.closing_questions
        for question in (*_about_images(plan), *closing):
            is_closing = question in closing
            values = (at_end if is_closing else after_images).get((plan.number, question.name), ())
            answered.append(AnsweredQuestion(plan.number, question.said(plan.say), is_closing, tuple(values)))
    return tuple(answered)


def _about_images(plan: SessionPlan) -> tuple[Question, ...]:
    return plan.rules.questions if plan.total else ()


def _counted(sql: str, study: Study, analysis: AnalysisPlan) -> dict[tuple[int, str], list[tuple[Any, int]]]:
    counted = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(sql, [study.pk, keeps_withdrawn(analysis)])
        for number, name, value, count in sorted(cursor.fetchall()):
            counted[number, name].append((json.loads(value), count))
    return counted


def reader_repeats(study: Study, analysis: AnalysisPlan) -> tuple[ReaderRepeats, ...]:
    """Return the verdicts on images that were shown twice, by reader, session and truth."""
    known = list(VERDICTS)
    repeated = [each.repeat_of or number for number, each in enumerate(study.protocol.sessions, start=1)]
    adversarial = Authenticity.ADVERSARIAL.value
    with sealed_work(), connection.cursor() as cursor:
        sql = _REPEATS.format(truth=truth_of_stimuli(study))
        cursor.execute(sql, [adversarial, study.pk, keeps_withdrawn(analysis), repeated, known, known])
        rows = cursor.fetchall()
    tables: dict[tuple[str, int, int], NDArray[np.int64]] = {}
    for reader, session, first_session, is_adversarial, first, second, count in rows:
        empty = np.zeros((2, len(known), len(known)), dtype=np.int64)
        table = tables.setdefault((reader, session, first_session), empty)
        table[int(is_adversarial), known.index(first), known.index(second)] += count
    ordered = sorted(tables.items(), key=lambda item: (reader_sort_key(item[0][0]), item[0][1:]))
    return tuple(
        ReaderRepeats(reader, session, first_session, table) for (reader, session, first_session), table in ordered
    )
