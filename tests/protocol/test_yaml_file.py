"""The protocol as a YAML file: nothing is lost on the way, and a bad file says where it is wrong."""

import random
from dataclasses import replace

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from readerstudy.errors import BadInput
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.protocol.analysis_plan import AnalysisPlan, Family
from readerstudy.protocol.comparisons import Comparison
from readerstudy.protocol.document import Protocol, ProtocolSession, ReadingOrder
from readerstudy.protocol.questions import CONFIDENCE, MARK, Choice, Question, QuestionKind
from readerstudy.protocol.reporting import Reporting
from readerstudy.protocol.rules import AskedVerdict, DisplayCheck, SessionRules, VerdictLabels
from readerstudy.protocol.sessions import SessionKind
from readerstudy.protocol.templates import protocol_of_template
from readerstudy.protocol.texts import Translated
from readerstudy.protocol.yaml_file import MOST_BYTES, read_protocol, write_protocol

WORDS = MAMMOGRAPHY.words.reading
ZHOU = protocol_of_template("zhou2021", words=WORDS)
EVERY_RULE = SessionRules(
    frame_ms=200,
    idle_s=30,
    pause_when_hidden=False,
    display_check=DisplayCheck.OFF,
    practice=True,
    break_every=25,
    rest_hours=48,
    gap_minutes=20,
    questions=(
        CONFIDENCE,
        MARK,
        Question("own", QuestionKind.CHOICE, "Dense?\nYes: or no", (Choice("on", "off"), Choice("12", "1:30"))),
        Question(
            "signs",
            QuestionKind.CHOICES,
            Translated({"de": "Welche Zeichen?", "en": "Which signs?"}),
            (Choice("mass", Translated({"de": "Herd", "en": "Mass"})), Choice("no", "yes")),
            required=False,
        ),
        Question(
            "quality",
            QuestionKind.SCALE,
            "How good?",
            minimum=-2,
            maximum=3,
            minimum_label="poor",
            maximum_label=Translated({"de": "gut"}),
        ),
        Question("size", QuestionKind.NUMBER, "Size in mm?", after=("unsure",), minimum=0.5, whole=True),
        Question("note", QuestionKind.TEXT, "Anything else?", longest=40),
    ),
    closing_questions=(Question("end", QuestionKind.TEXT, "How was it?", required=False),),
    verdict_labels=VerdictLabels(real="Camera", not_real=Translated({"de": "Rechner", "en": "Computer"})),
)
UNPROMPTED = SessionRules(
    questions=(Question("quality", QuestionKind.SCALE, "How good?", minimum=1, maximum=5),),
    verdict=AskedVerdict.NONE,
)
EVERYTHING = Protocol(
    sessions=(
        ProtocolSession(SessionKind.FAMILIARISATION, "Look: # first", real=4, instructions="One\n\n  two: - three\n4"),
        ProtocolSession(
            SessionKind.BLINDED,
            "null",
            real=10,
            adversarial=6,
            splits=("tuning", "test"),
            positive_share=0.4,
            attacks=("off", "12"),
            resolution="high",
            order=ReadingOrder.BLOCKS,
            block_size=8,
            washout_days=14,
            rules=EVERY_RULE,
        ),
        ProtocolSession(SessionKind.EDUCATION, "Übung “zwei”", real=4, order=ReadingOrder.PER_READER),
        ProtocolSession(
            SessionKind.BLINDED,
            Translated({"en": "Last", "de": "Letzte"}),
            real=2,
            adversarial=2,
            splits=("test",),
            instructions=Translated({"de": "Eins\nzwei"}),
        ),
        ProtocolSession(
            SessionKind.BLINDED, "Without verdict", real=20, rules=UNPROMPTED, repeat_share=0.25, repeat_distance=4
        ),
        ProtocolSession(SessionKind.BLINDED, "Again", real=4, rules=UNPROMPTED, repeat_share=0.5, repeat_of=5),
        ProtocolSession(
            SessionKind.QUESTIONNAIRE, "About you", rules=SessionRules(questions=(UNPROMPTED.questions[0],))
        ),
    ),
    languages=("de", "en"),
    shows_own_result=True,
    template="own",
    scale=0.5,
    resolution="low",
    attacks=("pgd", "1e3"),
    analysis=AnalysisPlan(
        primary="sensitivity", before=2, after=4, alpha=0.01, unsure="excluded", groups=4, statistic="single",
        distribution="t", margin=0.1, idle_after_s=90,
        families=(Family("one", ("auc", "d_prime"), "none"), Family("two", ("specificity",))), exploratory="holm",
        claim="not_lower", margin_reason="Why: so", interim_looks="None", comparisons_correction="none",
        comparisons=(Comparison(2, 4, "sensitivity"), Comparison(2, 4, "auc", "not_higher", 0.1, "No")),
        reporting=Reporting(ethics="Approved:\nno. 7", registration="off"),
    ),
)  # fmt: skip


def read(text: str) -> Protocol:
    return read_protocol(text.encode(), words=WORDS)


# --- nothing is lost ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("protocol", [ZHOU, EVERYTHING, protocol_of_template("short", words=WORDS)])
def test_a_protocol_comes_back_from_its_file(protocol):
    text = write_protocol(protocol)
    assert read(text) == protocol == Protocol.from_data(protocol.as_data())
    assert write_protocol(read(text)) == text


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=80).filter(
    lambda text: text == text.strip()
)


@given(title=texts, instructions=texts, share=st.floats(0.001, 0.999), alpha=st.floats(1e-9, 0.499))
def test_every_text_and_number_comes_back(title, instructions, share, alpha):
    session = replace(ZHOU.sessions[2], title=title, instructions=instructions, positive_share=share)
    sessions = (*ZHOU.sessions[:2], session, *ZHOU.sessions[3:])
    protocol = replace(ZHOU, sessions=sessions, analysis=replace(ZHOU.analysis, alpha=alpha))
    assert read(write_protocol(protocol)) == protocol


def test_a_file_names_predefined_questions_and_leaves_out_defaults():
    text = """
sessions:
  - {kind: blinded, title: A, real: 4, adversarial: 4, rules: {questions: [diagnosis, mark], display_check: off}}
  - {kind: blinded, title: B, real: 4, adversarial: 4}
analysis: {before: 1, after: 2}
"""
    protocol = read(text)
    assert [question.name for question in protocol.sessions[0].rules.questions] == ["diagnosis", "mark"]
    assert protocol.sessions[0].rules.display_check == DisplayCheck.OFF
    assert protocol.sessions[1] == ProtocolSession(SessionKind.BLINDED, "B", real=4, adversarial=4)


def test_what_the_parser_finds_is_said_in_german():
    """Every problem that has a sentence of its own, and one that has none."""
    bad = {
        "a: [": "Wert fehlt",
        "a: b: c": "Doppelpunkt",
        "a:\n\t- b": "Tabulator",
        'a: "b': "Anführungszeichen",
        "a:\n  - b\n c: d": "Einrückung",
        "a: [b": "Klammer",
        "a: 1\na: 2": "zweimal",
        "%YAML 9.9\n---\na: 1": "kein YAML",
    }
    with translation.override("de"):
        for text, words in bad.items():
            with pytest.raises(BadInput, match=rf"protocol Zeile \d, Spalte \d+: .*{words}"):
                read(text)


# --- bad files ------------------------------------------------------------------------------------------------
SESSION = "{kind: blinded, title: A, real: 4, adversarial: 4%s}"


def two(extra: str = "", rest: str = "analysis: {before: 1, after: 2}") -> str:
    return f"sessions:\n  - {SESSION % extra}\n  - {SESSION % ''}\n{rest}\n"


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "protocol: the file must be a table"),
        ("- a", "protocol: the file must be a table"),
        ("a: [", r"protocol line 1, column 5: "),
        (BOMB, "protocol line 2, column 8: aliases are not allowed"),
        ("a: " + "[" * 50, "more than 12 levels"),
        ("a: 1\na: 2", r"line 2, column 1: the name 'a' occurs twice"),
        ("1: 2", r"names must be texts"),
        ("a: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("format: 2", "protocol format: must be 1"),
        ("sessions: []", "protocol sessions: must be 1 to 20 sessions"),
        ("sessions: {}", "protocol sessions: must be a list"),
        ("sessions: [" + "x, " * 21 + "]", "protocol sessions: must be 1 to 20"),
        (two(", order: reverse"), "protocol sessions 1 order: must be one of: same, per_reader, blocks"),
        (two(", real: 1").replace("real: 4, ", "", 1), "protocol sessions 1 real: must be 0 or at least 2"),
        (two(", colour: red"), "protocol sessions 1: must be a table of: kind, title"),
        (two(", splits: [train, train]"), "protocol sessions 1 splits: must name at least one split, each once"),
        (two(", positive_share: 1.5"), "sessions 1 positive_share: must be a number above 0 and below 1"),
        (two(", positive_share: .nan"), "sessions 1 positive_share: must be a number"),
        (two(", attacks: [a/b]"), "sessions 1 attacks 1: must be a name"),
        (two(", block_size: 4"), "sessions 1 block_size: only the order 'blocks' has blocks"),
        (two(", order: blocks, block_size: 9"), "sessions 1 block_size: must be from 2 to the 8 images"),
        (two(", rules: {questions: [nothing]}"), "rules questions 1: there is no question 'nothing'; there are:"),
        (two(", rules: {idle_s: 1}"), "sessions 1 rules idle_s: must be a whole number from 5"),
        (two(', title: "a\\0"').replace("title: A, ", "", 1), "sessions 1 title: must be a text"),
        (two(', title: "\\ud800"').replace("title: A, ", "", 1), "title: must be a text|not YAML"),
        (two(", real: " + "9" * 5000).replace("real: 4, ", "", 1), "not YAML|must be a whole number"),
        (two(", kind: education").replace("kind: blinded, ", "", 1), "sessions 1 adversarial: only blinded sessions"),
        (two(rest="analysis: {before: 2, after: 1}"), "protocol analysis before: must be an earlier session"),
        (two(rest="analysis: {before: 1, after: 3}"), "analysis after: must be one of the sessions that ask"),
        (two(rest="template: a b"), "protocol template: must be a name"),
    ],
)
def test_a_bad_file_says_where_it_is_wrong(text, sentence):
    with pytest.raises(BadInput, match=sentence):
        read(text)


def test_a_file_that_is_too_large_or_not_utf8_is_refused():
    with pytest.raises(BadInput, match="more than 512 kB"):
        read_protocol(b"#" * (MOST_BYTES + 1), words=WORDS)
    with pytest.raises(BadInput, match=r"not UTF-8 \(byte 2\)"):
        read_protocol(b"a:\xff", words=WORDS)


@pytest.mark.parametrize("seed", range(400))
def test_a_mutated_file_is_read_or_refused_with_a_sentence(seed):
    rng = random.Random(seed)
    content = bytearray(write_protocol(rng.choice([EVERYTHING, ZHOU])).encode())
    for _ in range(rng.randint(1, 12)):
        position = rng.randrange(len(content))
        match rng.randrange(5):
            case 0:
                content[position] = rng.randrange(256)
            case 1:
                del content[position : position + rng.randint(1, 40)]
            case 2:
                content[position:position] = rng.choice(
                    [b"&a ", b"*a ", b"!!x ", b"- ", b": ", b"[", b"{", b"'", b"\t"]
                )
            case 3:
                content[position:position] = content[position : position + 60]
            case _:
                digits = [i for i, byte in enumerate(content) if chr(byte).isdigit()]
                content[rng.choice(digits)] = ord(rng.choice("0123456789-.e~"))
    protocol, sentence = read_or_refused(bytes(content))
    assert sentence.startswith("protocol")
    if protocol is not None:
        protocol.check()
        assert read(write_protocol(protocol)) == protocol


def read_or_refused(content: bytes) -> tuple[Protocol | None, str]:
    try:
        return read_protocol(content, words=WORDS), "protocol"
    except BadInput as error:  # nothing else may come out
        return None, str(error)
