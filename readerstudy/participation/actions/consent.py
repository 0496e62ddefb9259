"""Write the consent text of a study, agree to it, and withdraw the consent."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput, StudyError
from readerstudy.participation.models import Consent, ConsentText, text_hash
from readerstudy.participation.queries import newest_text
from readerstudy.participation.reader_protocol import checked_texts
from readerstudy.studies.actions import withdraw_reader
from readerstudy.studies.models import Enrollment, Study, WithdrawalCause


class ConsentChanged(StudyError):
    """The text that the reader agreed to is not the newest one."""


@transaction.atomic
def write_consent(
    *, study: Study, texts: Mapping[str, str], actor: User | None, at: datetime, version: int | None = None
) -> ConsentText:
    """Store the consent text: a change of the newest version while no reader has agreed to it, then a new version.

    `version` is the number that the text has elsewhere; it is raised above the versions that readers agreed to.

    Readers who agreed to an earlier version are asked again. Raises BadInput without any text, or once the study takes
    no more readers.
    """
    texts = checked_texts(texts)
    if not texts:
        raise BadInput(_("Write the consent text in at least one language."))
    study = Study.objects.select_for_update().get(pk=study.pk)
    if not study.takes_readers:
        values = {"study": study.code, "state": study.state}
        raise BadInput(_("The study %(study)s is %(state)s; its consent text is fixed.") % values)
    newest = ConsentText.objects.select_for_update().filter(study=study).order_by("-version").first()
    is_fixed = newest is not None and newest.consents.exists()
    if newest and newest.texts == texts and (is_fixed or version in (None, newest.version)):
        return newest
    earlier = ConsentText.objects.filter(study=study)
    earlier = earlier if newest is None or is_fixed else earlier.exclude(pk=newest.pk)
    least = (earlier.aggregate(most=Max("version"))["most"] or 0) + 1
    if newest is None or is_fixed:
        newest = ConsentText(study=study, version=least)
    newest.version = max(least, version or newest.version)
    newest.texts, newest.edited_at, newest.edited_by = texts, at, actor
    newest.save()
    hashes = {language: text_hash(text) for language, text in texts.items()}
    record("consent.written", actor=actor, subject=study, at=at, version=newest.version, sha256=hashes)
    return newest


@transaction.atomic
def give_consent(*, enrollment: Enrollment, language: str, sha256: str, at: datetime) -> Consent:
    """Record that the reader agrees to the newest text, which they read in this language. Again: changes nothing.

    `sha256` is that of the text on the page. Raises ConsentChanged if the text was changed since, StudyError if the
    study has no text or takes no more readers, or if the reader was withdrawn.
    """
    _require_part(enrollment)
    newest = newest_text(enrollment.study)
    if newest is None:
        raise StudyError(_("This study asks for no consent."))
    newest = ConsentText.objects.select_for_update().get(pk=newest.pk)  # nobody changes it meanwhile
    if text_hash(newest.texts.get(language, "")) != sha256:
        raise ConsentChanged(_("The text was changed meanwhile. Please read it again."))
    consent, is_new = Consent.objects.get_or_create(
        enrollment=enrollment, text=newest, defaults={"language": language, "sha256": sha256, "at": at}
    )
    if is_new:
        details = {"version": newest.version, "language": language, "sha256": sha256}
        record("consent.given", actor=enrollment.reader, subject=enrollment, at=at, **details)
    return consent


@transaction.atomic
def withdraw_consent(*, enrollment: Enrollment, actor: User, reason: str = "", at: datetime) -> None:
    """End the reader's participation because they withdraw their consent; the plan says what becomes of the readings.

    Readers need no reason of their own, coordinators who record it do.
    """
    withdraw_reader(enrollment=enrollment, actor=actor, reason=reason, at=at, cause=WithdrawalCause.CONSENT)


def _require_part(enrollment: Enrollment) -> None:
    """Raise StudyError unless the reader takes part in a study that takes readers; lock the enrolment."""
    current = Enrollment.objects.select_for_update(no_key=True).get(pk=enrollment.pk)
    if not current.takes_part:
        raise StudyError(_("You no longer take part in this study."))
    study = Study.objects.get(pk=enrollment.study_id)
    if not study.takes_readers:
        raise StudyError(_("The study %(study)s is %(state)s.") % {"study": study.code, "state": study.state})
