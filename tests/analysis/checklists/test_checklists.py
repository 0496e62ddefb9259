"""The checklists of STARD 2015, STARD-AI, CLAIM and of reader studies, filled from the record."""

from dataclasses import replace

import pytest

from readerstudy.analysis.checklists.all import (
    checklist_tables,
    claim_table,
    reader_study_table,
    stard_ai_table,
    stard_table,
)
from readerstudy.analysis.record.conduct import AttackRun, CopyGroups, StartingWeights
from readerstudy.analysis.tables.comparison.mrmc import mrmc_comparisons
from readerstudy.layout.table import to_html
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.reporting import ENTRIES, Reporting
from readerstudy.protocol.sizing import Sizing
from tests.analysis import conducted, small
from tests.analysis.long_readings import LongReadings
from tests.statistics.oracle import simulated_readings

PLAN = AnalysisPlan()
BLANK = "to be completed by the authors"
STARD = [*(str(n) for n in range(1, 10)), "10a", "10b", "11", "12a", "12b", "13a", "13b"]
STARD += [*(str(n) for n in range(14, 21)), "21a", "21b", *(str(n) for n in range(22, 31))]


STARD_AI = [*map(str, range(1, 15)), "15a", "15b", "15c", "15d", "16a", "16b", "16c", "17a", "17b"]
STARD_AI += [*map(str, range(18, 26)), "26a", "26b", *map(str, range(27, 40)), "40a", "40b"]
EVERY_TABLE = (stard_table, stard_ai_table, claim_table, reader_study_table)


def filled(table):
    return {row[0]: row[3] for row in table.rows}


def states(table):
    return {row[0]: row[4] for row in table.rows}


@pytest.fixture
def record():
    return small.record(conduct=conducted.conduct(), attack=small.attack())


def test_the_items_are_numbered_as_published(record):
    assert list(filled(stard_table(record, PLAN))) == STARD
    assert list(filled(claim_table(record, PLAN))) == [str(number) for number in range(1, 45)]
    assert list(filled(stard_ai_table(record, PLAN))) == STARD_AI
    assert len(STARD_AI) == 48


def test_an_item_that_is_unchanged_says_the_same_in_both_lists_of_stard(record):
    stard, stard_ai = stard_table(record, PLAN), stard_ai_table(record, PLAN)
    both = {row[2:] for row in stard.rows} & {row[2:] for row in stard_ai.rows}
    # 48 rows, 18 of them new or changed.
    assert len([row for row in stard_ai.rows if row[2:] in both]) == 30


def test_an_item_of_which_a_part_is_missing_is_answered_in_part(record):
    """Eligibility, sample size, age, sources: the record knows a part of each."""
    stard, claim = (states(table(record, PLAN)) for table in (stard_table, claim_table))
    assert {stard[number] for number in ("6", "9", "18", "20", "26", "29")} == {"in part"}
    assert {claim[number] for number in ("7", "8", "13", "16", "21", "36", "40", "42", "43")} == {"in part"}
    assert filled(stard_table(record, PLAN))["18"].endswith("The authors add: how these numbers were determined.")
    assert stard["25"] == "does not apply"
    assert claim["18"] == "does not apply"
    assert stard["24"] == "no"  # no estimate was given to the list


def test_what_the_run_knows_about_its_networks_is_answered(record):
    claim = filled(claim_table(record, PLAN))
    assert "cad-1: a file of VGG11 weights" in claim["24"]
    assert "Seeds: cad-1 5, gan-insert 4." in claim["24"]
    assert claim["24"].endswith("The authors add: with which weights each network began.")  # those of the GANs
    assert claim["26"] == "cad-1: the weights with the greatest AUC on the tuning split, 0.876."
    assert "images of each class in a batch 4, betas of Adam 0.5/0.9, length (epochs 301)" in claim["25"]
    assert claim["38"].startswith("Classifier on the real test images: high, threshold 0.500: sensitivity 0.75")
    assert "high, threshold 0.370 (rule: tuning): 251/363" in claim["30"]
    known = replace(record.conduct.classifier, start=StartingWeights.RANDOM)
    changed = replace(record, conduct=replace(record.conduct, classifier=known, generators=()))
    assert "cad-1: random" in filled(claim_table(changed, PLAN))["24"]
    assert states(claim_table(changed, PLAN))["24"] == "in full"


def test_the_details_of_a_reader_study_come_from_its_sessions(record):
    details = filled(reader_study_table(record, PLAN))
    assert "4 (2 pairs of a real and an adversarial image)" in details["3"]
    assert "3 the same drawn order for all readers" in details["6"]
    # R1 finished session 3 an hour after its start, which is also that of session 5.
    assert details["7"].endswith("From the end of session 3 to the start of session 5: 0 to 0 days.")
    assert "Display check by session: 1: advised" in details["9"]
    assert "Sessions put on hold: 1" in details["13"]
    assert details["15"] == "No unplanned unblinding was recorded."


@pytest.mark.parametrize("make_table", EVERY_TABLE)
def test_the_sum_below_a_list_is_that_of_its_lines(make_table, record):
    table = make_table(record, PLAN)
    count = {name: list(states(table).values()).count(name) for name in ("in full", "in part", "no", "does not apply")}
    applying = len(table.rows) - count["does not apply"]
    assert table.notes[0].startswith(
        f"{count['in full']} of {applying} items that apply are answered in full "
        f"({100 * count['in full'] / applying:.0f} %), {count['in part']} in part, {count['no']} are left"
    )


def test_an_import_of_the_affected_side_says_so(record):
    cohort = record.conduct.cohort
    sided = replace(cohort, imports=(replace(cohort.imports[-1], other_sides=14),))
    changed = replace(record, conduct=replace(record.conduct, cohort=sided))
    assert "only the affected side was imported; 14 images" in filled(stard_table(changed, PLAN))["6"]
    assert "only the affected side was imported" in filled(claim_table(changed, PLAN))["8"]
    assert "affected side" not in filled(stard_table(record, PLAN))["6"]


def test_what_the_record_knows_is_filled_in_from_it(record):
    stard = filled(stard_table(record, PLAN))
    assert "excluded 7 files." in stard["6"]
    assert "gan-insert, gan-remove" in stard["10b"]
    assert "(source: biopsy)" in stard["10b"]
    assert "Audits of the blinding: 1 of 1 passed." in stard["13a"]
    assert stard["15"].startswith("2 of 25 verdicts")
    assert stard["16"].startswith("11 of 42 planned readings")
    assert "2: 4, 3: 8, 5: 5" in stard["18"]
    assert "Readers analysed: 1, excluded: 1." in stard["19"]
    assert "session 3 (high) 2 / 2" in stard["21a"]
    claim = filled(claim_table(record, PLAN))
    assert claim["7"].startswith("Cohort films: 61 images of 17 patients (MG).")
    assert "Test split 5 patients, 13 images" in claim["19"]
    assert claim["27"] == "None: the single run cad-1 was evaluated."
    assert "AUC real 0.82 (0.70–0.90), adversarial (flipped label) 0.94" in claim["37"]
    assert "numpy 2.4.6" in claim["23"]


def test_a_kept_sizing_says_how_the_size_was_determined(record):
    sizing = Sizing(
        readers=9,
        source="Our pilot.",
        power=0.812,
        equivalence_power=0.1,
        simulations=1000,
        simulated_power=0.83,
        simulated_equivalence=0.09,
        simulated_false_findings=0.052,
    )
    size = filled(stard_table(record, replace(PLAN, sizing=sizing)))["18"]
    assert "for 9 readers and a true change of 0.1 in the primary figure" in size
    assert "Source of the assumptions: Our pilot. Computed power" in size
    assert "0.812 at a two-sided level of 0.05; to show a change smaller than 0.05 if there is none: 0.1." in size
    assert "In 1000 simulated studies of this plan the change was found in a share of 0.83" in size
    assert "true change" not in filled(stard_table(record, PLAN))["18"]


def test_the_items_name_an_attack_without_a_generator(record):
    pgd = AttackRun("pgd-cad", "pgd", {"epsilon": 1028}, "cad-1", 3, "abc")
    changed = replace(record, conduct=replace(record.conduct, generators=(), attacks=(pgd,)))
    assert "made by the attacks pgd-cad" in filled(stard_table(changed, PLAN))["10b"]
    claim = " ".join(filled(claim_table(changed, PLAN)).values())
    assert "pgd-cad: PGD: many small steps (budget 1028 grey levels)" in claim
    assert "pgd-cad 3" in claim
    assert "pgd-cad (Generator" not in claim


@pytest.mark.parametrize(
    ("copies", "sentence"),
    [
        (CopyGroups(), "No image is a near-copy of another."),
        (
            CopyGroups(images=2, groups=1),
            "2 images belong to 1 group of near-copies or parts of one recording; no group lies in two splits.",
        ),
        (
            CopyGroups(images=9, groups=3),
            "9 images belong to 3 groups of near-copies or parts of one recording; no group lies in two splits.",
        ),
        (
            CopyGroups(images=9, groups=3, divided_groups=2),
            "9 images belong to 3 groups of near-copies or parts of one recording; 2 groups lie in two splits.",
        ),
    ],
)
def test_the_items_on_partitions_and_numbers_say_how_many_images_are_copies(record, copies, sentence):
    conduct = replace(record.conduct, cohort=replace(record.conduct.cohort, copies=copies))
    changed = replace(record, conduct=conduct)
    claim = filled(claim_table(changed, PLAN))
    assert claim["20"] == f"Patient: each of the 17 patients is in one split. {sentence}"
    assert sentence in claim["35"]


def test_the_cross_table_counts_the_readings(record):
    said = filled(stard_table(record, PLAN))["23"]
    for session in (PLAN.before, PLAN.after):
        counts = {"adversarial": [0, 0, 0], "real": [0, 0, 0]}
        for row in small.rows():
            if row.session == session:
                counts[row.authenticity][["not_real", "unsure", "real"].index(row.verdict)] += 1
        adversarial, real = (" / ".join(map(str, counts[kind])) for kind in ("adversarial", "real"))
        assert f"session {session}: adversarial {adversarial}, real {real}" in said


def test_what_no_record_can_know_is_left_to_the_authors(record):
    stard, claim = filled(stard_table(record, PLAN)), filled(claim_table(record, PLAN))
    for number in ("1", "2", "3", "7", "8", "27", "28", "30"):
        assert stard[number] == BLANK
    for number in ("1", "2", "3", "34", "41", "44"):
        assert claim[number] == BLANK


def test_only_the_checklists_of_the_modality_are_filled(record):
    assert [table.key for table in checklist_tables(record, PLAN)] == ["stard", "stard_ai", "claim", "reader_study"]
    without_pictures = replace(record, modality=replace(MAMMOGRAPHY, checklists=("stard",)))
    assert [table.key for table in checklist_tables(without_pictures, PLAN)] == ["stard"]


def test_the_pathologies_have_the_modality_s_names(record):
    stard = filled(stard_table(record, PLAN))
    assert "Pathology of images: Malignant 16, Normal 45 (source: biopsy)." in stard["10b"]
    assert stard["20"].startswith("With a malignant finding: Training split 3 of 10 patients;")


def test_the_estimate_is_the_one_of_the_analysis(record):
    compared = mrmc_comparisons(record, PLAN)
    primary = next(comparison for comparison in compared if comparison.figure == PLAN.primary)
    assert filled(stard_table(record, PLAN, compared))["24"].startswith(primary.reason)
    assert filled(stard_table(record, PLAN))["24"] == BLANK


@pytest.mark.parametrize("make_table", EVERY_TABLE)
def test_a_record_that_knows_little_leaves_more_blank_and_never_fails(make_table, record):
    nothing = small.record(readings=LongReadings.of([]), readers={}, image_sets=())
    bare, full = (filled(make_table(case, PLAN)) for case in (nothing, record))
    assert set(bare) == set(full)
    assert sum(said == BLANK for said in bare.values()) > sum(said == BLANK for said in full.values())
    for record_without_sessions in (
        nothing,
        small.record(conduct=conducted.conduct(reader_sessions=(), drawn=(), audits=()), readers={}),
    ):
        assert to_html(make_table(record_without_sessions, PLAN))


# --- what the authors stated in the plan ----------------------------------------------------------------------------
STATED = Reporting(**{entry: f"Stated {entry}." for entry in ENTRIES})
# Least share of the items that apply, in percent, once the plan states everything.
LEAST_SHARE = {"stard": 90, "stard_ai": 90, "claim": 88, "reader_study": 100}


@pytest.fixture(scope="module")
def whole():
    """A record with every fact that this software can have: five readers, networks with known starts, evaluations."""
    conduct = conducted.conduct()
    known = [
        replace(run, start=StartingWeights.RUN, config=conduct.classifier.config, metrics={"kept_step": 5})
        for run in conduct.generators
    ]
    readings = simulated_readings()
    return small.record(
        readings=readings,
        readers=dict.fromkeys(readings.readers, "high"),
        conduct=replace(conduct, generators=tuple(known)),
        attack=small.attack(),
    )


def share_in_full(table):
    counted = [state for state in states(table).values() if state != "does not apply"]
    return 100 * counted.count("in full") / len(counted)


@pytest.mark.parametrize("make_table", EVERY_TABLE)
def test_a_plan_that_states_everything_fills_most_of_a_list(make_table, whole):
    compared = mrmc_comparisons(whole, PLAN)
    empty, full = (make_table(whole, replace(PLAN, reporting=each), compared) for each in (Reporting(), STATED))
    assert share_in_full(empty) < share_in_full(full)
    assert share_in_full(full) >= LEAST_SHARE[full.key]


def test_every_entry_of_the_plan_stands_in_a_list_and_in_quotation_marks(record):
    answers = " ".join(
        row[3] for make_table in EVERY_TABLE for row in make_table(record, replace(PLAN, reporting=STATED)).rows
    )
    for entry in ENTRIES:
        assert f"“Stated {entry}.”" in answers


def test_an_item_of_two_entries_is_answered_in_full_by_both_only(record):
    one = replace(PLAN, reporting=Reporting(funding="The hospital."))
    table = claim_table(record, one)
    assert states(table)["44"] == "in part"
    assert filled(table)["44"] == "“The hospital.” The authors add: funding and interests, both."
    both = replace(PLAN, reporting=Reporting(funding="The hospital.", interests="None."))
    assert states(claim_table(record, both))["44"] == "in full"
    assert states(stard_table(record, one))["30"] == "in full"


def test_a_kept_sizing_or_a_stated_reason_answers_the_size(record):
    for changes in ({"sizing": Sizing(readers=9)}, {"reporting": Reporting(sample_size="All that there are.")}):
        assert states(stard_table(record, replace(PLAN, **changes)))["18"] == "in full"


def test_what_is_stated_does_not_stand_for_what_the_record_lacks():
    nothing = small.record(readings=LongReadings.of([]), readers={}, image_sets=())
    table = stard_table(nothing, replace(PLAN, reporting=STATED))
    assert states(table)["20"] == "in part"
    assert filled(table)["20"].endswith("The authors add: what the record of this study lacks.")
