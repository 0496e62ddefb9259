"""A draft is rehearsed by its protocol, before anything is drawn for it."""

from dataclasses import replace
from random import Random

import pytest
from django.core.management import CommandError, call_command

from readerstudy.analysis.report.progress import rehearsal_of
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.rehearsal.simulated_readers import Skill, _SimulatedReader
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


def test_a_simulated_reader_can_rely_on_the_aid():
    reader = _SimulatedReader.__new__(_SimulatedReader)
    reader.rng, reader.adversarial = Random(1), {"b"}
    reader.skill = Skill({2: 1.0}, {3: 1.0}, 0, 9, reliance=1)
    aid = {"score": "0.83", "threshold": "0.37", "above": True}
    assert reader._verdict({"code": "a", "aid": aid}, 2) == "not_real"
    assert reader._verdict({"code": "b", "aid": {**aid, "above": False}}, 2) == "real"
    assert [reader._verdict({"code": code}, 2) for code in "ab"] == ["real", "not_real"]
