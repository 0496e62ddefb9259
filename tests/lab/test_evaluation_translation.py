"""An evaluation's words are shown in the page's language; what is stored, and the names of runs, stay as they are."""

from collections.abc import Iterator

import pytest
from django.urls import reverse

from readerstudy.lab.evaluation_translation import WORDS, translated
from readerstudy.lab.stored_sentences import PLACE, Phrases

NAMES = {"top", "bottom", "lift", "removal"}
FIGURES_ONLY = set("0123456789+-−–%./*()<p dBAUC, ")


@pytest.fixture
def german(monkeypatch) -> None:
    """A language in which every sentence is said between angle quotes."""
    monkeypatch.setattr("readerstudy.lab.stored_sentences.gettext", lambda sentence: f"«{sentence}»")


@pytest.fixture(scope="module")
def story():
    """Two classifiers, and two attacks with a control, subgroups and comparisons, judged on a few pictures."""
    pytest.importorskip("torch", reason="needs the extra [ml]")
    from dataclasses import replace

    from attacks.evaluation.measure import Attacked, Twin
    from attacks.evaluation.report import tell
    from tests.attacks.test_evaluation import QUICK, Films

    films = Films()
    parts = [
        {"view": "CC", "side": "L", "lesion": "mass", "density": "B"},
        {"view": "MLO", "side": "R", "lesion": "asymmetry", "density": "C"},
    ]
    films.reals = [replace(one, groups=parts[one.image % 2]) for one in films.reals]
    malignant = {one.image for one in films.reals if one.label}
    twins = {image: Twin(200 + image, twin.path) for image, twin in films.twins.items() if image in malignant}
    attacks = [
        Attacked(
            "lift", ("lift-in", "lift-out"), films.twins, "top", controls=dict.fromkeys((0, 1), lambda pixels: pixels)
        ),
        Attacked("removal", ("pgd-out",), twins, "", labels=(1,)),
    ]
    return [
        tell("low", films.scored(attacks), attacks, replace(QUICK, recalibration=method))
        for method in ("none", "temperature", "platt")
    ]


def texts(story) -> Iterator[str]:
    """Everything that an evaluation says, but for the names of what was chosen."""
    for place in range(len(story.evaluated)):
        for table in story.tables(place)["shown"]:
            yield from (table["title"], table["caption"], *table["columns"])
            yield from (cell for row in table["rows"] for cell in row)
        for figure in story.figures(place):
            yield figure.title
            yield from figure.description.removesuffix(".").split("; ")


def test_every_heading_note_and_word_that_an_evaluation_can_say_is_listed(story):
    said = {text for one in story for text in texts(one) if text and not set(text) <= FIGURES_ONLY}
    names = NAMES | {"lift-in, lift-out", "pgd-out"}
    assert {text for text in said - names if not WORDS.knows(text)} == set()


def test_every_sentence_of_the_list_is_said_by_some_evaluation_or_is_a_cell_without_a_figure(story):
    heard = " | ".join(text for one in story for text in texts(one))
    rare = {"none to count", "one class only", "not estimable", "not known", "not estimated"}
    plain = [sentence for sentence in WORDS.sentences if not PLACE.search(sentence)]
    assert {sentence for sentence in plain if sentence not in heard} <= rare


def test_a_sentence_is_translated_around_what_it_holds(german):
    words = Phrases("area %(area)s of %(attack)s", "not known", "at %(threshold)s")
    assert words.in_language("  area not known of pgd-4") == "  «area «not known» of pgd-4»"
    assert words.in_language("at 0.470") == "«at 0.470»"
    for other in ("at noon", "0.470", ""):
        assert words.in_language(other) == other


def test_names_of_runs_and_attacks_are_never_translated(german):
    table = {"key": "transfer", "title": "The attacks", "columns": ["attack", "slope"], "rows": [["none", "not known"]]}
    stored = {"shown": [table], "transfer": [{"attack": "none", "classifier": "slope"}]}
    (shown,) = translated(stored, set()).tables
    assert (shown["columns"], shown["rows"]) == (["«attack»", "slope"], [["none", "«not known»"]])
    assert table["columns"] == ["attack", "slope"], "what is stored stays"


@pytest.mark.django_db
def test_the_page_of_an_evaluation_speaks_the_reader_s_language(client, rosa, evaluation, german):
    client.force_login(rosa)
    evaluation.tables["shown"][0]["title"] = "Table 1: cad"
    evaluation.tables["figures"] = [
        {"key": "roc", "file": "roc.svg", "title": "ROC curves of cad", "description": "real: area 0.9 (0.8 to 1.0)."}
    ]
    evaluation.save()
    page = client.get(reverse("lab:evaluation", args=[evaluation.pk])).content.decode()
    for words in ("«Table 1: cad»", "«AUC real»", "«ROC curves of cad»", "«real: area «0.9 (0.8 to 1.0)»»."):
        assert words in page
    assert ">pgd-4<" in page
