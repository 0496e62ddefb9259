"""Recording an unplanned unblinding, correcting what was recorded, and assessing what it means (ICH E6(R3) 4.1.4)."""

from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput, NotFound, StudyError
from readerstudy.studies.models import Consequence, Study, Unblinding, UnblindingAssessment

LONGEST_TEXT = 2000


@dataclass(frozen=True)
class UnblindingFacts:
    """Who learnt what, when and how. `readers` are codes, `sessions` numbers; empty: all of them."""

    happened_at: datetime
    persons: str
    learnt: str
    how: str
    readers: tuple[str, ...] = ()
    sessions: tuple[int, ...] = ()


@transaction.atomic
def record_unblinding(*, study: Study, facts: UnblindingFacts, actor: User | None, at: datetime) -> Unblinding:
    """Record that somebody learnt part of the truth while the study was blinded.

    Raises StudyError before the lists are drawn, BadInput with the field for facts that cannot be.
    """
    drawn = Study.objects.select_for_update().get(pk=study.pk)
    if drawn.is_editable:
        text = _("Nothing of the study %(study)s is drawn yet, so there is nothing that anybody could learn.")
        raise StudyError(text % {"study": drawn.code})
    last = Unblinding.objects.filter(study=drawn).order_by("-number").first()
    return _store(drawn, facts, number=last.number + 1 if last else 1, revision=1, actor=actor, at=at)


@transaction.atomic
def correct_unblinding(
    *, study: Study, number: int, facts: UnblindingFacts, actor: User | None, at: datetime
) -> Unblinding:
    """Record the facts of an unblinding anew; what was recorded before stays. Raises NotFound without one."""
    drawn = Study.objects.select_for_update().get(pk=study.pk)
    last = _newest(drawn, number)
    return _store(drawn, facts, number=number, revision=last.revision + 1, actor=actor, at=at)


@transaction.atomic
def assess_unblinding(
    *,
    study: Study,
    number: int,
    consequence: Consequence,
    text: str,
    actor: User | None,
    at: datetime,
    readings: int | None = None,
) -> UnblindingAssessment:
    """Record what an unblinding means for the study. It changes nothing by itself: it says what was decided.

    Raises NotFound without such an unblinding, BadInput without a text.
    """
    drawn = Study.objects.select_for_update().get(pk=study.pk)
    _newest(drawn, number)
    row = UnblindingAssessment.objects.create(
        study=drawn,
        number=number,
        consequence=Consequence(consequence),
        text=_text("text", text),
        readings=readings,
        at=at,
        by=actor,
    )
    record("unblinding.assessed", actor=actor, subject=drawn, at=at, number=number, consequence=row.consequence)
    return row


def _newest(study: Study, number: int) -> Unblinding:
    found = Unblinding.objects.filter(study=study, number=number).order_by("-revision").first()
    if found is None:
        text = _("The study %(study)s has no unplanned unblinding %(number)s.")
        raise NotFound(text % {"study": study.code, "number": number})
    return found


def _store(
    study: Study, facts: UnblindingFacts, *, number: int, revision: int, actor: User | None, at: datetime
) -> Unblinding:
    _check(study, facts, at=at)
    texts = {name: _text(name, getattr(facts, name)) for name in ("persons", "learnt", "how")}
    values = {**asdict(facts), **texts, "readers": list(facts.readers), "sessions": list(facts.sessions)}
    row = Unblinding.objects.create(study=study, number=number, revision=revision, at=at, by=actor, **values)
    if revision == 1:
        record("unblinding.recorded", actor=actor, subject=study, at=at, number=number)
    else:
        record("unblinding.corrected", actor=actor, subject=study, at=at, number=number)
    return row


def _check(study: Study, facts: UnblindingFacts, *, at: datetime) -> None:
    if facts.happened_at > at:
        raise BadInput("happened_at: " + _("is in the future."))
    codes = set(study.enrollments.values_list("code", flat=True))
    numbers = set(study.session_plans.values_list("number", flat=True))
    if not set(facts.readers) <= codes:
        raise BadInput("readers: " + _("names somebody who is not a reader of the study."))
    if not set(facts.sessions) <= numbers:
        raise BadInput("sessions: " + _("names a session that the study does not have."))


def _text(name: str, text: str) -> str:
    text = text.strip()
    if not 0 < len(text) <= LONGEST_TEXT or "\0" in text:
        raise BadInput(f"{name}: " + _("must be a text of at most %(most)s characters.") % {"most": LONGEST_TEXT})
    return text
