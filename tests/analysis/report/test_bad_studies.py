"""Studies that went wrong: a sentence at its place, and the rest of the report stands."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.report.build import StudyReport, write_report
from readerstudy.protocol.analysis_plan import AnalysisPlan, Family
from tests import make
from tests.analysis import played, small
from tests.analysis.long_readings import LongReadings

USUAL = {
    "R1": {3: "rrnnru", 5: "rrrnnu"},
    "R2": {3: "rurnrr", 5: "rnrnnn"},
    "R3": {3: "nrrrnn", 5: "rrunrn"},
}
PLAN = AnalysisPlan()
EVERYTHING = AnalysisPlan(
    families=(
        Family("figures", ("sensitivity", "specificity")),
        Family("each reader", ("subgroup.adversarial", "subgroup.real_positive", "d_prime", "criterion")),
    )
)


def nothing_read() -> StudyRecord:
    return small.record(readings=LongReadings.of([]), readers={})


def only_seen() -> StudyRecord:
    return small.record(readings=LongReadings.of(row for row in small.rows() if row.verdict == "seen"))


BAD = {
    "nothing read": (nothing_read, "mrmc", "No reader has at least two verdicts"),
    "images only seen": (only_seen, "table3", "There are no verdicts yet"),
    "no adversarial images in a session": (
        lambda: small.record(
            readings=LongReadings.of(
                row for row in played.rows(USUAL) if row.session == 3 or row.authenticity == "real"
            ),
            readers=dict.fromkeys(USUAL, "high"),
        ),
        "mrmc",
        "No reader has at least two verdicts on real and two on adversarial images in both session 3 and session 5",
    ),
    "one reader": (lambda: played.record({"R1": USUAL["R1"]}), "mrmc", "Only R1 has at least two verdicts"),
    "constant verdicts": (
        lambda: played.record({name: {3: "rrrrrr", 5: "rrrrrr"} for name in USUAL}),
        "mrmc",
        "it varies neither over readers nor over images",
    ),
    "a missing session": (
        lambda: played.record({name: {3: said[3]} for name, said in USUAL.items()}),
        "mrmc",
        "so there is nothing to compare",
    ),
    "ties everywhere": (
        lambda: played.record({name: {3: "uuuuuu", 5: "uuuuuu"} for name in USUAL}),
        "agreement",
        "agreement beyond chance is undefined",
    ),
    "fewer readings than sub-groups": (
        lambda: played.record(USUAL),
        "pvalues",
        "A session has fewer readings than sub-groups, so the test is undefined",
    ),
}


CASES = [(name, plan) for name in BAD for plan in (PLAN, EVERYTHING)]
# The other rules for "unsure" meet it where there is nothing else.
CASES += [("ties everywhere", AnalysisPlan(unsure=rule)) for rule in ("half", "excluded")]


@pytest.mark.parametrize(("name", "plan"), CASES)
def test_a_bad_study_gets_its_sentence_and_the_whole_report(name: str, plan: AnalysisPlan, tmp_path: Path) -> None:
    made, key, sentence = BAD[name]
    report = StudyReport(made(), at=make.MONDAY, plan=plan)
    written = {path.name for path in write_report(report, tmp_path)}
    assert {"report.html", "report.json", "report.txt", "planned.csv", "stard.csv"} <= written
    json.dumps(report.as_dict(), allow_nan=False)
    table = report.tables[key]
    if plan.unsure == "wrong":
        assert sentence in " ".join([*table.notes, table.empty])
    page = (tmp_path / "report.html").read_text()
    for title in ("Table 2", "Table 3", "Table 4", "MRMC analysis", "Agreement", "Sub-group", "STARD", "CLAIM"):
        assert title in page
    assert report.summary


letters = st.text("rnu", min_size=6, max_size=6)


@settings(max_examples=5)
@given(st.lists(st.tuples(letters, letters), min_size=1, max_size=4))
def test_any_verdicts_at_all_give_a_report(said: list[tuple[str, str]]) -> None:
    record = played.record({f"R{n}": {3: a, 5: b} for n, (a, b) in enumerate(said, start=1)})
    report = StudyReport(record, at=make.MONDAY, plan=EVERYTHING)
    json.dumps(report.as_dict(), allow_nan=False)
    assert report.tables["planned"].rows


@settings(max_examples=10)
@given(st.lists(st.tuples(letters, letters), min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_the_names_of_readers_change_no_figure_over_readers(said: list[tuple[str, str]], chance: object) -> None:
    names = [f"R{n}" for n in range(1, len(said) + 1)]
    shuffled = chance.sample(names, k=len(names))
    there, back = (
        played.mrmc(played.record({name: {3: a, 5: b} for name, (a, b) in zip(order, said, strict=True)}), PLAN)
        for order in (names, shuffled)
    )
    one, other = (json.dumps(rounded(table.as_dict()["rows"])) for table in (there, back))
    assert one == other


def rounded(value: object) -> object:
    """Sums in another order differ in their last digits."""
    if isinstance(value, float):
        return round(value, 9) + 0.0
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return {key: rounded(one) for key, one in value.items()} if isinstance(value, dict) else value
