"""A draft is rehearsed by its protocol, before anything is drawn for it."""

from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command

from readerstudy.analysis.report.progress import rehearsal_of
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.studies.actions import draft_study, edit_draft
from readerstudy.studies.models import Study
from readerstudy.studies.protocol_templates import protocol_of_template
from readerstudy.truth.actions import lock_study
from tests import make

# The rehearsal serves HTTP from threads, with connections of their own.
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_draft_is_rehearsed_again_after_a_change(small):
    films = make.cohort()
    make.adversarial_images_for(films)
    protocol = protocol_of_template("zhou2021", words=MAMMOGRAPHY.words.reading, scale=0.01, resolution="low")
    draft = draft_study(code="tiny", title="x", cohort=films, protocol=protocol, actor=None, at=make.MONDAY)
    call_command("rehearse_study", "tiny")
    draft.refresh_from_db()
    first = Study.named("tiny-rehearsal")
    assert (draft.status, draft.seed, first.status) == ("rehearsed", None, "unsealed")

    # One blinded session more than the article has, before the others.
    longer = replace(protocol, sessions=(protocol.sessions[1], *protocol.sessions))
    longer = replace(longer, analysis=replace(longer.analysis, before=4, after=6))
    edit_draft(study=draft, protocol=longer, actor=None, at=make.MONDAY)
    assert draft.status == "draft"
    call_command("rehearse_study", "tiny")
    draft.refresh_from_db()
    assert (draft.status, rehearsal_of(draft).code) == ("rehearsed", "tiny-rehearsal-2")

    lock_study(study=draft, actor=None, at=make.MONDAY)
    assert draft.status == "locked"
    call_command("rehearse_study", "tiny")
    with pytest.raises(CommandError, match="The rehearsal tiny-rehearsal-3 is finished already"):
        call_command("rehearse_study", "tiny")
