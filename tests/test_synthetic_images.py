"""Synthetic images in a study: drawn, read, reported, exported, and shown in the lab without a real image."""

from dataclasses import replace

import pytest
from django.urls import reverse

from readerstudy.accounts.models import Role
from readerstudy.analysis.queries.conduct import study_conduct
from readerstudy.analysis.queries.study import study_record
from readerstudy.analysis.tables.article import table_2
from readerstudy.analysis.tables.study_conduct import _source_rows
from readerstudy.api.dataset import lines_of, readings_of
from readerstudy.errors import StudyError
from readerstudy.experiments.catalogue import EVALUATE
from readerstudy.experiments.check import InvalidParameter, check_parameters
from readerstudy.experiments.models import Checkpoint, CheckpointKind
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.templates import protocol_of_template
from readerstudy.studies.actions import close_study
from readerstudy.studies.models import Allocation, Study
from readerstudy.truth.actions import create_study, exclude_image, unseal_study
from readerstudy.truth.models import Truth
from readerstudy.truth.queries import adversarial_images
from tests import make, walk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small")]


@pytest.fixture
def study() -> Study:
    """A study whose blinded sessions show synthetic images, and whose education shows pairs."""
    cohort = make.cohort()
    make.adversarial_images_for(cohort, attack="pairs")
    make.synthetic_images_for(cohort)
    words = MAMMOGRAPHY.words.reading
    protocol = protocol_of_template("zhou2021", words=words, scale=0.03, resolution="low", attacks=("made",))
    education = replace(protocol.sessions[3], attacks=("pairs",))
    sessions = (*protocol.sessions[:3], education, protocol.sessions[4])
    return create_study(
        code="synth", title="Whole images", cohort=cohort, protocol=replace(protocol, sessions=sessions), seed=7,
        at=make.MONDAY, persons_to_unseal=1,
    )  # fmt: skip


def test_a_study_of_synthetic_images_is_read_and_reported(study, rosa, client):
    shown = Truth.objects.filter(
        stimulus__in=Allocation.objects.filter(session_plan__number__in=(3, 5)).values("stimulus")
    )
    adversarial = shown.filter(authenticity="adversarial")
    assert set(adversarial.values_list("generator", "source_image")) == {("made", None)}
    assert shown.filter(authenticity="real").count() == adversarial.count() == 14
    make.join([rosa], [study])
    walk.finish_study(walk.client_of(make.reader_in(study)), study.code)
    client.force_login(rosa)
    number = adversarial.values_list("pk", flat=True)[0]
    assert client.get(reverse("lab:stimulus", args=[number])).status_code == 404  # sealed
    close_study(study=study, actor=rosa, reason="All have read.", at=make.MONDAY)
    unseal_study(study=study, actor=rosa, reason="Rita has finished.", at=make.MONDAY)

    conduct = study_conduct(study)
    generators = [text for label, text in _source_rows(conduct, AnalysisPlan()) if label == "Generator"]
    assert "made: synthetic images made elsewhere and imported as files" in generators
    assert sum(split.patients for split in conduct.cohort.splits) == 22
    report = client.get(f"/report/{study.code}/").content.decode()
    assert "synthetic ones show no patient" in report
    assert "Synthetic images have no source image: they count by the pathology that they show." in report
    # The pairs of its education have source images; without them nothing is said of any.
    source = "count by the pathology of their source image"
    record = study_record(study)
    made = tuple(run for run in record.conduct.generators if run.is_synthetic)
    alone = replace(record, conduct=replace(record.conduct, generators=made, attacks=()))
    assert source in report
    assert [source in table_2(each).caption for each in (record, alone)] == [True, False]
    lines = list(lines_of(study, readings_of(study), sighted=True))
    made = [line for line in lines if line["authenticity"] == "adversarial"]
    assert len(made) == 14
    assert {line["direction"] for line in made} == {""}
    assert {line["pathology"] for line in made} == {"positive", "normal"}


@pytest.mark.parametrize(("language", "word"), [("en", "Synthetic"), ("de", "Synthetisch")])
def test_the_lab_shows_a_synthetic_image_alone(client, rosa, language, word):
    make.synthetic_images_for(make.cohort(), count=1)
    truth = Truth.objects.get(generator="made")
    client.force_login(rosa)
    language = {"Accept-Language": language}
    for address in (reverse("lab:stimuli"), reverse("lab:stimulus", args=[truth.pk])):
        text = client.get(address, headers=language).content.decode()
        assert word in text
        assert reverse("lab:picture", args=[truth.pk, "adversarial"]) in text
        assert reverse("lab:picture", args=[truth.pk, "real"]) not in text
    assert client.get(reverse("lab:picture", args=[truth.pk, "adversarial"])).status_code == 200
    assert client.get(reverse("lab:picture", args=[truth.pk, "difference"])).status_code == 404
    assert client.get(reverse("lab:full-size", args=[truth.pk, "real"])).status_code == 404
    assert client.get(reverse("lab:attack", args=["made"]), headers=language).status_code == 200


def test_a_synthetic_image_can_be_excluded_until_a_study_draws_it(study, rosa):
    made = Truth.objects.filter(generator="made").select_related("stimulus")
    drawn = made.filter(stimulus__in=Allocation.objects.values("stimulus"))
    free = made.exclude(pk__in=drawn.values("pk"))[0]
    exclude_image(stimulus=free.stimulus, actor=rosa, reason="It shows two breasts.", at=make.MONDAY)
    assert free.stimulus.image_id not in adversarial_images(study.cohort, "low", ["made"])
    with pytest.raises(StudyError, match="was drawn with this image"):
        exclude_image(stimulus=drawn[0].stimulus, actor=rosa, reason="Too late.", at=make.MONDAY)


def test_no_classifier_is_evaluated_on_images_without_a_real_one():
    cohort = make.cohort()
    make.synthetic_images_for(cohort, count=1)
    names = {"name": "target", "kind": CheckpointKind.CLASSIFIER, "cohort": cohort.name, "preset": "low"}
    Checkpoint.objects.create(**names, seed=1, split_hash="", code_version="", folder="", made_at=make.MONDAY)
    with pytest.raises(InvalidParameter, match="the images of made are synthetic"):
        check_parameters(EVALUATE, {"cohort": cohort.name, "classifiers": ["target"], "attacks": ["made"]})


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.READER])
def test_nobody_else_reaches_the_gallery(client, role):
    make.synthetic_images_for(make.cohort(), count=1)
    client.force_login(make.user("carla", role))
    assert client.get(reverse("lab:stimulus", args=[Truth.objects.get(generator="made").pk])).status_code == 403
