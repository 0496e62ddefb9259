"""Unplanned unblindings are recorded, corrected by new rows, assessed, and named in the report."""

from datetime import timedelta

import pytest
from django.db import InternalError, connection, transaction
from django.urls import reverse
from django.utils.timezone import now

from readerstudy.accounts.models import Role
from readerstudy.analysis.report.build import build_report
from readerstudy.audit.models import Event
from readerstudy.errors import BadInput, NotFound, StudyError
from readerstudy.protocol.templates import protocol_of_template
from readerstudy.record.models import Entry
from readerstudy.studies.actions import (
    assess_unblinding,
    correct_unblinding,
    draft_study,
    record_unblinding,
)
from readerstudy.studies.actions.unblinding import UnblindingFacts
from readerstudy.studies.models import Consequence, Unblinding, UnblindingAssessment
from readerstudy.studies.unblindings import unblindings_of
from readerstudy.truth.actions import unseal_study
from tests import make
from tests.analysis import rows

pytestmark = pytest.mark.django_db
AT = {"at": make.MONDAY}
FACTS = UnblindingFacts(
    happened_at=make.MONDAY - timedelta(hours=2),
    persons="The reader R1",
    learnt="That one image of session 3 was altered",
    how="A colleague named it in the corridor",
    readers=("R1",),
    sessions=(3,),
)
FORM = {
    "happened_at": "2026-03-02T07:30",
    "persons": "The reader R1",
    "learnt": "That one image of session 3 was altered",
    "how": "A colleague named it",
    "readers": ["R1"],
    "sessions": ["3"],
}


@pytest.fixture
def study(db):
    return rows.study()


@pytest.fixture
def desk(client, clara, study):
    make.join([clara], [study])
    client.force_login(clara)
    return client


def test_an_unblinding_is_recorded_corrected_and_assessed(study, clara):
    record_unblinding(study=study, facts=FACTS, actor=clara, **AT)
    corrected = UnblindingFacts(FACTS.happened_at, "R1 and R2", FACTS.learnt, FACTS.how, ("R1", "R2"), (3, 5))
    correct_unblinding(study=study, number=1, facts=corrected, actor=clara, **AT)
    for consequence in (Consequence.NONE, Consequence.READINGS_EXCLUDED):
        values = {"consequence": consequence, "text": "It was seen before.", "readings": 14}
        assess_unblinding(study=study, number=1, actor=clara, **values, **AT)
    record_unblinding(study=study, facts=FACTS, actor=None, **AT)
    first, second = unblindings_of(study)
    assert (first.newest.persons, first.newest.revision, [row.persons for row in first.earlier]) == (
        "R1 and R2", 2, ["The reader R1"],
    )  # fmt: skip
    assert (first.assessment.consequence, len(first.assessments)) == ("excluded", 2)
    assert (second.newest.number, second.assessment) == (2, None)
    events = Event.objects.filter(verb__startswith="unblinding.").order_by("pk")
    assert [event.verb.partition(".")[2] for event in events] == [
        *("recorded", "corrected", "assessed", "assessed", "recorded")
    ]
    assert all(event.study == study.code for event in events)
    connection.check_constraints()
    logged = Entry.objects.filter(log=study.code, relation__startswith="studies_unblinding")
    assert logged.count() == 5


def test_what_is_recorded_cannot_be_changed(study, clara):
    record_unblinding(study=study, facts=FACTS, actor=clara, **AT)
    assess_unblinding(study=study, number=1, consequence=Consequence.NONE, text="Nothing.", actor=clara, **AT)
    for table in (Unblinding._meta.db_table, UnblindingAssessment._meta.db_table):
        for sql in (f"DELETE FROM {table}", f"UPDATE {table} SET number = 9"):
            with pytest.raises(InternalError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(sql)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"persons": " "}, "persons"),
        ({"learnt": "x" * 2001}, "learnt"),
        ({"how": "a\0"}, "how"),
        ({"readers": ("R9",)}, "readers"),
        ({"sessions": (9,)}, "sessions"),
        ({"happened_at": make.MONDAY + timedelta(minutes=1)}, "happened_at"),
    ],
)
def test_facts_that_cannot_be_are_refused_with_their_field(study, changes, field):
    facts = UnblindingFacts(**{**vars(FACTS), **changes})
    with pytest.raises(BadInput, match=f"^{field}:"):
        record_unblinding(study=study, facts=facts, actor=None, **AT)
    assert not Unblinding.objects.exists()


def test_there_is_nothing_to_learn_of_a_draft_and_nothing_to_assess_without_a_record(study):
    words = make.MAMMOGRAPHY.words.reading
    protocol = protocol_of_template("zhou2021", words=words)
    draft = draft_study(code="next", title="x", cohort=study.cohort, protocol=protocol, actor=None, **AT)
    with pytest.raises(StudyError, match="Nothing of the study next is drawn yet"):
        record_unblinding(study=draft, facts=FACTS, actor=None, **AT)
    with pytest.raises(NotFound):
        assess_unblinding(study=study, number=1, consequence=Consequence.NONE, text="x", actor=None, **AT)
    with pytest.raises(NotFound):
        correct_unblinding(study=study, number=1, facts=FACTS, actor=None, **AT)


# --- the desk -------------------------------------------------------------------------------------------------
def test_the_desk_records_assesses_and_corrects(desk, study, clara):
    address = reverse("desk:unblindings", args=[study.code])
    assert "None is recorded." in desk.get(address).content.decode()
    assert desk.post(address, {**FORM, "persons": ""}).status_code == 400
    assert desk.post(address, {**FORM, "happened_at": f"{now().year + 1}-01-01T00:00"}).status_code == 400
    assert not Unblinding.objects.exists()
    assert desk.post(address, FORM).status_code == 302
    assert "not assessed yet" in desk.get(address).content.decode()
    assert "small: 1 unplanned unblinding is not assessed yet." in desk.get(reverse("desk:board")).content.decode()
    own = reverse("desk:unblinding", args=[study.code, 1])
    assert desk.post(own, {"form": "assess", "consequence": "none"}).status_code == 400
    assessment = {"form": "assess", "consequence": "none", "text": "R1 had read the session before.", "readings": ""}
    assert desk.post(own, assessment).status_code == 302
    assert desk.post(own, {**FORM, "persons": "R1, by telephone"}).status_code == 302
    page = desk.get(own).content.decode()
    assert "R1, by telephone" in page
    assert "unplanned unblinding" not in desk.get(reverse("desk:board")).content.decode()
    assert "The reader R1" in page  # as it was recorded first
    assert "R1 had read the session before." in page
    case = unblindings_of(study)[0]
    assert (case.newest.by, case.newest.sessions, case.assessment.readings) == (clara, [3], None)
    assert desk.get(reverse("desk:unblinding", args=[study.code, 2])).status_code == 404


def test_strangers_and_readers_see_no_unblinding(study, client):
    for person, status in ((make.stranger("sam", Role.COORDINATOR), 404), (study.enrollments.first().reader, 403)):
        client.force_login(person)
        assert client.get(reverse("desk:unblindings", args=[study.code])).status_code == status


# --- the report -----------------------------------------------------------------------------------------------
def test_the_report_names_each_unblinding_and_its_assessment(study, rosa):
    record_unblinding(study=study, facts=FACTS, actor=None, **AT)
    record_unblinding(study=study, facts=FACTS, actor=None, **AT)
    values = {"consequence": Consequence.READER_WITHDRAWN, "text": "R1 was withdrawn.", "readings": 14}
    assess_unblinding(study=study, number=1, actor=None, **values, **AT)
    make.join([rosa], [study])
    unseal_study(study=rows.closed(study), actor=rosa, reason="All have read.", **AT)
    report = build_report(study, **AT)
    first, second = report.table_dict("unblindings")["rows"]
    assert (first["persons"], first["readers"], first["sessions"], first["readings"]) == (
        "The reader R1",
        "R1",
        "3",
        14,
    )
    assert (first["consequence"], first["assessment"]) == ("A reader is withdrawn", "R1 was withdrawn.")
    assert (second["consequence"], second["readings"]) == ("not assessed yet", None)
    (conduct,) = (section for section in report.sections if section.key == "conduct")
    assert "unblindings" in [table.key for table in conduct.tables]


def test_the_report_says_that_none_was_recorded(study, rosa):
    make.join([rosa], [study])
    unseal_study(study=rows.closed(study), actor=rosa, reason="All have read.", **AT)
    table = build_report(study, **AT).tables["unblindings"]
    assert (table.rows, table.empty) == ((), "No unplanned unblinding was recorded.")
