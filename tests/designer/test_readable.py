"""A fixed protocol in words, on the page that the form had before."""

from dataclasses import replace
from pathlib import Path

from django.urls import reverse

from readerstudy.designer.form.readable import readable
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.participation.study_file import read_design_file
from readerstudy.protocol.analysis_plan import AnalysisPlan, Family
from readerstudy.protocol.document import Protocol, ProtocolSession
from readerstudy.protocol.questions import Choice, Question
from readerstudy.protocol.reporting import Reporting
from readerstudy.protocol.rules import SessionRules
from readerstudy.protocol.sessions import SessionKind
from readerstudy.protocol.templates import protocol_of_template
from readerstudy.protocol.texts import Translated
from readerstudy.truth.actions import create_study
from tests import make


def test_a_fixed_protocol_is_shown_in_words_and_downloaded(desk, films, clara):
    question = Question("grade", "choice", "Grade?", (Choice("a", "Good"), Choice("b", Translated({"en": "Bad"}))))
    rules = SessionRules(questions=(replace(question, after=("real",)),), practice=True)
    read = ProtocolSession(
        SessionKind.BLINDED,
        "First",
        real=4,
        adversarial=4,
        splits=("tuning", "test"),
        positive_share=0.5,
        instructions="Look **well**.",
        rules=rules,
    )
    families = (Family("readers", ("d_prime",), "holm"),)
    again = ProtocolSession(SessionKind.BLINDED, "Again", images_of=1, order="per_reader", washout_days=28)
    analysis = AnalysisPlan(before=1, after=2, primary="sensitivity", families=families)
    protocol = Protocol((read, again), languages=("en",), analysis=replace(analysis, families=()))
    study = create_study(code="words", title="Words", cohort=films, protocol=protocol, at=make.MONDAY)
    make.join([clara], [study])
    answer = desk.get(reverse("designer:design", args=["words"]))
    page, words = answer.content.decode(), answer.context["protocol"]
    lines = {line.label: line.values for group in words.groups for line in group.lines}
    assert words.titles == ("First", "Again")
    assert lines["Kind"] == ("Blinded reading", "Blinded reading")
    assert (lines["Real images"], lines["Adversarial images"]) == (("4", "–"), ("4", "–"))
    assert lines["Drawn from"] == ("Tuning, Test", "–")
    assert lines["Share of positive images"] == ("0.5", "–")
    assert lines["Same images as"] == ("–", "1")
    assert lines["Washout, in days"] == ("0", "28")
    assert lines["Practice image first"] == ("Yes", "No")
    assert lines["Order"][1] == "Another random order for each reader"
    assert not {"Share of repeated images", "Distance of a repeated image", "Images of a block"} & lines.keys()
    ((grade,), _none) = (text.questions for text in words.texts)
    facts = {fact.label: fact.value for fact in grade.facts}
    assert (grade.title, facts["Choices"], facts["Asked after"]) == ("Grade?", "Good (a); en: Bad (b)", "Real")
    assert "Look <strong>well</strong>." in page
    assert {fact.label: fact.value for fact in words.analysis}["Primary figure"].startswith("Sensitivity")
    assert "kind: blinded" not in page
    address = reverse("designer:download", args=["words"])
    assert f'href="{address}"' in page
    assert "kind: blinded" in desk.get(address).content.decode()
    planned = readable(replace(protocol, analysis=replace(analysis, reporting=Reporting(funding="None."))))
    assert [(fact.label, fact.value) for fact in planned.reporting] == [("Funding", "None.")]
    assert planned.families[0].title == "readers"
    assert {fact.value for fact in planned.families[0].facts} == {
        "d′ of each reader",
        "Holm: no false finding in the family",
    }


def test_every_field_of_the_form_has_words():
    for name in ("zhou2021", "short"):
        protocol = protocol_of_template(name, words=MAMMOGRAPHY.words.reading)
        assert len(readable(protocol).titles) == 5
    for path in sorted(Path("docs/designs").glob("*.yaml")):
        words = readable(read_design_file(path, words=MAMMOGRAPHY.words.reading).protocol)
        assert all(len(line.values) == len(words.titles) for group in words.groups for line in group.lines)
