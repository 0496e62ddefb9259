"""Write the consent text of a study, agree to it, and withdraw the consent."""

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput, StudyError
from readerstudy.participation.models import LONGEST_TEXT, Consent, ConsentText, text_hash
from readerstudy.participation.queries import newest_text
from readerstudy.studies.actions import withdraw_reader
from readerstudy.studies.models import Enrollment, Study, WithdrawalCause


class ConsentChanged(StudyError):
    """The text that the reader agreed to is not the newest one."""


def checked_texts(texts: Mapping[str, str]) -> dict[str, str]:
    """Return the texts that are not empty, by language. Raises BadInput for an unknown language or a text too long."""
    known = dict(settings.LANGUAGES)
    result = {}
    for language, text in texts.items():
        if language not in known:
            raise BadInput(_("There is no language %(language)s.") % {"language": language})
        text = text.replace("\r\n", "\n").strip()
        if len(text) > LONGEST_TEXT or "\0" in text:
            raise BadInput(_("A text has at most %(most)d characters.") % {"most": LONGEST_TEXT})
        if text:
            result[language] = text
    return result


@transaction.atomic
def write_consent(*, study: Study, texts: Mapping[str, str], actor: User | None, at: datetime) -> ConsentText:
    """Store the consent text: a change of the newest version while no reader has agreed to it, then a new version.

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
    if newest and newest.texts == texts:
        return newest
    if newest and not newest.consents.exists():
        newest.texts, newest.edited_at, newest.edited_by = texts, at, actor
        newest.save(update_fields=["texts", "edited_at", "edited_by"])
    else:
        version = newest.version + 1 if newest else 1
        newest = ConsentText.objects.create(study=study, version=version, texts=texts, edited_at=at, edited_by=actor)
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
