"""What the pages say to readers about the images of a study: who drew them, and what "not real" means."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from readerstudy.protocol.sessions import SessionKind, Verdict
from readerstudy.studies.models import ReadingList, SessionPlan


@dataclass(frozen=True)
class Introduction:
    """Flags and texts for the templates. `meaning` is "" if the page says nothing about it.

    `names_alteration`: the page may say that images can be altered.
    """

    is_drawn: bool
    names_alteration: bool
    label: str = ""  # what the verdict "not real" is called
    meaning: Any = ""


def introduction_to_session(reading_list: ReadingList) -> Introduction:
    """Return what the pages of this session say."""
    later = ReadingList.objects.filter(enrollment=reading_list.enrollment_id, place__gt=reading_list.place)
    rows = later.select_related("session_plan__study__cohort").order_by("place")
    plan = reading_list.session_plan
    return _introduction([plan, *(row.session_plan for row in rows)], plan if plan.asks_verdict else None)


def introduction_to_study(plans: Sequence[SessionPlan]) -> Introduction:
    """Return what to say before the sessions that are left, at least one, in the order of reading."""
    asking = next((plan for plan in plans if plan.asks_verdict), None)
    return _introduction(plans, asking if _names_alteration(plans) else None)


def _names_alteration(plans: Sequence[SessionPlan]) -> bool:
    """Before a reading without verdicts nothing may say that images can be altered."""
    return all(plan.asks_verdict for plan in plans if plan.kind == SessionKind.BLINDED)


def _introduction(plans: Sequence[SessionPlan], asking: SessionPlan | None) -> Introduction:
    cohort = plans[0].study.cohort
    names = asking is not None or _names_alteration(plans)
    if asking is None:
        return Introduction(cohort.is_drawn, names)
    rules, say = asking.rules, asking.say
    own = say(rules.not_real_means) if rules.not_real_means else cohort.modality.words.reading.not_real_means
    return Introduction(cohort.is_drawn, names, say(rules.verdict_labels.label(Verdict.NOT_REAL)), own)
