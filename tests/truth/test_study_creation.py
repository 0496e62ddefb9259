"""A study is drawn from the sealed key once, or not at all."""

import pytest
from django.core.management import CommandError, call_command

from readerstudy.audit.models import Event
from readerstudy.errors import BadInput, StudyError
from readerstudy.studies.actions import enroll
from readerstudy.studies.models import Allocation, Presentation, SessionPlan, Study
from readerstudy.truth.actions import create_study, same_draw, unseal_study
from readerstudy.truth.models import Truth, Unsealing
from readerstudy.truth.seeds import seed_of
from readerstudy.truth.strata import CohortTooSmall
from readerstudy.vocabulary import Direction
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small")]


def test_no_image_serves_twice_in_a_study(study):
    images = list(Allocation.objects.values_list("stimulus__image_id", flat=True))
    assert len(images) == len(set(images)) == sum(plan.total for plan in SessionPlan.objects.all())


def test_half_of_a_mixed_session_is_adversarial(study):
    adversarial = set(Truth.objects.filter(authenticity="adversarial").values_list("stimulus_id", flat=True))
    for plan in SessionPlan.objects.filter(number__in=(3, 5)):
        stimuli = plan.allocations.values_list("stimulus_id", flat=True)
        assert sum(stimulus in adversarial for stimulus in stimuli) * 2 == plan.total
    for plan in SessionPlan.objects.filter(number__in=(1, 2, 4)):
        assert not adversarial & set(plan.allocations.values_list("stimulus_id", flat=True))


def test_the_same_seed_on_the_same_cohort_draws_the_same_lists(study):
    again = create_study(
        code="again", title="Again", template="zhou2021", cohort=study.cohort, seed=seed_of(study), at=make.MONDAY,
        scale=study.plan["scale"], resolution="low",
    )  # fmt: skip

    def drawn(of: Study):
        return list(
            Allocation.objects.filter(session_plan__study=of)
            .order_by("session_plan__number", "position")
            .values_list("session_plan__number", "position", "stimulus_id")
        )

    assert drawn(again) == drawn(study)


def test_the_low_resolution_arm_reads_the_same_images_in_the_same_order():
    films = make.cohort(resolutions=("high", "low"))
    make.adversarial_images_for(films, resolutions=("high", "low"))
    plan = {"title": "x", "template": "zhou2021", "cohort": films, "scale": 0.03, "at": make.MONDAY}
    high = create_study(code="high", resolution="high", **plan)
    call_command("create_study", code="low", same_draw_as="high")
    drawn = {
        code: list(
            Allocation.objects.filter(session_plan__study__code=code)
            .order_by("session_plan__number", "position")
            .values_list("stimulus__image_id", "stimulus__resolution")
        )
        for code in ("high", "low")
    }
    assert [image for image, _ in drawn["high"]] == [image for image, _ in drawn["low"]]
    assert {resolution for _, resolution in drawn["low"]} == {"low"}
    with pytest.raises(BadInput, match="name the other one"):
        same_draw(high, resolution="high")
    with pytest.raises(CommandError, match="--cohort NAME, or --same-draw-as CODE"):
        call_command("create_study")


def test_without_a_seed_every_study_gets_a_secret_one_of_its_own(study):
    drawn = [
        create_study(
            code=code,
            title=code,
            template="zhou2021",
            cohort=study.cohort,
            at=make.MONDAY,
            scale=0.03,
            resolution="low",
        )
        for code in ("one", "two")
    ]
    seeds = [seed_of(each) for each in drawn]
    assert len(set(seeds)) == 2
    assert min(seeds) > 2**32
    assert not [event for event in Event.objects.all() if str(seeds[0]) in str(event.data)]


def test_a_cohort_that_is_too_small_creates_nothing():
    films = make.cohort()
    make.adversarial_images_for(films)
    with pytest.raises(CohortTooSmall, match="session 1 lacks"):
        create_study(code="x", title="x", template="zhou2021", cohort=films, seed=1, at=make.MONDAY, resolution="low")
    assert not Study.objects.exists()


def test_a_cohort_without_adversarial_images_says_so():
    with pytest.raises(StudyError, match="generate_stimuli"):
        create_study(
            code="x", title="x", template="zhou2021", cohort=make.cohort(), seed=1, at=make.MONDAY, resolution="low"
        )


@pytest.mark.parametrize(("change", "named"), [({"scale": 0.0}, "scale"), ({"template": "none"}, "template")])
def test_a_wrong_plan_is_refused_by_name(change, named):
    films = make.cohort()
    with pytest.raises(BadInput, match=named):
        create_study(
            **{
                "code": "x",
                "title": "x",
                "template": "zhou2021",
                "cohort": films,
                "seed": 1,
                "at": make.MONDAY,
                **change,
            }
        )


def test_every_image_answer_is_longer_than_any_file_of_the_study(study):
    files = [t.stimulus.bytes for t in Truth.objects.all()] + [t.difference_bytes or 0 for t in Truth.objects.all()]
    assert study.image_bytes > max(files)
    assert study.image_bytes % 65536 == 0


def test_only_readers_are_enrolled_and_only_once(study, rita, clara):
    with pytest.raises(BadInput, match="only readers"):
        enroll(study=study, reader=clara, at=make.MONDAY)
    with pytest.raises(BadInput, match="already"):
        enroll(study=study, reader=rita, at=make.MONDAY)
    assert Presentation.objects.count() == Allocation.objects.count()


def test_unsealing_needs_a_closed_study_a_researcher_and_a_reason(study, rosa, clara):
    attempt = {"study": study, "actor": rosa, "reason": "All have read.", "at": make.MONDAY}
    with pytest.raises(StudyError, match="not closed"):
        unseal_study(**attempt)
    study.close(at=make.MONDAY)
    with pytest.raises(StudyError, match="researcher"):
        unseal_study(**{**attempt, "actor": clara})
    with pytest.raises(StudyError, match="why"):
        unseal_study(**{**attempt, "reason": " "})
    assert not Unsealing.objects.exists()
    unseal_study(**attempt)
    study.refresh_from_db()
    assert study.status == "unsealed"
    with pytest.raises(StudyError):
        unseal_study(**attempt)


# --- the attack to draw from ----------------------------------------------------------------------------------
@pytest.fixture
def films(small):
    films = make.cohort()
    make.adversarial_images_for(films)
    return films


def new_study(*options: str) -> Study:
    call_command("create_study", "--cohort=films", "--code=newer", "--scale=0.03", *options)
    return Study.objects.get(code="newer")


def test_the_only_attacks_are_drawn_from(films):
    assert new_study().plan["generators"] == ["gan-insert", "gan-remove"]


def test_with_several_attacks_the_command_names_them_and_stops(films):
    make.adversarial_images_for(films, attack="pgd-4")
    with pytest.raises(
        CommandError, match=r"Several attacks insert the finding at low resolution: gan-insert, pgd-4\."
    ):
        new_study()
    assert not Study.objects.exists()


def test_a_study_draws_from_the_attack_that_is_named(films):
    make.adversarial_images_for(films, attack="pgd-4")
    study = new_study("--attack=pgd-4")
    assert study.plan["generators"] == ["pgd-4"]
    shown = Truth.objects.filter(
        stimulus__in=Allocation.objects.filter(session_plan__study=study).values("stimulus"),
        authenticity="adversarial",
    )
    assert set(shown.values_list("generator", flat=True)) == {"pgd-4"}


def test_an_attack_of_one_direction_needs_another_beside_it(films):
    make.adversarial_images_for(films, attack="second", directions=[Direction.INSERT])
    with pytest.raises(CommandError, match=r"no adversarial images \(remove\) at low resolution of second"):
        new_study("--attack=second")
    assert new_study("--attack=second", "--attack=gan-remove").plan["generators"] == ["second", "gan-remove"]


def test_two_attacks_of_one_direction_cannot_both_be_drawn_from(films):
    make.adversarial_images_for(films, attack="second", directions=[Direction.INSERT])
    with pytest.raises(CommandError, match="Several attacks insert the finding"):
        new_study("--attack=second", "--attack=gan-insert", "--attack=gan-remove")


def test_an_unknown_attack_is_named(films):
    with pytest.raises(CommandError, match="no adversarial images of nobody at low resolution; it has those of: gan-i"):
        new_study("--attack=nobody")
