"""The protocol file with what a study asks of its readers: nothing is lost on the way out and back, or to a copy."""

import pytest
from django.core.management import call_command
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from readerstudy.designer.starting_points import design_from
from readerstudy.errors import BadInput
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.participation.actions import (
    adopt_readers,
    draft_design,
    give_consent,
    import_design,
    save_rules,
    write_consent,
)
from readerstudy.participation.models import Characteristic, ConsentText, text_hash
from readerstudy.participation.reader_protocol import ReaderProtocol, reader_protocol
from readerstudy.participation.study_file import StudyDesign, design_of, read_design, write_design
from readerstudy.protocol.templates import protocol_of_template
from readerstudy.protocol.texts import Translated
from readerstudy.studies.actions import draft_study
from readerstudy.studies.models import Enrollment
from tests import make

AT = {"at": make.MONDAY}
WORDS = MAMMOGRAPHY.words.reading
PROTOCOL = protocol_of_template("short", words=WORDS)
READERS = ReaderProtocol(
    consent_version=3,
    consent_texts=Translated({"en": "# Consent\n\nI agree: yes - no.", "de": "Ich stimme zu."}),
    consent_required=False,
    asked=("years", "sex"),
    reminder_days=0,
    quick_ms=900,
    quick_run=5,
    closing_texts=Translated({"de": "Danke!\nWir schreiben Ihnen."}),
)


def read(text: str) -> StudyDesign:
    return read_design(text.encode(), words=WORDS)


# --- the file -------------------------------------------------------------------------------------------------
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=60).map(
    lambda text: text.replace("\r\n", "\n").strip()
)
by_language = st.dictionaries(st.sampled_from(["en", "de"]), texts.filter(bool)).map(Translated)
asked = st.sets(st.sampled_from(Characteristic.values)).map(
    lambda names: tuple(name for name in Characteristic.values if name in names)
)
reader_protocols = st.builds(
    ReaderProtocol,
    consent_version=st.integers(1, 9999),
    consent_texts=by_language,
    consent_required=st.booleans(),
    asked=asked,
    reminder_days=st.integers(0, 365),
    quick_ms=st.integers(100, 60_000),
    quick_run=st.integers(2, 100),
    closing_texts=by_language,
)


@given(readers=reader_protocols)
def test_everything_that_is_asked_of_readers_comes_back(readers):
    design = StudyDesign(PROTOCOL, readers)
    text = write_design(design)
    assert read(text) == design
    assert write_design(read(text)) == text


def test_a_file_without_readers_says_nothing_of_them():
    assert read(write_design(StudyDesign(PROTOCOL))).readers is None
    assert read(write_design(StudyDesign(PROTOCOL, ReaderProtocol()))).readers == ReaderProtocol()


@pytest.mark.parametrize(
    ("readers", "sentence"),
    [
        ("x", "protocol readers: must be a table of: consent_version"),
        ("{shoe_size: 44}", "protocol readers: must be a table of"),
        ("{reminder_days: 366}", "protocol readers reminder_days: must be a whole number from 0 to 365"),
        ("{asked: [shoes]}", "protocol readers asked 1: must be one of: years"),
        ("{consent_texts: Yes}", "protocol readers consent_texts: must be texts by language"),
        ("{consent_texts: {xx: Yes}}", "protocol readers consent_texts: There is no language xx"),
        ("{closing_texts: {en: %s}}" % ("a" * 40_001), "protocol readers closing_texts: A text has at most"),
    ],
)
def test_a_bad_rule_says_where_it_is_wrong(readers, sentence):
    with pytest.raises(BadInput, match=sentence):
        read(f"{write_design(StudyDesign(PROTOCOL))}readers: {readers}\n")


# --- into a study and out of it -------------------------------------------------------------------------------
@pytest.fixture
def films(db, small):
    return make.cohort()


@pytest.fixture
def design(films):
    return StudyDesign(protocol_of_template("zhou2021", words=WORDS, scale=0.03), READERS)


def test_a_draft_holds_what_its_file_says(films, design, clara):
    draft = draft_design(code="new-1", title="New", cohort=films, design=design, actor=clara, **AT)
    assert design_of(draft) == design
    other = draft_study(code="new-2", title="New", cohort=films, protocol=PROTOCOL, actor=clara, **AT)
    write_consent(study=other, texts={"en": "Another text."}, actor=clara, **AT)
    import_design(study=other, design=design, actor=clara, **AT)
    assert design_of(other) == design
    import_design(study=other, design=StudyDesign(design.protocol, ReaderProtocol()), actor=clara, **AT)
    assert design_of(other).readers == ReaderProtocol()
    assert not ConsentText.objects.filter(study=other).exists()


def test_a_file_that_is_silent_on_readers_changes_nothing_of_them(films, design, clara):
    draft = draft_design(code="new-1", title="New", cohort=films, design=design, actor=clara, **AT)
    import_design(study=draft, design=StudyDesign(PROTOCOL), actor=clara, **AT)
    assert design_of(draft) == StudyDesign(PROTOCOL, READERS)


def test_a_text_that_somebody_agreed_to_stays_whatever_a_file_says(films, design, clara):
    draft = draft_design(code="new-1", title="New", cohort=films, design=design, actor=clara, **AT)
    enrollment = Enrollment.objects.get(reader=make.reader_in(draft))
    give_consent(enrollment=enrollment, language="de", sha256=text_hash("Ich stimme zu."), **AT)
    with pytest.raises(BadInput, match="consent_texts: is missing; a reader has agreed"):
        import_design(study=draft, design=StudyDesign(PROTOCOL, ReaderProtocol()), actor=clara, **AT)
    adopt_readers(study=draft, readers=READERS, actor=clara, **AT)
    assert reader_protocol(draft).consent_version == 3  # the same text
    changed = ReaderProtocol(consent_texts=Translated({"en": "A new text."}))
    adopt_readers(study=draft, readers=changed, actor=clara, **AT)
    assert [each.version for each in ConsentText.objects.filter(study=draft)] == [3, 4]


def test_a_copy_of_a_study_takes_its_readers_part_along(films, design, clara):
    draft = draft_design(code="new-1", title="New", cohort=films, design=design, actor=clara, **AT)
    assert design_from(f"study:{draft.code}", person=clara, cohort=films) == design


def test_the_page_and_the_command_write_the_same_file(films, design, clara, client, tmp_path):
    draft = draft_design(code="new-1", title="New", cohort=films, design=design, actor=clara, **AT)
    client.force_login(clara)
    file = tmp_path / "new-1.yaml"
    call_command("protocol", "export", draft.code, str(file))
    assert file.read_bytes() == client.get(reverse("designer:download", args=[draft.code])).content
    save_rules(study=draft, values={"asked": [], "reminder_days": 30}, actor=clara, **AT)
    call_command("protocol", "import", draft.code, str(file))
    assert design_of(draft) == design
    call_command("create_study", code="copy", cohort=films.name, protocol=file, draft=True)
    assert reader_protocol(ConsentText.objects.get(study__code="copy").study) == READERS
