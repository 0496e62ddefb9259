"""The form of a protocol: every field has a row, what is typed is never lost, and errors stand at their fields."""

from dataclasses import fields, replace

import pytest
from django.http import QueryDict

from readerstudy.designer.form.bound import Offers, bind
from readerstudy.designer.form.edits import apply_act
from readerstudy.designer.form.labels import LABELS
from readerstudy.designer.form.raw import join, known_place, place_of, raw_of_page, raw_protocol, read_raw
from readerstudy.designer.form.row import Section
from readerstudy.designer.form.schema import Leaf, Rows, Table, kinds, protocol_form
from readerstudy.designer.form.sizing_labels import SIZING
from readerstudy.errors import BadInput
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.comparisons import Comparison
from readerstudy.protocol.document import Protocol, ProtocolSession, ReadingOrder
from readerstudy.protocol.questions import MARK, Question
from readerstudy.protocol.rules import SessionRules
from readerstudy.protocol.sessions import TEMPLATES, SessionKind
from readerstudy.protocol.templates import protocol_of_template
from readerstudy.protocol.texts import Translated
from readerstudy.protocol.values import OneOf

WORDS = MAMMOGRAPHY.words.reading
EVERYTHING = {
    "every": {"questions": ["confidence", "diagnosis", "mark"], "break_every": 30},
    "session": {"3": {"practice": True, "instructions": "Look **twice**.\n\nThen decide.", "washout_days": 14}},
    "analysis": {"primary": "sensitivity", "alpha": 0.01},
}


def zhou(**changes) -> Protocol:
    return replace(protocol_of_template("zhou2021", words=WORDS), **changes)


def posted(raw, table: Table | None = None, path: str = "") -> QueryDict:
    """Return what a browser would send for these values."""
    data = QueryDict(mutable=True)
    _fill(data, raw, table or protocol_form(), path)
    data["languages"] = data["shown-languages"] = ", ".join(raw["languages"])
    return data


def _fill(data: QueryDict, raw, table: Table, path: str) -> None:
    for field in table.fields:
        place, value = join(path, field.name), raw[field.name]
        match field:
            case Table():
                _fill(data, value, field, place)
            case Rows():
                data[f"{place}-count"] = str(len(value))
                for number, row in enumerate(value, start=1):
                    _fill(data, row, field.item, join(place, number))
            case Leaf(is_many=True):
                data.setlist(place, value)
            case Leaf(is_own_text=True):
                for code, text in value.items():
                    data[join(place, code) if code else place] = text.replace("\n", "\r\n")
            case Leaf(limit=None) if not value:
                pass  # a box that is not ticked is not sent
            case Leaf():
                data[place] = value.replace("\n", "\r\n")


# --- the table of labels --------------------------------------------------------------------------------------------
def test_every_field_of_a_protocol_has_a_row_and_no_row_is_without_a_field():
    found = {kind: {field.name for field in fields(kind)} for kind in kinds(protocol_form())}
    assert {kind: set(rows) for kind, rows in LABELS.items()} == found
    assert {Protocol, ProtocolSession, SessionRules, Question, AnalysisPlan} <= found.keys()


def leaves(table: Table):
    for field in table.fields:
        if isinstance(field, Leaf):
            yield field
        else:
            yield from leaves(field.item if isinstance(field, Rows) else field)


def test_every_value_to_choose_has_a_label():
    for leaf in leaves(protocol_form()):
        if isinstance(leaf.limit, OneOf):
            assert set(LABELS[leaf.owner][leaf.name].choices) == set(leaf.limit.values), leaf


def test_every_field_is_shown_exactly_once():
    raw = raw_protocol(protocol_of_template("zhou2021", words=WORDS, changes=EVERYTHING))
    names = []

    def collect(table):
        for part in table.parts:
            for field in part.fields:
                names.append(field.name)
                for item in getattr(field, "items", ()):
                    collect(item)

    collect(bind(raw, {}, Offers()))
    sent = [name for name in posted(raw) if not name.endswith("-count") and name != "shown-languages"]
    assert len(names) == len(set(names))
    assert set(sent) <= set(names)


def test_hidden_fields_are_those_that_nobody_chooses():
    hidden = {name for rows in LABELS.values() for name, row in rows.items() if row.section == Section.HIDDEN}
    assert hidden == {"template", "scale", *SIZING}  # the page of the size edits its own


# --- there and back -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("changes", [{}, EVERYTHING])
def test_a_page_gives_back_the_protocol_that_it_shows(template, changes):
    protocol = protocol_of_template(template, words=WORDS, scale=0.5, attacks=("gan-a", "gan-b"), changes=changes)
    raw = raw_of_page(posted(raw_protocol(protocol)))
    assert raw == raw_protocol(protocol)
    assert read_raw(raw) == (protocol, {})


def test_numbers_may_have_a_decimal_comma_and_blanks():
    raw = raw_protocol(zhou())
    raw["analysis"]["alpha"], raw["sessions"][1]["real"] = "0,01", " 120 "
    protocol, errors = read_raw(raw)
    assert errors == {}
    assert (protocol.analysis.alpha, protocol.sessions[1].real) == (0.01, 120)


def test_empty_fields_have_their_default_where_one_is_allowed():
    raw = raw_protocol(zhou())
    raw["sessions"][0] |= {"instructions": {"": "  "}, "positive_share": "", "resolution": ""}
    protocol, errors = read_raw(raw)
    assert errors == {}
    assert protocol.sessions[0].instructions is None


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        ({"real": "many"}, "sessions-3-real", "whole number from 0 to 10000"),
        ({"real": "10001"}, "sessions-3-real", "whole number from 0 to 10000"),
        ({"real": ""}, "sessions-3-real", "needed"),
        ({"positive_share": "1.5"}, "sessions-3-positive_share", "above 0 and below 1"),
        ({"title": {"": "x" * 81}}, "sessions-3-title", "at most 80"),
        ({"kind": "exam"}, "sessions-3-kind", "Choose"),
        ({"attacks": ["a/b"]}, "sessions-3-attacks", "letters"),
        ({"adversarial": "1"}, "sessions-3-adversarial", "at least 2"),
        ({"order": "blocks", "block_size": "900"}, "sessions-3-block_size", "from 2 to the 436 images"),
        ({"splits": []}, "sessions-3-splits", "at least one split"),
    ],
)
def test_an_error_stands_at_its_field_and_nothing_typed_is_lost(change, place, words):
    raw = raw_protocol(zhou())
    raw["sessions"][2] |= change
    protocol, errors = read_raw(raw_of_page(posted(raw)))
    assert protocol is None
    assert list(errors) == [place]
    assert words in errors[place]
    assert raw_of_page(posted(raw)) == raw
    form = bind(raw, errors, Offers())
    (sessions,) = [field for field in form.own if field.name == "sessions"]
    assert [item.has_error for item in sessions.items] == [False, False, True, False, False]


def test_all_fields_that_cannot_be_read_are_named_at_once():
    raw = raw_protocol(zhou())
    raw["sessions"][0]["real"], raw["analysis"]["groups"] = "x", "1"
    assert set(read_raw(raw)[1]) == {"sessions-1-real", "analysis-groups"}


def test_an_error_of_a_question_stands_at_the_question():
    rules = SessionRules(questions=(MARK, MARK))
    protocol = zhou()
    sessions = (*protocol.sessions[:1], replace(protocol.sessions[1], rules=rules), *protocol.sessions[2:])
    _protocol, errors = read_raw(raw_protocol(replace(protocol, sessions=sessions)))
    assert errors == {"sessions-2-rules-questions": "Two questions have one name."}


def test_places_that_the_form_does_not_have_lead_to_what_contains_them():
    assert place_of("protocol sessions 3 real: too few.") == ("sessions-3-real", "Too few.")
    assert place_of("protocol: no.") == ("", "No.")
    assert place_of("The cohort lacks 3.") == ("", "The cohort lacks 3.")
    assert known_place("sessions-3-rules-questions-1-colour") == "sessions-3-rules-questions-1"
    assert known_place("nowhere-3") == ""


def test_a_page_cannot_ask_for_more_rows_than_the_form_takes():
    data = posted(raw_protocol(zhou()))
    for count in ("9999", "21", "-1", "many"):
        data["sessions-count"] = count
        with pytest.raises(BadInput, match="sessions-count"):
            raw_of_page(data)


# --- the buttons ----------------------------------------------------------------------------------------------------
def titles(raw) -> list[str]:
    return [session["title"][""] for session in raw["sessions"]]


def compared(raw) -> tuple[str, str]:
    return raw["analysis"]["before"], raw["analysis"]["after"]


@pytest.mark.parametrize(
    ("act", "order", "numbers", "touched"),
    [
        ("up:sessions-3", [1, 3, 2, 4, 5], ("2", "5"), "sessions-2"),
        ("down:sessions-3", [1, 2, 4, 3, 5], ("4", "5"), "sessions-4"),
        ("up:sessions-1", [1, 2, 3, 4, 5], ("3", "5"), "sessions-1"),
        ("down:sessions-5", [1, 2, 3, 4, 5], ("3", "5"), "sessions-5"),
        ("copy:sessions-2", [1, 2, 2, 3, 4, 5], ("4", "6"), "sessions-3"),
        ("remove:sessions-1", [2, 3, 4, 5], ("2", "4"), "sessions-1"),
        ("remove:sessions-5", [1, 2, 3, 4], ("3", "5"), "sessions-4"),
    ],
)
def test_sessions_move_and_the_analysis_plan_follows_them(act, order, numbers, touched):
    raw = raw_protocol(zhou())
    before = titles(raw)
    assert apply_act(raw, act, words=WORDS) == touched
    assert titles(raw) == [before[number - 1] for number in order]
    assert compared(raw) == numbers


def test_a_copied_session_is_one_of_its_own():
    raw = raw_protocol(zhou())
    apply_act(raw, "copy:sessions-2", words=WORDS)
    raw["sessions"][2]["title"][""] = "Reading A again"
    assert raw["sessions"][1]["title"][""] == "Reading A"


def test_a_new_session_has_the_defaults():
    raw = raw_protocol(zhou())
    assert apply_act(raw, "add:sessions", words=WORDS) == "sessions-6"
    new = raw["sessions"][5] | {"title": {"": "Once more"}, "kind": SessionKind.BLINDED.value, "real": "2"}
    raw["sessions"][5] = new
    protocol, errors = read_raw(raw)
    assert errors == {}
    assert protocol.sessions[5] == ProtocolSession(SessionKind.BLINDED, "Once more", real=2)


def test_questions_are_added_by_name_or_empty_and_reordered():
    raw = raw_protocol(zhou())
    apply_act(raw, "add:sessions-2-rules-questions:confidence", words=WORDS)
    apply_act(raw, "add:sessions-2-rules-questions", words=WORDS)
    apply_act(raw, "add:sessions-2-rules-questions-2-choices", words=WORDS)
    apply_act(raw, "up:sessions-2-rules-questions-2", words=WORDS)
    names = [question["name"] for question in raw["sessions"][1]["rules"]["questions"]]
    assert names == ["", "confidence"]
    assert len(raw["sessions"][1]["rules"]["questions"][0]["choices"]) == 1


def test_a_total_and_a_share_set_the_counts():
    raw = raw_protocol(zhou())
    apply_act(raw, "share:sessions-3", words=WORDS, total="301", share="33,3")
    assert (raw["sessions"][2]["real"], raw["sessions"][2]["adversarial"]) == ("201", "100")
    with pytest.raises(BadInput):
        apply_act(raw, "share:sessions-3", words=WORDS, total="many", share="50")
    with pytest.raises(BadInput):
        apply_act(raw, "share:sessions-3", words=WORDS, total="100", share="nan")


@pytest.mark.parametrize(
    "act",
    [
        "explode:sessions-1",
        "up:sessions-9",
        "up:sessions-0",
        "up:sessions",
        "up:",
        "add:sessions-1-title",
        "add:sessions-2-rules-questions:shoe",
        "add:sessions:confidence",
        "remove:analysis-families-7",
    ],
)
def test_an_act_that_makes_no_sense_changes_nothing(act):
    raw = raw_protocol(zhou())
    with pytest.raises(BadInput):
        apply_act(raw, act, words=WORDS)
    assert raw == raw_protocol(zhou())


def test_there_are_at_most_twenty_sessions():
    raw = raw_protocol(zhou())
    for _each in range(15):
        apply_act(raw, "copy:sessions-1", words=WORDS)
    with pytest.raises(BadInput, match="at most 20"):
        apply_act(raw, "add:sessions", words=WORDS)
    assert len(raw["sessions"]) == 20


def test_the_last_session_can_be_removed_and_added_again():
    raw = raw_protocol(Protocol((ProtocolSession(SessionKind.BLINDED, "One", real=2),)))
    apply_act(raw, "remove:sessions-1", words=WORDS)
    assert raw["sessions"] == []
    assert set(read_raw(raw)[1]) == {"sessions"}
    assert apply_act(raw, "add:sessions", words=WORDS) == "sessions-1"


def test_what_a_session_refers_to_stays_chosen_though_the_cohort_lacks_it():
    protocol = zhou(attacks=("gone",))
    form = bind(raw_protocol(protocol), {}, Offers(attacks=("gan-insert",), resolutions=("low",)))
    (attacks,) = [field for field in form.own if field.name == "attacks"]
    assert [(option.value, option.is_chosen) for option in attacks.options] == [("gan-insert", False), ("gone", True)]


def test_blocks_are_offered_in_words():
    session = bind(raw_protocol(zhou()), {}, Offers()).own[0].items[0]
    (order,) = [field for part in session.parts for field in part.fields if field.name == "sessions-1-order"]
    assert [option.value for option in order.options] == [value.value for value in ReadingOrder]


# --- texts in several languages -------------------------------------------------------------------------------------
BOTH = Translated({"en": "Look", "de": "Sehen"})


def in_two_languages() -> Protocol:
    protocol = zhou(languages=("en", "de"))
    return replace(protocol, sessions=(replace(protocol.sessions[0], title=BOTH), *protocol.sessions[1:]))


def test_texts_in_two_languages_come_back_and_others_stay_in_one():
    protocol = in_two_languages()
    raw = raw_protocol(protocol)
    assert raw["sessions"][0]["title"] == {"": "Look", "de": "Sehen"}
    assert raw["sessions"][1]["title"] == {"": "Reading A", "de": ""}
    assert read_raw(raw_of_page(posted(raw))) == (protocol, {})


def test_each_text_has_a_field_for_each_language():
    session = bind(raw_protocol(in_two_languages()), {}, Offers()).own[0].items[0]
    (title,) = [field for field in session.head if field.name == "sessions-1-title"]
    assert (title.value, title.language) == ("Look", "en")
    assert [(text.name, text.value) for text in title.translations] == [("sessions-1-title-de", "Sehen")]


def test_another_first_language_takes_its_texts_along():
    data = posted(raw_protocol(in_two_languages()))
    data["languages"] = "de en"
    raw = raw_of_page(data)
    assert raw["sessions"][0]["title"] == {"": "Sehen", "en": "Look"}
    data["languages"] = "fr, de"
    assert raw_of_page(data)["sessions"][0]["title"] == {"": "Look", "de": "Sehen"}
    data["languages"] = ""
    assert raw_of_page(data)["sessions"][0]["title"] == {"": "Look"}


def test_a_text_that_lacks_the_first_language_stands_at_its_field():
    raw = raw_protocol(in_two_languages())
    raw["sessions"][1]["title"] = {"": " ", "de": "Lesen"}
    assert list(read_raw(raw)[1]) == ["sessions-2-title"]
    raw = raw_protocol(in_two_languages())
    raw["languages"] = ["English"]
    assert "languages" in read_raw(raw)[1]


# --- sessions that refer to others ----------------------------------------------------------------------------------
def test_repeats_and_a_crossover_follow_their_sessions():
    raw = raw_protocol(zhou())
    raw["sessions"][4] |= {"repeat_of": "3", "repeat_share": "0.1"}
    raw["crossover"] = ["2", "3"]
    apply_act(raw, "copy:sessions-1", words=WORDS)
    assert (raw["sessions"][5]["repeat_of"], raw["crossover"]) == ("4", ["3", "4"])
    assert read_raw(raw)[1] == {}
    form = bind(raw, {}, Offers())
    (crossover,) = [field for field in form.own if field.name == "crossover"]
    assert [option.value for option in crossover.options if option.is_chosen] == ["3", "4"]


def test_further_comparisons_follow_their_sessions_and_offer_readings():
    raw = raw_protocol(zhou())
    apply_act(raw, "add:analysis-comparisons", words=WORDS)
    row = raw["analysis"]["comparisons"][0]
    row |= {"before": "2", "after": "3", "figure": "specificity", "claim": "not_lower", "margin": "0,05"}
    assert "reason" in read_raw(raw)[1].get("analysis-comparisons-1-reason", "")
    row["reason"] = "Half of what matters."
    apply_act(raw, "copy:sessions-1", words=WORDS)
    protocol, errors = read_raw(raw)
    assert errors == {}
    assert protocol.analysis.comparisons == (
        Comparison(3, 4, "specificity", "not_lower", 0.05, "Half of what matters."),
    )
    form = bind(raw, {}, Offers())
    (rows,) = [field for field in form.nested if field.name == "analysis-comparisons"]
    before = next(field for field in rows.items[0].head if field.name.endswith("-before"))
    assert [option.value for option in before.options] == ["3", "4", "6"]


def test_a_questionnaire_has_questions_and_no_images():
    raw = raw_protocol(zhou())
    apply_act(raw, "add:sessions", words=WORDS)
    raw["sessions"][5] |= {"kind": "questionnaire", "title": {"": "At the end"}}
    apply_act(raw, "add:sessions-6-rules-questions:diagnosis", words=WORDS)
    protocol, errors = read_raw(raw)
    assert errors == {}
    assert protocol.sessions[5].total == 0
