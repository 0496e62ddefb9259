"""Neither keys nor the files' places on the disk tell real from adversarial once a study is drawn."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command

from readerstudy.cohort import rewriting
from readerstudy.cohort.models import Cohort, Stimulus
from readerstudy.cohort.storage import write_media
from readerstudy.errors import StudyError
from readerstudy.imaging.difference import signed_difference
from readerstudy.imaging.grey_levels import find_levels, snap_to_levels
from readerstudy.imaging.png16 import decode_png, encode_png
from readerstudy.rehearsal.storage_features import storage_facts
from readerstudy.statistics.separability import feature_auc
from readerstudy.studies.models import Allocation, Presentation, Study
from readerstudy.truth.actions import AttackProvenance, create_study, register_adversarial_image
from readerstudy.truth.models import Truth
from readerstudy.truth.queries import real_images
from readerstudy.vocabulary import Direction
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small")]
STANDARD_ERRORS = 5  # chance alone goes further in one of two million


@pytest.fixture
def films() -> Cohort:
    """44 real images and, written after all of them, the adversarial image of each on the grid of its source."""
    cohort = make.cohort()
    for picture in real_images(cohort, "low"):
        direction = Direction.REMOVE if picture.label else Direction.INSERT
        real = decode_png(picture.path)
        altered = snap_to_levels(make.altered_copy(real, direction), find_levels(real))
        register_adversarial_image(
            Stimulus.objects.get(pk=picture.stimulus_id),
            picture=write_media(encode_png(altered)),
            difference=write_media(encode_png(signed_difference(real, altered))),
            provenance=AttackProvenance(direction=direction, generator=f"gan-{direction.value}", seed=1),
        )
    return cohort


PGD = ["pgd-insert", "pgd-remove"]  # of `make.adversarial_images_for(films, prefix="pgd")`


def draw(films: Cohort, code: str = "tiny", **changes) -> Study:
    values = {"title": "x", "template": "zhou2021", "seed": 7, "at": make.MONDAY, "resolution": "low", "scale": 0.03}
    return create_study(code=code, cohort=films, **{**values, **changes})


def told(films: Cohort) -> dict[str, float]:
    """How well each fact tells adversarial from real over the whole cohort: AUC."""
    truths = Truth.objects.filter(stimulus__image__exam__patient__cohort=films).select_related("stimulus")
    labels = np.array([int(truth.authenticity == "adversarial") for truth in truths])
    facts = [
        {**storage_facts(truth.stimulus), "size of the file": float(truth.stimulus.path.stat().st_size)}
        for truth in truths
    ]
    return {name: feature_auc(np.array([each[name] for each in facts]), labels) for name in facts[0]}


def contents() -> dict[str, str]:
    """SHA-256 of every stimulus file, by name; and nothing else lies there."""
    files = {stimulus.file: stimulus.path for stimulus in Stimulus.objects.all()}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}


def drafts(settings) -> list[Path]:
    return list(settings.MEDIA_ROOT.rglob("*.part"))


def test_nothing_about_keys_and_files_tells_in_a_drawn_study(films):
    draw(films)
    bound = STANDARD_ERRORS * np.sqrt((44 + 44 + 1) / (12 * 44 * 44))  # of the Mann-Whitney statistic, at chance
    assert bound < 0.32
    assert {name: auc for name, auc in told(films).items() if abs(auc - 0.5) > bound} == {}


def test_before_the_draw_the_disk_tells(films):
    """Otherwise the test above would show nothing."""
    assert told(films)["time of change"] > 0.99


def test_keys_are_random_and_no_row_takes_another_s_place(films):
    keys = sorted(Stimulus.objects.values_list("pk", flat=True))
    assert keys[0] > 0
    assert keys[-1] < 2**63
    assert np.diff(keys).min() > 1
    first = Stimulus.objects.first()
    with pytest.raises(Exception, match="duplicate key"):
        Stimulus.objects.create(
            pk=first.pk, image=first.image, resolution="low", rows=1, columns=1, file="x.png", bytes=1
        )


def test_the_rows_of_a_study_are_in_the_order_of_positions_which_is_shuffled(films):
    study = draw(films)
    make.reader_in(study)
    for rows in (Allocation.objects.order_by("pk"), Presentation.objects.order_by("pk")):
        plans = "session_plan" if rows.model is Allocation else "reading_list__session_plan"
        places = list(rows.values_list(f"{plans}__number", "position"))
        assert places == sorted(places)


def test_the_draw_does_not_depend_on_the_keys(films):
    def drawn(study: Study) -> list:
        rows = Allocation.objects.filter(session_plan__study=study).order_by("session_plan__number", "position")
        return list(rows.values_list("stimulus__sha256", flat=True))

    before = drawn(draw(films))
    make.renumber_stimuli()
    assert drawn(draw(films, "again")) == before


def test_rewriting_changes_no_name_and_no_content(films, settings):
    before = contents()
    assert before == {stimulus.file: stimulus.sha256 for stimulus in Stimulus.objects.all()}
    draw(films)
    assert contents() == before
    assert {stimulus.path.stat().st_mtime for stimulus in Stimulus.objects.all()} == {0.0}
    assert not drafts(settings)


def test_a_second_study_rewrites_only_what_came_after_the_first(films):
    counts: list[int] = []
    draw(films, progress=lambda done, total: counts.append(total))
    assert counts == [88] * 88
    counts.clear()
    draw(films, "second", progress=lambda done, total: counts.append(total))
    assert counts == []
    make.adversarial_images_for(films, prefix="pgd")
    draw(films, "third", generators=PGD, progress=lambda done, total: counts.append(total))
    assert counts == [132] * 132


def test_who_holds_an_open_study_s_path_can_read_it_at_any_moment(films):
    study = draw(films)
    make.adversarial_images_for(films, prefix="pgd")
    held = [row.stimulus for row in Allocation.objects.filter(session_plan__study=study).select_related("stimulus")]

    def read(done: int, total: int) -> None:
        stimulus = held[done % len(held)]
        assert hashlib.sha256(stimulus.path.read_bytes()).hexdigest() == stimulus.sha256

    draw(films, "other", generators=PGD, progress=read)
    assert [row.path.stat().st_size for row in held] == [row.bytes for row in held]


def test_an_interruption_loses_no_file_and_the_next_draw_does_it_all(films, settings, monkeypatch):
    before = contents()
    replace, done = Path.replace, []

    def cut_off(self, target):
        done.append(target)
        if len(done) == 30:
            raise KeyboardInterrupt
        return replace(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", cut_off)
        with pytest.raises(KeyboardInterrupt):
            draw(films)
    assert contents() == before
    assert not Study.objects.exists()
    assert not drafts(settings)
    draw(films)
    assert contents() == before
    assert not drafts(settings)
    assert abs(told(films)["time of change"] - 0.5) < 0.32


def test_a_full_disk_is_reported_and_no_study_is_created(films, monkeypatch):
    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(rewriting, "replace_file", full)
    with pytest.raises(StudyError, match="No space left on device"):
        draw(films)
    assert not Study.objects.exists()


def test_a_file_that_is_missing_does_not_stop_the_draw_of_others(films):
    study = draw(films)
    drawn = Allocation.objects.filter(session_plan__study=study).values("stimulus__image")
    unused = Stimulus.objects.exclude(image__in=drawn).first()
    unused.path.unlink()
    Cohort.objects.update(rewritten_files=0)
    draw(films, "again")
    assert not unused.path.exists()


def test_the_command_shows_progress(films, capfd):
    call_command("create_study", code="tiny", cohort=films.name, scale=0.03)
    assert "Drawing the study: 100 % image files rewritten in random order" in capfd.readouterr().err
