"""Make or change a draft by a whole protocol file, with what it says of the readers."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.cohort.models import Cohort
from readerstudy.errors import BadInput
from readerstudy.participation.actions.consent import write_consent
from readerstudy.participation.actions.rules import save_rules
from readerstudy.participation.models import Consent, ConsentText
from readerstudy.participation.reader_protocol import ReaderProtocol
from readerstudy.participation.study_file import StudyDesign
from readerstudy.studies.actions import draft_study, edit_draft
from readerstudy.studies.models import Study


@transaction.atomic
def draft_design(
    *, code: str, title: str, cohort: Cohort, design: StudyDesign, actor: User | None, at: datetime
) -> Study:
    """Create a draft by a design. Raises the errors of `draft_study` and `adopt_readers`."""
    study = draft_study(code=code, title=title, cohort=cohort, protocol=design.protocol, actor=actor, at=at)
    adopt_readers(study=study, readers=design.readers, actor=actor, at=at)
    return study


@transaction.atomic
def import_design(
    *, study: Study, design: StudyDesign, actor: User | None, at: datetime, base: str | None = None
) -> None:
    """Replace the protocol of a draft, and what it asks of its readers if the design says it.

    Raises the errors of `edit_draft` and `adopt_readers`.
    """
    edit_draft(study=study, protocol=design.protocol, actor=actor, at=at, base=base)
    adopt_readers(study=study, readers=design.readers, actor=actor, at=at)


@transaction.atomic
def adopt_readers(*, study: Study, readers: ReaderProtocol | None, actor: User | None, at: datetime) -> None:
    """Set the consent text and the rules for readers of a study; None changes nothing.

    A text to which nobody has agreed is replaced, version and all. Otherwise another text becomes a new version, and
    BadInput is raised if the design has none.
    """
    if readers is None:
        return
    if readers.consent_texts:
        write_consent(study=study, texts=readers.consent_texts, actor=actor, at=at, version=readers.consent_version)
    else:
        _remove_consent(study, actor=actor, at=at)
    save_rules(study=study, values=readers.rules, actor=actor, at=at)


def _remove_consent(study: Study, *, actor: User | None, at: datetime) -> None:
    texts = ConsentText.objects.select_for_update().filter(study=study)
    if not texts:
        return
    if Consent.objects.filter(text__in=texts).exists():
        raise BadInput(
            "protocol readers consent_texts: "
            + _("is missing; a reader has agreed to the consent text of this study, so it cannot be removed.")
        )
    texts.delete()
    record("consent.removed", actor=actor, subject=study, at=at)
