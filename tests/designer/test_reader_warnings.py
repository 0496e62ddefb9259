"""What the checklist says about readers and about power, and what of it the lock enforces."""

from dataclasses import replace
from pathlib import Path

import pytest
from django.urls import reverse

from readerstudy.accounts.models import User
from readerstudy.audit.models import Event
from readerstudy.designer.checklist.checks import check_protocol
from readerstudy.designer.checklist.power import power_sentence
from readerstudy.designer.checklist.readers import reader_warnings
from readerstudy.participation.actions import give_consent, save_rules, write_consent
from readerstudy.participation.models import text_hash
from readerstudy.participation.study_file import read_design
from readerstudy.protocol.document import ProtocolSession
from readerstudy.protocol.sessions import SessionKind
from readerstudy.studies.actions import enroll
from readerstudy.studies.exposure import SeenBefore
from readerstudy.studies.models import Enrollment
from readerstudy.truth.actions import create_study, lock_study
from tests import make

AT = {"at": make.MONDAY}


def warnings(draft, clara, page: str):
    return [each for each in reader_warnings(draft, draft.cohort, told_to=clara) if each.page == page]


def consent(draft) -> str:
    """Write a consent text and return its hash."""
    return text_hash(write_consent(study=draft, texts={"en": "Agree."}, actor=None, **AT).texts["en"])


def test_a_protocol_with_one_session_of_verdicts_is_checked(draft, clara):
    file = Path(__file__).parents[2] / "docs" / "designs" / "unprompted-then-told.yaml"
    protocol = read_design(file.read_bytes(), words=draft.cohort.modality.words.reading).protocol
    assert len(protocol.asking) == 1  # so that nothing is compared
    for name in ("rita", "ruth"):
        make.reader_in(draft, name)
    advice = check_protocol(draft, draft.cohort, protocol, told_to=clara).advice
    assert not [line for line in advice if line.place.startswith("analysis")]


# --- consent --------------------------------------------------------------------------------------------------------
def test_readers_without_consent_are_named_until_they_agree(draft, clara):
    for number in range(3):
        make.reader_in(draft, f"reader-{number}")
    assert warnings(draft, clara, "people") == []  # the study asks for none
    sha256 = consent(draft)
    first = Enrollment.objects.get(code="R1")
    give_consent(enrollment=first, language="en", sha256=sha256, **AT)
    (line,) = warnings(draft, clara, "people")
    assert "2 readers have not agreed to the consent text: R2, R3." in line.sentence
    assert "No session opens" in line.sentence
    save_rules(study=draft, values={"consent_required": False}, actor=None, **AT)
    (line,) = warnings(draft, clara, "people")
    assert "No session opens" not in line.sentence


def test_missing_consent_does_not_keep_a_study_from_being_locked(desk, draft, clara):
    make.reader_in(draft)
    consent(draft)
    page = desk.get(reverse("designer:move", args=[draft.code, "lock"])).content.decode()
    assert "1 reader has not agreed" in page
    assert 'class="primary"' in page
    assert f'href="{reverse("desk:people", args=[draft.code])}"' in page
    lock_study(study=draft, actor=None, **AT)


# --- images seen before ---------------------------------------------------------------------------------------------
@pytest.fixture
def other(films):
    """Another study with images of the cohort; Clara takes no part in it."""
    values = {"template": "zhou2021", "scale": 0.03, "seed": 8, "resolution": "low"}
    return create_study(code="other", title="Other", cohort=films, **values, **AT)


def test_a_reader_of_another_study_is_named_with_a_link(desk, draft, other, clara):
    rita = make.reader_in(draft)
    enroll(study=other, reader=rita, **AT)
    (line,) = warnings(draft, clara, "reader")
    assert "R1 has seen or will see 37 of its images in another study." in line.sentence
    assert "The lock is refused" in line.sentence
    address = reverse("desk:reader", args=[draft.code, Enrollment.objects.get(study=draft).pk])
    assert f'href="{address}"' in desk.get(reverse("designer:design", args=[draft.code])).content.decode()
    with pytest.raises(SeenBefore):  # what the warning says is what the lock does
        lock_study(study=draft, actor=None, **AT)


def test_a_recorded_reason_is_shown_and_the_lock_accepts_it(draft, other, clara):
    rita = make.user("rita")
    enroll(study=other, reader=rita, **AT)
    enroll(study=draft, reader=rita, override_reason="A year ago.", **AT)
    make.join([clara], [other])
    (line,) = warnings(draft, clara, "reader")
    assert line.sentence.endswith("37 of its images in other. It is allowed for this reason: A year ago.")
    lock_study(study=draft, actor=None, **AT)


def test_the_page_of_the_lock_takes_a_reason_and_then_locks(desk, draft, other, clara):
    rita, tom = make.reader_in(draft), make.reader_in(draft, "tom")
    for each in (rita, tom):
        enroll(study=other, reader=each, **AT)
    first, second = Enrollment.objects.filter(study=draft).order_by("pk")
    page, values = reverse("designer:move", args=[draft.code, "lock"]), {"base": draft.design_sha256}
    assert f'name="repeats-{first.pk}"' in desk.get(page).content.decode()
    refused = desk.post(page, {**values, f"repeats-{first.pk}": "A year ago."})
    assert (refused.status_code, "tom (R2) has seen" in refused.content.decode()) == (409, True)
    # The first reason is stored: the page asks for the second one only.
    assert f'name="repeats-{first.pk}"' not in refused.content.decode()
    assert f'name="repeats-{second.pk}"' in refused.content.decode()
    desk.post(page, {**values, f"repeats-{second.pk}": "Other words."})
    draft.refresh_from_db()
    assert (draft.status, draft.enrollments.get(pk=second.pk).override_reason) == ("locked", "Other words.")
    assert Event.objects.filter(verb="reader.repeats_allowed", actor=clara).count() == 2


def test_the_page_of_a_reader_takes_the_reason_too(desk, draft, other):
    enroll(study=other, reader=make.reader_in(draft), **AT)
    enrollment = Enrollment.objects.get(study=draft)
    page = reverse("desk:reader", args=[draft.code, enrollment.pk])
    act = reverse("desk:reader-act", args=[draft.code, enrollment.pk, "repeats"])
    assert act in desk.get(page).content.decode()
    shown = desk.post(act, {"reason": "A year ago."}, follow=True).content.decode()
    assert "Allowed although other studies show this reader images of this one: “A year ago.”" in shown
    assert act not in shown


def test_images_of_the_chosen_cohort_count_before_it_is_saved(draft, other, clara):
    rita = make.reader_in(draft)
    enroll(study=other, reader=rita, **AT)
    elsewhere = make.cohort(name="elsewhere")
    assert [each.page for each in reader_warnings(draft, elsewhere, told_to=clara)] == ["people"]


def test_the_checklist_asks_the_database_once_for_all_readers(draft, clara, django_assert_max_num_queries):
    for number in range(6):
        make.reader_in(draft, f"reader-{number}")
    consent(draft)
    with django_assert_max_num_queries(8):
        list(reader_warnings(draft, draft.cohort, told_to=clara))


# --- power ----------------------------------------------------------------------------------------------------------
def protocol_with(draft, primary: str, **counts: int):
    protocol = draft.protocol
    sessions = list(protocol.sessions)
    for number in (3, 5):
        sessions[number - 1] = replace(sessions[number - 1], real=counts["real"], adversarial=counts["adversarial"])
    return replace(protocol, sessions=tuple(sessions), analysis=replace(protocol.analysis, primary=primary))


def power_of(protocol) -> float:
    return float(power_sentence(protocol, readers=5).partition("a power of ")[2][:4])


@pytest.mark.parametrize(
    ("primary", "expected"),
    [
        # `mrmc.power` of the components in docs/explanation/statistics.md, which the tests of the documents compute.
        ("sensitivity", ("0.53", "sensitivity", "220 images in each session", "a rate of 0.60")),
        ("auc", ("0.60", "area under the ROC curve", "440 images in each session", "which is an area of 0.67")),
        ("balanced_accuracy", ("0.60", "balanced accuracy", "440 images in each session", "a rate of 0.60")),
    ],
)
def test_the_power_is_that_of_the_planned_figure(draft, primary, expected):
    sentence = power_sentence(protocol_with(draft, primary, real=220, adversarial=220), readers=5)
    power, *words = expected
    assert f"a power of {power} " in sentence
    assert all(each in sentence for each in words)


def test_sessions_of_different_sizes_are_both_counted(draft):
    same = protocol_with(draft, "auc", real=100, adversarial=100)
    sessions = list(same.sessions)
    sessions[2] = replace(sessions[2], real=20, adversarial=20)
    fewer = replace(same, sessions=tuple(sessions))
    assert "40 and 200 images" in power_sentence(fewer, readers=5)
    both = protocol_with(draft, "auc", real=20, adversarial=20)
    assert power_of(both) < power_of(fewer) < power_of(same)


def test_the_same_images_under_two_conditions_have_more_power(draft):
    # With hundreds of images the readers' own spread decides, and the two decimals are the same.
    other = protocol_with(draft, "auc", real=40, adversarial=40)
    sessions = list(other.sessions)
    sessions[4] = ProtocolSession(SessionKind.BLINDED, "Again", images_of=3)
    same = replace(other, sessions=tuple(sessions))
    assert "80 images in each session" in power_sentence(same, readers=5)
    assert "any two readings of the same images" in power_sentence(same, readers=5)
    assert power_of(same) > power_of(other)


def test_a_session_without_adversarial_images_has_no_power(draft):
    assert power_sentence(protocol_with(draft, "auc", real=20, adversarial=0), readers=5) == ""


def test_every_line_leads_to_a_field_or_a_page(draft, clara):
    make.reader_in(draft)
    checked = check_protocol(draft, draft.cohort, draft.protocol, told_to=User.objects.get(pk=clara.pk))
    assert checked.advice
    assert all(each.label or each.page for each in (*checked.obstacles, *checked.advice))
