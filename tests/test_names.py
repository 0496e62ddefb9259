"""Names that would break addresses, files or command lines are rejected by actions and by the database."""

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from readerstudy.cohort.models import Cohort
from readerstudy.cohort.storage import ensure_cohort
from readerstudy.errors import BadInput
from readerstudy.experiments.models import Attack
from readerstudy.modalities import DEFAULT
from readerstudy.names import MAXIMUM_LENGTH, name_error
from readerstudy.studies.models import Study
from readerstudy.truth.actions import create_study
from tests import make
from tests.lab.conftest import checkpoint

BAD = ["", "a b", "a/b", "ä", "-a", "a.b", "a\n", "a\0", "x" * (MAXIMUM_LENGTH + 1), "../a"]


@pytest.mark.parametrize("name", BAD)
def test_a_bad_name_breaks_the_rule(name):
    assert name_error(name)


@pytest.mark.parametrize("name", ["a", "A-1_b", "0", "_x", "x" * MAXIMUM_LENGTH])
def test_a_good_name_follows_the_rule(name):
    assert name_error(name) == ""


@pytest.mark.parametrize("name", BAD)
@pytest.mark.django_db
def test_a_cohort_of_a_bad_name_is_not_created(name):
    with pytest.raises(BadInput, match=r"^cohort .*use letters"):
        ensure_cohort(name, modality=DEFAULT, seed=1, fractions=[0.8, 0.1, 0.1], resolutions=["low"], at=make.MONDAY)
    assert not Cohort.objects.exists()


@pytest.mark.parametrize("code", [*BAD, "x" * 60])
@pytest.mark.django_db
def test_a_study_of_a_bad_code_is_not_created(code, small):
    films = make.cohort()
    make.adversarial_images_for(films)
    with pytest.raises(BadInput, match=r"^code .*use letters"):
        create_study(code=code, title="x", template="zhou2021", cohort=films, at=make.MONDAY, scale=0.03)
    assert not Study.objects.exists()


@pytest.mark.parametrize("title", ["", "  ", "x" * 121, "a\0"])
@pytest.mark.django_db
def test_a_study_of_a_bad_title_is_not_created(title, small):
    with pytest.raises(BadInput, match=r"^title: must be a text of at most 120 characters\."):
        create_study(code="a", title=title, template="zhou2021", cohort=make.cohort(), at=make.MONDAY, scale=0.03)


@pytest.mark.django_db
def test_the_database_rejects_bad_names(study):
    with pytest.raises(IntegrityError, match="study_code_follows_rule"):
        Study.objects.filter(pk=study.pk).update(code="a b")


@pytest.mark.django_db
def test_the_database_rejects_bad_names_of_cohorts():
    with pytest.raises(IntegrityError, match="cohort_name_follows_rule"):
        Cohort.objects.create(name="a/b", seed=1, created_at=make.MONDAY)


@pytest.mark.django_db
def test_the_database_rejects_bad_names_of_runs():
    with pytest.raises(IntegrityError, match="checkpoint_name_follows_rule"):
        checkpoint("a b", "classifier")


@pytest.mark.django_db
def test_the_database_rejects_bad_names_of_attacks():
    row = {"method": "pgd", "seed": 1, "code_version": "1", "cohort": "films", "made_at": make.MONDAY}
    with pytest.raises(IntegrityError, match="attack_name_follows_rule"):
        Attack.objects.create(name="a b", **row)


@pytest.mark.parametrize("patients", [999999999999, 0, -3])
def test_too_many_or_no_phantoms_end_in_an_error_message(patients):
    with pytest.raises(CommandError, match="1 to 100000 patients"):
        call_command("make_phantoms", "x", patients=patients)


@pytest.mark.parametrize("seed", ["-1", "1.5", "9" * 20])
def test_a_seed_that_cannot_be_stored_ends_in_an_error_message(seed):
    with pytest.raises(CommandError, match=r"argument --seed: .* is not a whole number from 0 to"):
        call_command("make_phantoms", "x", "--patients=3", f"--seed={seed}")
