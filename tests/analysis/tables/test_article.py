"""The tables against pencil and paper, and what must hold for every study."""

import csv
import random
import re
from dataclasses import replace
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readerstudy.analysis.record.codes import ADVERSARIAL, NEGATIVE, POSITIVE, REAL, Subset, source_pathology
from readerstudy.analysis.tables.article import table_2, table_2_readings, table_3, table_4
from readerstudy.analysis.tables.comparison.subgroup_tests import all_subgroup_tests_table, subgroup_comparisons
from readerstudy.analysis.tables.table1_attack import table_1
from readerstudy.analysis.tables.trivial_controls import trivial_controls_table
from readerstudy.layout.table import Column, Kind, Table, to_csv, to_html, to_text
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.exact_tests import boschloo
from readerstudy.statistics.proportions import Proportion, wilson
from readerstudy.statistics.unsure import Unsure
from tests import results
from tests.analysis import small
from tests.analysis.long_readings import LongReadings, ReadingRow


def by_first(table: Table, *names: str) -> list[tuple[object, ...]]:
    """The rows as (first cells, named cells)."""
    keys = [column.key for column in table.columns]
    return [tuple(row[keys.index(name)] for name in names) for row in table.rows]


def counts(table: Table, subset: str) -> list[tuple[float, int]]:
    return [(share.hits, share.trials) for (share,) in by_first(table, subset)]


def test_only_malignant_is_positive() -> None:
    assert source_pathology("positive") == POSITIVE
    assert {source_pathology("other"), source_pathology("normal")} == {NEGATIVE}


def test_table_2_counts_what_was_drawn_and_adds_it_up() -> None:
    table = table_2(small.record())
    result = by_first(table, "session", "planned", "drawn", "real", "real_positive", "adversarial", "pair")
    assert result == [
        ("1", 2, 2, 2, 1, 0, 0),
        ("2", 4, 4, 4, 1, 0, 0),
        ("3", 8, 8, 4, 2, 4, 0),
        ("4", 2, 2, 0, 0, 0, 2),
        ("5", 5, 5, 3, 1, 2, 0),
        ("All", 21, 21, 13, 5, 6, 2),
    ]


def test_table_2_sets_what_was_done_against_the_plan() -> None:
    table = table_2_readings(small.record())
    assert by_first(table, "reader", "session", "planned", "done", "left", "unsure") == [
        ("R1", "1", 2, 2, 0, None),
        ("R1", "2", 4, 4, 0, 1),
        ("R1", "3", 8, 8, 0, 1),
        ("R1", "4", 2, 2, 0, None),
        ("R1", "5", 5, 5, 0, 0),
        ("R2", "1", 2, 2, 0, None),
        ("R2", "2", 4, 4, 0, 0),
        ("R2", "3", 8, 4, 4, 0),
        ("R2", "4", 2, 0, 2, None),
        ("R2", "5", 5, 0, 5, None),  # without a verdict there is no number
    ]


def test_table_3_agrees_with_pencil_and_paper() -> None:
    table = table_3(small.record(), Unsure.WRONG)
    assert by_first(table, "reader", "session") == [("R1", "2"), ("R1", "3"), ("R1", "5"), ("R2", "2"), ("R2", "3")]
    # Session 3 of R1, "rnrrrnun" on real⁺ adversarial⁺ real⁻ adversarial⁻ twice: real r r r u, adversarial n r n n.
    assert counts(table, "real") == [(2, 4), (3, 4), (3, 3), (4, 4), (0, 2)]
    assert counts(table, "real_positive") == [(1, 1), (2, 2), (1, 1), (1, 1), (0, 1)]
    assert counts(table, "real_negative") == [(1, 3), (1, 2), (2, 2), (3, 3), (0, 1)]
    assert counts(table, "adversarial") == [(0, 0), (3, 4), (0, 2), (0, 0), (2, 2)]
    assert counts(table, "adversarial_positive") == [(0, 0), (2, 2), (0, 1), (0, 0), (1, 1)]
    assert counts(table, "adversarial_negative") == [(0, 0), (1, 2), (0, 1), (0, 0), (1, 1)]
    assert by_first(table, "real")[1] == (wilson(3, 4),)


@pytest.mark.parametrize(("rule", "real"), [(Unsure.EXCLUDED, (3, 3)), (Unsure.HALF, (3.5, 4))])
def test_table_3_follows_the_declared_rule_for_unsure(rule: Unsure, real: tuple[float, int]) -> None:
    assert counts(table_3(small.record(), rule), "real")[1] == real


def test_table_4_agrees_with_pencil_and_paper() -> None:
    table = table_4(small.record())
    assert len(table.rows) == 8
    names = ("minutes", "minutes_by_the_clock", "seconds_median", "seconds_lower_quartile", "seconds_upper_quartile")
    # Session 2 of R1: 1, 2, 3 and 4 seconds; shown at 0, 10, 20 and 30 seconds, the last answered at 34.
    assert by_first(table, *names)[1] == (pytest.approx(10 / 60), pytest.approx(34 / 60), 2.5, 1.75, 3.25)


def compact(html: str) -> str:
    """Return HTML without the white space around its tags."""
    return re.sub(r"\s*(<[^>]+>)\s*", r"\1", html)


def test_table_1_has_attack_and_baselines_at_each_threshold() -> None:
    table = table_1(small.attack())
    assert by_first(table, "resolution", "name", "threshold_name", "threshold") == [
        (resolution, name, *threshold)
        for resolution in ("high", "low")
        for name in ("GAN", "identity baseline", "sham")
        for threshold in (("0.5", 0.5), ("tuning", 0.37))
    ]
    assert counts(table, "fooled") == [(hits, 363) for hits in (251, 251, 3, 3, 1, 1)] * 2
    html = compact(to_html(table))
    assert "251/363" in html
    assert "0.94<small><span>0.80–0.99</span></small>" in html
    assert "cad-1" in html
    assert "35.1 dB" in html


def test_table_1_begins_with_the_attack_as_the_article_drew_it() -> None:
    attack = small.attack()
    drawn = {
        name: replace(one, unprocessed=results.attack_table((210, 363))) for name, one in attack.by_resolution.items()
    }
    table = table_1(replace(attack, by_resolution=drawn))
    assert [name for (name,) in by_first(table, "name")][:4] == ["without post-processing"] * 2 + ["GAN"] * 2
    assert counts(table, "fooled")[:4] == [(210, 363)] * 2 + [(251, 363)] * 2
    assert "the generator’s whole change" in to_html(table)
    assert "the generator’s whole change" not in to_html(table_1(attack))


def test_table_1_tests_the_areas_and_says_what_right_means() -> None:
    table = table_1(small.attack())
    assert {cell.p for (cell,) in by_first(table, "auc_change")} == {0.0004}
    text = to_text(table)
    assert "+0.120 −0.010 to +0.250, p <0.001" in text
    assert "on adversarial ones, the flipped label" in table.caption
    assert "paired test of DeLong, clustered by patient" in table.notes[0]
    # These figures were stored by a version that did not know the patients.
    assert "too narrow; evaluate again" in table.notes[0]
    stored = small.attack()
    by_patient = {
        name: replace(one, table=replace(one.table, is_by_patient=True)) for name, one in stored.by_resolution.items()
    }
    assert "effective number of images" in table_1(replace(stored, by_resolution=by_patient)).notes[0]


def test_table_1_says_not_applicable_for_an_unchanged_baseline() -> None:
    attack = small.attack()
    unchanged = {name: results.without_change(one) for name, one in attack.by_resolution.items()}
    lines = to_text(table_1(replace(attack, by_resolution=unchanged))).splitlines()
    baseline = [line for line in lines if "identity baseline" in line and "not applicable" in line]
    assert [line.count("not applicable") for line in baseline] == [7] * 4
    assert all("3/4" in line for line in baseline)  # the shares on real images
    assert not [line for line in lines if line.split()[1:2] in (["GAN"], ["sham"]) and "not applicable" in line]


def test_table_1_without_an_evaluation_says_what_to_do() -> None:
    assert "evaluate_attack" in to_html(table_1(None))
    assert "evaluate_attack" in to_text(table_1(None))


def test_trivial_controls_follow_the_classifier_at_each_resolution() -> None:
    table = trivial_controls_table(small.attack())
    assert by_first(table, "resolution", "fact", "values") == [
        ("high", "for comparison: cad-1", None),
        ("high", "width, height and bits of the file", 3),
        ("high", "brightest pixel", 1),
        ("high", "mean grey level", 8),
        ("high", "standard deviation of the grey levels", 8),
    ]
    assert table.as_dict()["rows"][1]["auc_real_low"] == 0.71
    assert "Be careful if an interval lies above 0.5" in to_html(table)
    assert table.notes == (
        "high resolution: Intervals above 0.5: width, height and bits of the file; mean grey level.",
    )


def test_trivial_controls_that_are_missing_say_what_to_do() -> None:
    assert "evaluate again" in to_html(trivial_controls_table(replace(small.attack(), controls={})))
    assert "has been evaluated yet" in to_html(trivial_controls_table(None))


def test_boschloo_knows_its_limits() -> None:
    assert boschloo(wilson(0, 5), wilson(0, 7)) == 1.0
    assert boschloo(wilson(0, 0), wilson(1, 2)) is None
    assert boschloo(wilson(1.5, 4), wilson(1, 2)) is None


@pytest.mark.parametrize(
    ("first", "second", "fisher"),  # Fisher's two-sided p by R
    [
        ((133, 218), (143, 220), 0.428669214081269),
        ((40, 74), (53, 74), 0.0407675048547061),
        ((57, 145), (47, 146), 0.222578593807805),
    ],
)
def test_boschloo_is_never_weaker_than_fisher_and_close_to_it(
    first: tuple[int, int], second: tuple[int, int], fisher: float
) -> None:
    p = boschloo(wilson(*first), wilson(*second))
    assert p is not None
    assert 0.5 * fisher < p <= fisher


verdicts = st.sampled_from(["real", "not_real", "unsure"])
reading = st.tuples(
    st.sampled_from(["Ada", "Ben"]),
    st.sampled_from([2, 3, 5]),
    verdicts,
    st.sampled_from([REAL, ADVERSARIAL]),
    st.sampled_from([POSITIVE, NEGATIVE]),
    st.integers(0, 60_000),
)


@st.composite
def studies(draw: st.DrawFn) -> list[ReadingRow]:
    """Any readings at all, in positions of their own."""
    return [
        ReadingRow(reader, session, position, verdict, authenticity, pathology, elapsed)
        for position, (reader, session, verdict, authenticity, pathology, elapsed) in enumerate(
            draw(st.lists(reading, max_size=40)), start=1
        )
    ]


@given(studies())
@settings(max_examples=30)
def test_positives_and_negatives_add_up_to_all(rows: list[ReadingRow]) -> None:
    for rule in Unsure:
        table = table_3(small.record(readings=LongReadings.of(rows)), rule)
        for whole in ("real", "adversarial"):
            parts = zip(counts(table, f"{whole}_positive"), counts(table, f"{whole}_negative"), strict=True)
            assert counts(table, whole) == [(p[0] + n[0], p[1] + n[1]) for p, n in parts]


@given(studies())
@settings(max_examples=30)
def test_rules_for_unsure_count_every_reading_once(rows: list[ReadingRow]) -> None:
    record = small.record(readings=LongReadings.of(rows))
    totals = {}
    for rule in Unsure:
        table = table_3(record, rule)
        cells = counts(table, "real") + counts(table, "adversarial")
        totals[rule] = (sum(hits for hits, _ in cells), sum(trials for _, trials in cells))
    unsure = sum(row.verdict == "unsure" for row in rows)
    hits, trials = totals[Unsure.WRONG]
    assert trials == len(rows) == sum(images for (images,) in by_first(table_4(record), "readings"))
    assert totals[Unsure.EXCLUDED] == (hits, trials - unsure)
    assert totals[Unsure.HALF] == (hits + unsure / 2, trials)


@given(studies(), st.randoms())
@settings(max_examples=10)
def test_the_order_in_which_rows_are_fetched_changes_nothing(rows: list[ReadingRow], chance: random.Random) -> None:
    shuffled = chance.sample(rows, k=len(rows))
    for given_rows in (rows, shuffled):
        readings = LongReadings.of(given_rows)
        record = small.record(readings=readings, plan=AnalysisPlan(unsure="half", groups=3))
        comparisons = subgroup_comparisons(record, groups=3)
        tables = (table_3(record, Unsure.HALF), table_4(record), all_subgroup_tests_table(comparisons))
        if given_rows is rows:
            first = [to_csv(table) for table in tables]
    assert [to_csv(table) for table in tables] == first


@given(studies())
@settings(max_examples=30)
def test_calling_everything_real_is_right_on_real_images_only(rows: list[ReadingRow]) -> None:
    trusting = [row._replace(verdict="real") for row in rows]
    table = table_3(small.record(readings=LongReadings.of(trusting)), Unsure.WRONG)
    assert all(hits == trials for hits, trials in counts(table, "real"))
    assert all(hits == 0 for hits, _ in counts(table, "adversarial"))


def test_reader_ten_stands_after_reader_nine() -> None:
    rows = [small.rows()[0]._replace(reader=f"R{number}") for number in (10, 9, 2)]
    assert LongReadings.of(rows).readers == ("R2", "R9", "R10")
    assert [reader for (reader,) in by_first(table_4(small.record(readings=LongReadings.of(rows))), "reader")] == [
        "R2",
        "R9",
        "R10",
    ]


def test_two_readings_at_one_position_are_refused() -> None:
    row = small.rows()[0]
    with pytest.raises(ValueError, match="same reader, session and position"):
        LongReadings.of([row, row])


@pytest.mark.parametrize("wrong", [{"verdict": "maybe"}, {"authenticity": "fake"}, {"source_pathology": "other"}])
def test_words_that_no_study_knows_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong.values()))):
        LongReadings.of([small.rows()[0]._replace(**wrong)])


TINY = Table(
    key="tiny",
    title="Tiny",
    caption="A caption.",
    columns=(
        Column("reader", "Reader"),
        Column("share", "Share", Kind.SHARE),
        Column("p", "p", Kind.P),
        Column("change", "Change", Kind.SIGNED),
    ),
    rows=(("<b>R1</b>", Proportion(1, 3, 1 / 3, 0.0614, 0.7923), 0.00012, -0.125), ("R2", wilson(0, 0), None, 0.5)),
    notes=("A note.",),
    empty="Do this next.",
)


def test_a_csv_keeps_full_precision_and_spreads_a_share() -> None:
    first, second = csv.DictReader(StringIO(to_csv(TINY)))
    assert float(first["share"]) == 1 / 3
    assert (first["share_hits"], first["share_trials"], first["p"]) == ("1", "3", "0.00012")
    assert (second["share"], second["share_low"], second["share_trials"], second["p"]) == ("", "", "0", "")


def test_a_page_rounds_escapes_and_aligns() -> None:
    html = compact(to_html(TINY))
    assert "&lt;b&gt;R1&lt;/b&gt;" in html
    assert "<b>" not in html
    assert '<td class="number">0.33<small><span>0.06–0.79,</span><span>1/3</span></small></td>' in html
    assert '<td class="number">&lt;0.001</td>' in html
    assert '<td class="number">−0.12</td>' in html
    assert '<p class="caption" id="tiny-caption">A caption.</p>' in html
    assert "A note." in html


def test_plain_text_has_a_line_per_row_and_numbers_to_the_right() -> None:
    lines = to_text(TINY).splitlines()
    assert lines[0] == "Tiny"
    header, rule, first, second = lines[2:6]
    assert len(header) == len(rule) == len(first) == len(second)
    assert second.endswith("+0.50")


def test_an_empty_table_says_what_to_do_next() -> None:
    empty = Table("tiny", "Tiny", "", TINY.columns, (), empty="Do this next.")
    assert "Do this next." in to_html(empty)
    assert "Do this next." in to_text(empty)
    assert to_csv(empty) == "reader,share,share_low,share_high,share_hits,share_trials,p,change\n"


def test_a_row_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="3 cells for 4 columns"):
        Table("tiny", "Tiny", "", TINY.columns, (("R1", None, None),))


def test_every_sub_set_has_its_columns_and_its_name() -> None:
    table = table_3(small.record(), Unsure.WRONG)
    assert [column.key for column in table.columns[2:]] == [subset.value for subset in Subset]
    assert table.column_groups[1:] == [("Real images called real", 3), ("Adversarial images called not real", 3)]


def test_a_table_too_long_for_people_says_where_the_rest_stands() -> None:
    lines = tuple((f"R{number}", number) for number in range(1, 400))
    table = Table("long", "Long", "Many.", (Column("reader", "Reader"), Column("n", "N", Kind.COUNT)), lines)
    for shown in (to_text(table), to_html(table)):
        assert "R150" in shown
        assert "R151" not in shown
        assert "first 150 of 399 lines" in shown
    assert len(to_csv(table).splitlines()) == 400
