"""From pairs of files that another program made to a study, its triptychs, its report, the lab and the API."""

import numpy as np
import pytest
from django.urls import reverse
from django.utils.translation import override

from readerstudy.accounts.models import Role
from readerstudy.analysis.queries.conduct import study_conduct
from readerstudy.analysis.tables.study_conduct import _source_rows
from readerstudy.cohort.models import Cohort
from readerstudy.imaging.image import Pixels
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.reading.models import Reading
from readerstudy.studies.actions import close_study
from readerstudy.truth.actions import ImportOptions, create_study, import_adversarial_images, unseal_study
from readerstudy.truth.models import Truth
from readerstudy.vocabulary import Direction
from tests import make, walk
from tests.sources.make_files import write_png, write_table

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small")]
DESCRIPTION = "A diffusion network, 50 steps."


def draw_spot(pixels: Pixels, sign: int) -> np.ndarray:
    y, x = np.mgrid[: pixels.values.shape[0], : pixels.values.shape[1]]
    spot = np.exp(-((y - 48) ** 2 + (x - 20) ** 2) / (2 * 6.0**2))
    return np.clip(pixels.values + sign * 500 * spot, 0, 4095).astype(np.uint16)


@pytest.fixture
def imported(tmp_path) -> Cohort:
    """A cohort whose adversarial images were all made elsewhere."""
    cohort = make.cohort()
    rows = []
    for number, image in enumerate(make.found().images):
        pixels = make.drawn(number)
        sign = -1 if image.pathology == "positive" else 1
        write_png(tmp_path / f"real-{number}.png", pixels.values, significant_bits=12)
        write_png(tmp_path / f"altered-{number}.png", draw_spot(pixels, sign), significant_bits=12)
        rows.append(f"real-{number}.png,altered-{number}.png")
    result = import_adversarial_images(
        cohort=cohort,
        table=write_table(tmp_path, rows, header="real,adversarial"),
        options=ImportOptions("theirs", DESCRIPTION, "Group B"),
        at=make.MONDAY,
        actor=None,
        processes=1,
    )
    assert result.is_stored
    return cohort


def new_study(cohort: Cohort, **changes):
    values = {"code": "tiny", "title": "A tiny study", "template": "zhou2021", "scale": 0.03, "seed": 7}
    values["persons_to_unseal"] = 1
    return create_study(cohort=cohort, at=make.MONDAY, resolution="low", **{**values, **changes})


def test_a_study_of_imported_images_is_read_and_reported(imported, rosa):
    study = new_study(imported, generators=["theirs"])
    make.join([rosa], [study])
    rita = make.reader_in(study)
    assert walk.finish_study(walk.client_of(rita), study.code) == Reading.objects.count() > 0
    close_study(study=study, actor=rosa, reason="All have read.", at=make.MONDAY)
    unseal_study(study=study, actor=rosa, reason="Rita has finished.", at=make.MONDAY)
    (run,) = study_conduct(study).generators
    assert (run.is_imported, run.made_by, run.description) == (True, "Group B", DESCRIPTION)
    rows = dict(row for row in _source_rows(study_conduct(study), AnalysisPlan()))
    assert rows["Generator"] == f"theirs: images made elsewhere, by Group B, and imported as files (“{DESCRIPTION}”)"


def test_the_education_shows_triptychs_of_imported_pairs(imported):
    study = new_study(imported)
    client = walk.client_of(make.reader_in(study))
    for number in (1, 2, 3):
        walk.finish_session(client, study.code, number)
    step = walk.open_session(client, study.code, 4)
    assert step["kind"] == "teach"
    panels = [client.get(step["images"][panel]) for panel in ("real", "adversarial", "difference")]
    assert [panel.status_code for panel in panels] == [200] * 3
    assert len({len(panel.content) for panel in panels}) == 1


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["Made elsewhere", "Group B", DESCRIPTION, "What would give these images away", "AUC"]),
        ("de", ["Anderswo erzeugt", "Group B", DESCRIPTION, "Was diese Bilder verraten würde", "Rauschen im Gewebe"]),
    ],
)
def test_the_lab_shows_where_the_images_come_from(imported, client, rosa, language, words):
    client.force_login(rosa)
    with override(language):
        page = client.get(reverse("lab:attack", args=["theirs"]), headers={"Accept-Language": language})
        text = page.content.decode()
        assert [word for word in words if word not in text] == []
        gallery = client.get(reverse("lab:stimuli"), headers={"Accept-Language": language}).content.decode()
        assert "theirs" in gallery
        number = Truth.objects.filter(generator="theirs").values_list("pk", flat=True)[0]
        assert client.get(reverse("lab:stimulus", args=[number])).status_code == 200


@pytest.mark.parametrize("role", [Role.READER, Role.COORDINATOR])
def test_nobody_else_sees_what_gives_the_images_away(imported, client, role):
    person = make.user("carla", role)
    client.force_login(person)
    assert client.get(reverse("lab:attack", args=["theirs"])).status_code == 403
    assert walk.client_of(person).get("/api/v1/attacks/").status_code == 403


def test_programs_get_provenance_and_findings(imported, rosa):
    (attack,) = walk.client_of(rosa).get("/api/v1/attacks/").json()["results"]
    assert (attack["method"], attack["seed"], attack["direction"]) == ("imported", None, "")
    assert attack["settings"]["made_by"] == "Group B"
    assert set(attack["tells"]) == {"pairs", "real_images", "findings", "facts", "combined", "format"}
    assert set(Truth.objects.exclude(direction="").values_list("direction", flat=True)) == set(Direction)
