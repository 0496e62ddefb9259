"""From the database to the report: joining, refusing, writing, showing."""

import csv
import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from readerstudy.accounts.models import User
from readerstudy.analysis.queries.study import study_record
from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.record.counts import SessionTimes, SubgroupBlocks
from readerstudy.analysis.report.build import StudyReport, build_report, write_report
from readerstudy.analysis.report.gallery import build_gallery, choose_images
from readerstudy.analysis.report.pdf import PdfUnavailable, write_pdf
from readerstudy.cohort.models import Cohort
from readerstudy.imaging.image import UnreadableImage
from readerstudy.imaging.png16 import decode_png, encode_png
from readerstudy.jobs.models import JobStatus
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.comparisons import Comparison
from readerstudy.reading.models import Reading
from readerstudy.statistics.unsure import Unsure
from readerstudy.studies.lifecycle import StudyStatus
from readerstudy.studies.models import Allocation, Study
from readerstudy.truth.models import Truth, Unsealing
from readerstudy.truth.seal import StillSealed
from tests import make, results
from tests.analysis import rows, small
from tests.statistics.oracle import simulated_readings


def test_a_sealed_study_is_not_analysed(open_study: Study) -> None:
    with pytest.raises(StillSealed, match="close it, then unseal it"):
        build_report(open_study, at=make.MONDAY)


def test_a_closed_study_is_not_analysed_before_it_is_unsealed(closed_study: Study) -> None:
    with pytest.raises(StillSealed, match="unseal it first"):
        study_record(closed_study)


@pytest.mark.parametrize("rule", Unsure)
def test_the_report_of_the_rows_is_the_report_of_their_study(unsealed_study: Study, rule: Unsure) -> None:
    plan = AnalysisPlan(unsure=rule, groups=3)
    from_rows = StudyReport(study_record(unsealed_study, plan), at=make.MONDAY, plan=plan)
    by_hand = StudyReport(small.record(plan=plan), at=make.MONDAY, plan=plan)
    # How the study was carried out is known of rows in the database alone.
    pairs = zip(from_rows.sections, by_hand.sections, strict=True)
    for there, back in (pair for pair in pairs if pair[0].key != "conduct"):
        assert [table.as_dict() for table in there.tables] == [table.as_dict() for table in back.tables]
        assert [picture.description for picture in there.pictures] == [one.description for one in back.pictures]
    assert from_rows.summary == by_hand.summary


def test_the_report_does_not_depend_on_the_keys_of_stimuli(unsealed_study: Study) -> None:
    def reported() -> tuple[dict[str, object], list[dict[str, object]]]:
        """Every number of the report, and the images that it chooses. The hash of the readings goes over keys."""
        report = build_report(unsealed_study, at=make.MONDAY)
        data = json.dumps(report.as_dict(), default=str).replace(report.record.conduct.hashes.readings, "hash")
        chosen = build_gallery(unsealed_study, choose_images(report.record, report.plan))
        return json.loads(data), chosen.as_dict()["images"]

    before, exhibited = reported()
    assert len(exhibited) > 6
    make.renumber_stimuli()
    assert reported() == (before, exhibited)


@pytest.mark.parametrize(
    "plan",
    [
        AnalysisPlan(),
        AnalysisPlan(unsure="half", groups=2, idle_after_s=3, sd_of="session"),
        AnalysisPlan(comparisons=(Comparison(2, 3, "specificity"),)),
    ],
)
def test_the_database_adds_up_what_arrays_add_up(unsealed_study: Study, plan: AnalysisPlan) -> None:
    summed, by_hand = study_record(unsealed_study, plan).readings, small.record(plan=plan).readings
    assert (summed.readers, summed.sessions, summed.rule) == (by_hand.readers, by_hand.sessions, by_hand.rule)
    np.testing.assert_array_equal(summed.verdicts, by_hand.verdicts)
    for name in SessionTimes.__dataclass_fields__:
        np.testing.assert_allclose(getattr(summed.times, name), getattr(by_hand.times, name), err_msg=name)
    for groups, blocks in by_hand.blocks.items():
        for name in SubgroupBlocks.__dataclass_fields__:
            np.testing.assert_array_equal(getattr(summed.blocks[groups], name), getattr(blocks, name))
    assert summed.session_blocks.keys() == by_hand.session_blocks.keys()
    for groups, blocks in by_hand.session_blocks.items():
        for name in SubgroupBlocks.__dataclass_fields__:
            np.testing.assert_array_equal(getattr(summed.session_blocks[groups], name), getattr(blocks, name))
    np.testing.assert_array_equal(
        np.sort(summed.cases.counts, axis=0), np.sort(by_hand.cases.counts, axis=0), err_msg="cases"
    )
    pairs = [(summed.compared, by_hand.compared)]
    if plan.comparisons:
        assert {2, 3, 5} == set(summed.declared.session.tolist())
        pairs += [(summed.declared, by_hand.declared), (summed.of_pair(2, 3), by_hand.of_pair(2, 3))]
    for ours, theirs in pairs:
        for name in ("reader", "session", "position", "kind", "verdict", "elapsed_ms"):
            one, other = getattr(ours, name), getattr(theirs, name)
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(np.sort(one), np.sort(other), err_msg=name)


def test_an_adversarial_image_counts_by_its_patient(unsealed_study: Study) -> None:
    readings = study_record(unsealed_study).readings
    # Cancer was removed from these, so the patient has it, and the label of the adversarial image is 0.
    removed = Truth.objects.filter(direction="remove", stimulus__in=Allocation.objects.values("stimulus"))
    read = sum(
        readings.share_correct("R1", session, Subset.ADVERSARIAL_POSITIVE, Unsure.WRONG).trials for session in (3, 5)
    )
    assert read == removed.count() == 3
    assert set(removed.values_list("label", flat=True)) == {0}


def test_another_studys_readings_stay_out(unsealed_study: Study) -> None:
    before = len(study_record(unsealed_study).readings)
    Study.objects.filter(pk=unsealed_study.pk).update(code="first")
    Cohort.objects.update(name="first-films")
    rows.study(readers=("ruth",))
    unsealed_study.refresh_from_db()
    assert len(study_record(unsealed_study).readings) == before == len(small.rows())


def test_table_1_is_the_newest_evaluation_of_the_studys_generators(unsealed_study: Study) -> None:
    foreign = results.attack_evaluation((3, 9), runs=("gan-insert", "gan-other"))
    more = results.attack_evaluation((5, 9), runs=(*results.RUNS, "gan-other"))
    own = unsealed_study.cohort.name
    for attack, cohort, status in (
        (results.attack_evaluation((1, 9)), own, JobStatus.DONE),
        (results.attack_evaluation((2, 9)), own, JobStatus.DONE),
        (foreign, own, JobStatus.DONE),
        (more, own, JobStatus.DONE),
        (results.attack_evaluation((4, 9)), "other", JobStatus.DONE),
        (results.attack_evaluation((6, 9)), own, JobStatus.FAILED),
    ):
        results.store_evaluation(results.evaluation_result(attack), cohort=cohort, status=status)
    tables = build_report(unsealed_study, at=make.MONDAY).tables
    rows = tables["table1"].as_dict()["rows"]
    assert {row["fooled_hits"] for row in rows if row["name"] == "GAN"} == {2}
    controls = tables["trivial_controls"].as_dict()["rows"]
    assert [(row["resolution"], row["auc_real"]) for row in controls] == [
        ("high", area) for area in (0.82, 0.8, 0.5, 0.61, 0.44)
    ]


def test_a_full_size_study_is_reported_in_files_that_agree(tmp_path: Path) -> None:
    readings = simulated_readings()
    record = small.record(readings=readings, readers=dict.fromkeys(readings.readers, "high"), attack=small.attack())
    report = StudyReport(record, at=make.MONDAY)
    written = {path.name for path in write_report(report, tmp_path)}
    tables = {f"{name}.csv" for name in report.tables}
    as_json = {f"{name}.json" for name in report.tables}
    pictures = {f"{name}.svg" for name in report.pictures}
    assert written == tables | as_json | pictures | {"report.html", "report.json", "report.txt"}
    assert "accuracy.svg" in pictures
    stored = json.loads((tmp_path / "report.json").read_text())
    for name in tables:
        lines = list(csv.DictReader(StringIO((tmp_path / name).read_text())))
        in_json = stored["tables"][name.removesuffix(".csv")]["rows"]
        assert [list(row.values()) for row in lines] == [
            ["" if value is None else str(value) for value in row.values()] for row in in_json
        ]
    assert len(stored["tables"]["subgroups"]["rows"]) == 60 * 2 * 4 * 4


def test_the_written_page_stands_alone_and_says_what_it_cannot_know(tmp_path: Path) -> None:
    write_report(StudyReport(small.record(is_rehearsal=True), at=make.MONDAY), tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "http" not in page
    assert 'href="/' not in page
    assert 'src="data:image/svg+xml;base64,' in page
    assert '.svg"' not in page
    for sentence in (
        "states neither the number of sub-groups",
        "counts as wrong",
        "fatigue",
        "never pool",
        "rehearsal",
    ):
        assert sentence in page


def test_what_an_earlier_report_left_does_not_stay(unsealed_study: Study, settings: object) -> None:
    call_command("analyse_study", unsealed_study.code, "--no-pdf", stdout=StringIO())
    folder = settings.REPORTS_DIR / unsealed_study.code
    (folder / "figure.svg").write_text("of an earlier version")
    call_command("analyse_study", unsealed_study.code, "--no-pdf", stdout=StringIO())
    assert not (folder / "figure.svg").exists()
    assert (folder / "accuracy.svg").exists()


def test_the_command_writes_the_folder_and_prints_json(unsealed_study: Study, settings: object) -> None:
    out = StringIO()
    call_command("analyse_study", unsealed_study.code, "--json", "--no-pdf", stdout=out)
    printed = json.loads(out.getvalue())
    assert printed["plan"]["hash"] == unsealed_study.analysis.hash
    assert all(Path(path).exists() for path in printed["files"])
    assert {Path(path).parent for path in printed["files"]} == {settings.REPORTS_DIR / unsealed_study.code}


def test_the_command_prints_every_table(unsealed_study: Study, tmp_path: Path) -> None:
    out = StringIO()
    call_command("analyse_study", unsealed_study.code, "--no-pdf", "--out", str(tmp_path / "there"), stdout=out)
    for word in (
        "Table 1",
        "Table 2",
        "Table 3",
        "Sub-group tests",
        "Table 4",
        str(tmp_path / "there" / "report.html"),
    ):
        assert word in out.getvalue()


def test_the_command_refuses_with_a_sentence(open_study: Study) -> None:
    with pytest.raises(CommandError, match="sealed"):
        call_command("analyse_study", open_study.code)


@pytest.mark.django_db
def test_the_command_names_the_studies_there_are() -> None:
    with pytest.raises(CommandError, match="none yet"):
        call_command("analyse_study", "nowhere")


def test_rosa_sees_the_report(unsealed_study: Study, as_rosa: Client) -> None:
    page = as_rosa.get(reverse("report:study", args=[unsealed_study.code]))
    assert page.status_code == 200
    text = page.content.decode()
    for word in ("Table 1", "Table 2", "Table 3", "Table 4", "Sub-group tests", "R1", "R2", "accuracy.svg"):
        assert word in text


def test_rosa_gets_every_table_and_the_figure(unsealed_study: Study, as_rosa: Client) -> None:
    for key in build_report(unsealed_study, at=make.MONDAY).tables:
        answer = as_rosa.get(reverse("report:table", args=[unsealed_study.code, key]))
        assert answer["Content-Type"].startswith("text/csv")
        assert b"".join(answer.streaming_content)
    figure = as_rosa.get(reverse("report:picture", args=[unsealed_study.code, "accuracy"]))
    assert figure["Content-Type"].startswith("image/svg+xml")
    assert as_rosa.get(reverse("report:table", args=[unsealed_study.code, "table9"])).status_code == 404


def test_a_sealed_study_shows_who_is_missing_and_no_truth(open_study: Study, as_rosa: Client) -> None:
    text = as_rosa.get(reverse("report:study", args=[open_study.code])).content.decode()
    assert "R2" in text
    assert "<textarea" not in text
    assert "Table 3" not in text
    assert as_rosa.get(reverse("report:table", args=[open_study.code, "table3"])).status_code == 409


def test_rosa_unseals_a_closed_study_for_a_reason(closed_study: Study, as_rosa: Client, rosa: User) -> None:
    page = as_rosa.get(reverse("report:study", args=[closed_study.code])).content.decode()
    assert "<textarea" in page
    address = reverse("report:unseal", args=[closed_study.code])
    assert as_rosa.post(address, {"reason": "  "}).status_code == 400
    answer = as_rosa.post(address, {"reason": "The plan is final."})
    assert answer.status_code == 302
    closed_study.refresh_from_db()
    assert closed_study.status == StudyStatus.UNSEALED
    assert Unsealing.objects.get(study=closed_study).by == rosa
    assert "Table 3" in as_rosa.get(answer["Location"]).content.decode()


def test_an_open_study_cannot_be_unsealed_from_the_page(open_study: Study, as_rosa: Client) -> None:
    answer = as_rosa.post(reverse("report:unseal", args=[open_study.code]), {"reason": "I am curious."})
    assert answer.status_code == 409
    assert not Unsealing.objects.exists()


def test_readers_see_no_report_and_coordinators_none_of_a_study(
    unsealed_study: Study, clara: User, client: Client
) -> None:
    pages = [
        reverse("report:list"),
        reverse("report:study", args=[unsealed_study.code]),
        reverse("report:table", args=[unsealed_study.code, "table3"]),
        reverse("report:picture", args=[unsealed_study.code, "accuracy"]),
    ]
    assert all(client.get(page).status_code == 302 for page in pages)
    for person, hidden in ((clara, pages[1:]), (User.objects.get(username="rita"), pages)):
        client.force_login(person)
        assert all(client.get(page).status_code == 403 for page in hidden)
        address = reverse("report:unseal", args=[unsealed_study.code])
        assert client.post(address, {"reason": "Please."}).status_code == 403


def test_the_list_names_every_study_with_its_state(unsealed_study: Study, as_rosa: Client) -> None:
    text = as_rosa.get(reverse("report:list")).content.decode()
    assert unsealed_study.code in text
    assert "Unsealed" in text


def test_without_a_study_the_list_says_what_to_do(as_rosa: Client) -> None:
    assert "You take part in no study yet." in as_rosa.get(reverse("report:list")).content.decode()


def test_clara_watches_the_report_of_a_rehearsal_grow(open_study: Study, clara: User, client: Client) -> None:
    copy = rows.study(readers=("ruth",), code="small-rehearsal", is_rehearsal=True)
    client.force_login(clara)
    assert copy.code in client.get(reverse("report:list")).content.decode()
    address = reverse("report:study", args=[copy.code])
    page = client.get(address).content.decode()
    assert "Table 3" in page
    read = Reading.objects.filter(presentation__reading_list__enrollment__study=copy).count()
    assert f"its first {read} readings" in " ".join(page.split())
    newer = reverse("report:readings", args=[copy.code])
    assert client.get(newer, {"shown": read}).status_code == 204
    assert f'href="{address}"' in client.get(newer, {"shown": read - 1}).content.decode()
    for wrong in ({}, {"shown": "x"}, {"shown": "-1"}, {"shown": "9" * 5000}):
        assert client.get(newer, wrong).status_code == 400
    assert client.get(reverse("report:readings", args=[open_study.code]), {"shown": 0}).status_code == 403
    assert client.get(reverse("report:study", args=[open_study.code])).status_code == 403


def test_a_report_is_worked_out_once(unsealed_study: Study, as_rosa: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    address = reverse("report:study", args=[unsealed_study.code])
    as_rosa.get(address)

    def never(*args: object, **options: object) -> None:
        raise AssertionError("worked out again")

    monkeypatch.setattr("readerstudy.analysis.report.cache.build_report", never)
    assert "Table 3" in as_rosa.get(address).content.decode()


def test_rosa_gets_the_report_as_one_file_and_on_paper(
    unsealed_study: Study, as_rosa: Client, caplog: pytest.LogCaptureFixture
) -> None:
    page = b"".join(as_rosa.get(reverse("report:page", args=[unsealed_study.code])).streaming_content)
    assert b"<style>" in page
    answer = as_rosa.get(reverse("report:pdf", args=[unsealed_study.code]))
    paper = b"".join(answer.streaming_content)
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == f'attachment; filename="{unsealed_study.code}-report.pdf"'
    assert paper.startswith(b"%PDF-")
    assert paper.count(b"/Type /Page") > 1 or b"/ObjStm" in paper
    assert [record.getMessage() for record in caplog.records if record.name.startswith("weasyprint")] == []


def test_after_a_pdf_a_truncated_image_is_still_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<p>A page.</p>")
    write_pdf(page, tmp_path / "page.pdf")
    noise = np.random.default_rng(1).integers(0, 65536, (64, 52), dtype=np.uint16)
    with pytest.raises(UnreadableImage):
        decode_png(encode_png(noise)[:-400])


def test_a_site_without_pango_says_so(unsealed_study: Study, as_rosa: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*args: object) -> None:
        raise PdfUnavailable

    monkeypatch.setattr("readerstudy.analysis.report.paper.lay_out", missing)
    answer = as_rosa.get(reverse("report:pdf", args=[unsealed_study.code]), follow=True)
    assert answer.redirect_chain == [(reverse("report:pdf-progress", args=[unsealed_study.code, 1]), 302)]
    assert "Pango" in answer.content.decode()


def test_images_are_shown_only_if_no_study_on_them_is_sealed(unsealed_study: Study, as_rosa: Client) -> None:
    address = reverse("report:study", args=[unsealed_study.code])
    assert 'id="gallery"' in as_rosa.get(address).content.decode()
    later = Study.objects.create(
        code="later",
        title="Later",
        template="zhou2021",
        cohort=unsealed_study.cohort,
        image_bytes=1,
        status="open",
        created_at=make.MONDAY,
        locked_at=make.MONDAY,
        opened_at=make.MONDAY,
    )
    assert 'id="gallery"' not in as_rosa.get(address).content.decode()
    later.close(at=make.MONDAY)
    assert build_report(unsealed_study, at=make.MONDAY).gallery is None
    later.mark_unsealed(at=make.MONDAY)
    assert 'id="gallery"' in as_rosa.get(address).content.decode()
