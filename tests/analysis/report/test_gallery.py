"""The gallery: which images hang there and why, and what a page shows of them."""

from base64 import b64decode
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.template.loader import render_to_string
from PIL import Image

from readerstudy.analysis.queries.study import study_record
from readerstudy.analysis.record.codes import ADVERSARIAL, POSITIVE, REAL
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.report import gallery_pictures
from readerstudy.analysis.report.gallery import JudgedImage, Reason, ReportGallery, build_gallery, choose_images
from readerstudy.cohort.models import Patient, Stimulus
from readerstudy.imaging.png16 import encode_png
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.studies.models import Study
from readerstudy.truth.models import Truth
from readerstudy.truth.seal import StillSealed
from tests.analysis import crowd, small
from tests.analysis.long_readings import LongReadings, ReadingRow

PLAN = AnalysisPlan()
VERDICTS = {"r": "real", "n": "not_real", "u": "unsure"}


def judged(said: dict[int, str], kind: str = ADVERSARIAL, session: int = 3) -> StudyRecord:
    """`said` gives each image the letters of the readers, of the first reader first."""
    rows = [
        ReadingRow(f"R{reader}", session, image, VERDICTS[letter], kind, POSITIVE, 1000, case=str(image))
        for image, letters in said.items()
        for reader, letter in enumerate(letters, start=1)
    ]
    return small.record(readings=LongReadings.of(rows))


def cases(chosen: tuple[JudgedImage, ...], reason: Reason) -> list[int]:
    return [entry.case for entry in chosen if entry.reason is reason]


def test_six_hang_at_either_end_the_extreme_first() -> None:
    # Image n was called real by n of 20 readers.
    study = judged({n: "r" * n + "n" * (20 - n) for n in range(1, 20)})
    chosen = choose_images(study, PLAN)
    assert cases(chosen, Reason.FOOLED_MOST) == [19, 18, 17, 16, 15, 14]
    assert cases(chosen, Reason.FOOLED_FEWEST) == [1, 2, 3, 4, 5, 6]


def test_among_equals_the_lower_number_goes_first_at_both_ends() -> None:
    chosen = choose_images(judged(dict.fromkeys(range(1, 20), "rn")), PLAN)
    assert cases(chosen, Reason.FOOLED_MOST) == [1, 2, 3, 4, 5, 6]
    assert cases(chosen, Reason.FOOLED_FEWEST) == [7, 8, 9, 10, 11, 12]


def test_four_of_four_readers_fooled_say_more_than_one_of_one() -> None:
    assert cases(choose_images(judged({1: "r", 2: "rrrr", 3: "n"}), PLAN), Reason.FOOLED_MOST) == [2, 1]


@pytest.mark.parametrize(("images", "most", "fewest"), [(1, 1, 0), (2, 1, 1), (5, 3, 2), (12, 6, 6), (13, 6, 6)])
def test_of_few_images_none_hangs_twice(images: int, most: int, fewest: int) -> None:
    chosen = choose_images(judged(dict.fromkeys(range(1, images + 1), "rnu")), PLAN)
    assert len(cases(chosen, Reason.FOOLED_MOST)) == most
    assert len(cases(chosen, Reason.FOOLED_FEWEST)) == fewest
    assert len({entry.case for entry in chosen}) == len(chosen)


def test_unsure_is_not_fooled() -> None:
    (first, second) = choose_images(judged({1: "ru", 2: "rr"}), PLAN)
    assert (first.case, first.wrong, first.verdicts) == (2, 2, 2)
    assert (second.case, second.wrong, second.verdicts) == (1, 1, 2)


def test_mistrusted_real_images_were_called_not_real() -> None:
    said = {1: "rrr", 2: "nrr", 3: "nnn", 4: "nnr", 5: "nru", 6: "uuu"}
    chosen = choose_images(judged(said, kind=REAL), PLAN)
    assert cases(chosen, Reason.MISTRUSTED) == [3, 4, 2]
    assert choose_images(judged({1: "rru"}, kind=REAL), PLAN) == ()


def test_images_of_other_sessions_do_not_hang() -> None:
    assert choose_images(judged({1: "rr"}, session=2), PLAN) == ()
    assert cases(choose_images(judged({1: "rr"}, session=2), AnalysisPlan(before=2)), Reason.FOOLED_MOST) == [1]


@pytest.mark.parametrize("readers", [1, 5, 40])
def test_any_number_of_readers_fills_the_gallery(readers: int) -> None:
    chosen = choose_images(crowd.record(readers), PLAN)
    assert [len(cases(chosen, reason)) for reason in Reason] == [6, 6, 3]
    assert all(entry.verdicts == readers for entry in chosen)


def test_the_kind_follows_the_patients_pathology() -> None:
    one = JudgedImage(1, 3, "high", 3, 1, 0, 0, Reason.FOOLED_MOST)
    assert (one.is_adversarial, one.is_positive) == (True, False)


@pytest.fixture
def films(unsealed_study: Study, settings: Any, tmp_path: Path) -> Study:
    """The study with an image for every stimulus: 400 × 320, the adversarial image brighter in one place."""
    settings.MEDIA_ROOT = tmp_path
    for stimulus in Stimulus.objects.all():
        values = film(seed=stimulus.image_id)
        if Truth.objects.filter(stimulus=stimulus, authenticity="adversarial").exists():
            values[180:220, 30:70] += 6000
        stimulus.path.write_bytes(encode_png(values))
    return unsealed_study


def film(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:400, 0:320]
    inside = (x / 240) ** 2 + ((y - 200) / 170) ** 2 < 1
    return np.where(inside, 25_000 + 3000 * rng.standard_normal((400, 320)), 500).clip(0, 65_535).astype(np.uint16)


def hung(study: Study) -> ReportGallery:
    return build_gallery(study, choose_images(study_record(study), PLAN))


def test_the_gallery_shows_source_adversarial_and_difference(films: Study) -> None:
    first = hung(films).entries[0]
    assert first.image.reason is Reason.FOOLED_MOST
    shown, real, difference = (decoded(picture.data_uri) for picture in first.pictures)
    assert shown.shape == real.shape == difference.shape == (320, 256)
    changed = np.s_[148:172, 28:52]  # what was changed, at four fifths of the size and away from its border
    # Light was added there: brighter than the source image, darker than grey in the difference.
    assert shown[changed].mean() > real[changed].mean() + 20
    assert difference[changed].mean() < 30
    assert abs(difference[0:40].mean() - 128) < 2


def test_the_difference_says_what_its_black_and_white_mean(films: Study) -> None:
    difference = hung(films).entries[0].pictures[2]
    # 6,000 of 65,535 levels.
    assert difference.title == "difference, full scale ±9.2 %"
    assert "±9.2 % of all grey levels" in difference.alt


def test_thumbnails_are_small(films: Study) -> None:
    pictures = [picture for entry in hung(films).entries for picture in entry.pictures]
    assert max(picture.height for picture in pictures) == 320
    assert max(len(picture.data_uri) for picture in pictures) < 40_000


def test_an_image_is_displayed_as_readers_saw_it(films: Study) -> None:
    before = decoded(hung(films).entries[0].pictures[1].data_uri)
    image = Truth.objects.get(pk=hung(films).entries[0].image.case).stimulus.image
    image.attributes.update(laterality="R", chest_wall="left")
    image.save()
    after = decoded(hung(films).entries[0].pictures[1].data_uri)
    # JPEG works in squares of eight, which the mirror moves.
    assert np.abs(after.astype(int) - before[:, ::-1]).mean() < 2


def test_a_missing_or_damaged_image_is_reported_in_its_place(films: Study) -> None:
    missing, damaged, *_rest = (entry for entry in hung(films).entries if entry.image.is_adversarial)
    gallery_pictures._small.cache_clear()
    Truth.objects.get(pk=missing.image.case).stimulus.path.unlink()
    Truth.objects.get(pk=damaged.image.case).stimulus.path.write_bytes(b"no picture")
    page = render_to_string("report/_gallery.html", {"gallery": hung(films)})
    assert page.count("The file of this image is missing or damaged.") == 6
    assert page.count("<img ") == sum(len(entry.pictures) for entry in hung(films).entries) - 6


def test_the_gallery_page_names_no_patient(films: Study) -> None:
    shown = hung(films)
    page = render_to_string("report/_gallery.html", {"gallery": shown})
    assert shown.kind == "gallery"
    for entry in shown.entries:
        assert f"Stimulus {entry.image.case}, " in entry.pictures[0].alt
        assert entry.sentence in entry.pictures[0].alt
        assert entry.sentence in page
    # R1 called the second adversarial image of session 3 real, R2 not real.
    assert "Session 3: of 2 readers, 1 called it real, 1 not real, 0 unsure." in page
    assert "pathology: Malignant (altered so that the AI sees no cancer)" in page
    assert "style=" not in page
    for pseudonym in Patient.objects.values_list("pseudonym", flat=True):
        assert f"{pseudonym}<" not in page
        assert f" {pseudonym} " not in page


def test_nothing_hangs_before_the_unsealing(closed_study: Study) -> None:
    with pytest.raises(StillSealed):
        build_gallery(closed_study, ())


def test_an_empty_gallery_says_so(unsealed_study: Study) -> None:
    page = render_to_string("report/_gallery.html", {"gallery": build_gallery(unsealed_study, ())})
    assert "There are no verdicts on adversarial images" in page
    assert "<img" not in page


def test_json_has_the_numbers_and_no_pixels(films: Study) -> None:
    data = hung(films).as_dict()
    assert {"stimulus", "session", "called_real", "called_not_real", "unsure", "reason"} <= data["images"][0].keys()
    assert "base64" not in str(data)


def decoded(uri: str) -> np.ndarray:
    with Image.open(BytesIO(b64decode(uri.partition("base64,")[2]))) as picture:
        assert picture.mode == "L"
        return np.asarray(picture)
