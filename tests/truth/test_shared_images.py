"""No study is unsealed, and no seed shown, while another study reads the same images."""

from datetime import timedelta

import pytest

from readerstudy.accounts.models import Role
from readerstudy.designer.checklist.checks import check_draft
from readerstudy.protocol.templates import protocol_of_template
from readerstudy.studies.actions import close_study, draft_study
from readerstudy.studies.models import Study
from readerstudy.truth.actions import (
    confirm_unsealing,
    create_study,
    request_unsealing,
    same_draw,
    same_plan,
    unseal_study,
    withdraw_request,
)
from readerstudy.truth.seal import StillInReading, images_are_sealed_elsewhere, may_see_truth, revealed_seed
from readerstudy.truth.seeds import seed_of
from tests import make

pytestmark = pytest.mark.django_db
AT = {"at": make.MONDAY}
WHY = {"reason": "All have read."}
LATER = make.MONDAY + timedelta(hours=2)


@pytest.fixture
def closed(small, rosa, clara) -> Study:
    """A closed study that two persons unseal."""
    study = make.study(persons_to_unseal=2)
    make.join([rosa, clara], [study])
    close_study(study=study, actor=None, **WHY, **AT)
    return study


@pytest.fixture
def pair(small, rosa) -> tuple[Study, Study]:
    """Two studies with the same draw at two resolutions, both open; Rosa takes part in the first."""
    cohort = make.cohort(resolutions=("high", "low"))
    make.adversarial_images_for(cohort, resolutions=("high", "low"))
    values = {"title": "x", "at": make.MONDAY, "persons_to_unseal": 1}
    high = create_study(code="high", template="zhou2021", cohort=cohort, scale=0.03, **values)
    low = create_study(code="low", **values, **same_draw(high, resolution="low"))
    make.join([rosa], [high])
    return high, low


@pytest.mark.parametrize("first", [0, 1])
def test_no_study_is_unsealed_while_another_of_the_same_draw_is_read(pair, first):
    one, other = pair[first], pair[1 - first]
    close_study(study=one, actor=None, **WHY, **AT)
    with pytest.raises(StillInReading, match=f"{one.code} cannot be unsealed yet: .* still being read in {other.code}"):
        unseal_study(study=one, actor=None, **WHY, **AT)
    close_study(study=other, actor=None, **WHY, **AT)
    unseal_study(study=one, actor=None, **WHY, **AT)
    assert one.is_unsealed
    assert revealed_seed(one) is None
    unseal_study(study=other, actor=None, **WHY, **AT)
    assert revealed_seed(one) == revealed_seed(other) == seed_of(one)


@pytest.mark.parametrize("first", [0, 1])
def test_a_study_of_another_draw_with_some_of_the_images_hinders_too(study, rosa, first):
    second = create_study(
        code="second", title="x", cohort=study.cohort, template="zhou2021", scale=0.03, seed=8, resolution="low",
        persons_to_unseal=1, at=make.MONDAY,
    )  # fmt: skip
    one, other = ((study, second), (second, study))[first]
    close_study(study=one, actor=None, **WHY, **AT)
    with pytest.raises(StillInReading, match=other.code):
        unseal_study(study=one, actor=None, **WHY, **AT)
    close_study(study=other, actor=None, **WHY, **AT)
    unseal_study(study=one, actor=None, **WHY, **AT)
    assert revealed_seed(one) == seed_of(one)  # another draw, and no longer read


def test_a_seed_is_hidden_again_while_a_later_study_reads_the_images(study):
    close_study(study=study, actor=None, **WHY, **AT)
    unseal_study(study=study, actor=None, **WHY, **AT)
    assert revealed_seed(study) == seed_of(study)
    later = create_study(
        code="later", title="x", cohort=study.cohort, template="zhou2021", scale=0.03, resolution="low", at=make.MONDAY
    )
    assert revealed_seed(study) is None
    close_study(study=later, actor=None, **WHY, **AT)
    assert revealed_seed(study) == seed_of(study)


def test_the_other_study_is_named_only_to_its_members(pair, rosa):
    high, low = pair
    close_study(study=high, actor=None, **WHY, **AT)
    with pytest.raises(StillInReading, match="still being read in another study") as refused:
        unseal_study(study=high, actor=rosa, **WHY, **AT)
    assert "low" not in str(refused.value)
    make.join([rosa], [low])
    with pytest.raises(StillInReading, match="still being read in low"):
        unseal_study(study=high, actor=rosa, **WHY, **AT)


def test_a_rehearsal_with_the_same_images_does_not_hinder(small):
    first = make.study()
    create_study(code="copy", title="x", at=make.MONDAY, is_rehearsal=True, **same_plan(first))
    close_study(study=first, actor=None, **WHY, **AT)
    unseal_study(study=first, actor=None, **WHY, **AT)
    assert first.is_unsealed


def test_a_request_and_a_confirmation_wait_for_the_other_study_too(closed, rosa, clara):
    request_unsealing(study=closed, actor=rosa, **WHY, **AT)
    create_study(
        code="later", title="x", cohort=closed.cohort, template="zhou2021", scale=0.03, resolution="low", at=make.MONDAY
    )
    with pytest.raises(StillInReading, match="another study"):
        confirm_unsealing(study=closed, actor=clara, at=LATER)
    withdraw_request(study=closed, actor=rosa, **WHY, at=LATER)
    with pytest.raises(StillInReading):
        request_unsealing(study=closed, actor=rosa, **WHY, at=LATER)


def test_the_checklist_warns_of_both(study):
    protocol = protocol_of_template("zhou2021", words=make.MAMMOGRAPHY.words.reading, scale=0.03, resolution="low")
    sam = make.stranger("sam", Role.COORDINATOR)
    draft = draft_study(code="next", title="x", cohort=study.cohort, protocol=protocol, actor=sam, **AT)

    def advice() -> str:
        return "\n".join(line.sentence for line in check_draft(draft, told_to=sam).advice)

    assert "Two persons unseal this study, and only 1 takes part in it." in advice()
    assert "images of this cohort are being read in another study" in advice()
    make.join([sam, make.user("carl", Role.COORDINATOR)], [study, draft])
    assert "images of this cohort are being read in tiny" in advice()
    assert "Two persons unseal" not in advice()
    close_study(study=study, actor=None, **WHY, **AT)
    assert "tiny" not in advice()
    unseal_study(study=study, actor=None, **WHY, **AT)
    assert "was unsealed in tiny" in advice()


def test_a_rehearsal_is_unsealed_while_its_study_is_read_but_names_no_image(small, rosa):
    first = make.study("first")
    copy = create_study(code="first-rehearsal", title="x", is_rehearsal=True, **AT, **same_plan(first))
    make.join([rosa], [first, copy])
    close_study(study=copy, actor=None, **WHY, **AT)
    unseal_study(study=copy, actor=rosa, **WHY, **AT)
    assert Study.objects.get(code="first-rehearsal").is_unsealed
    assert images_are_sealed_elsewhere(copy)
    assert not may_see_truth(copy, rosa), "its rows would tell which images of the first are adversarial"
    close_study(study=first, actor=None, **WHY, **AT)
    assert not may_see_truth(copy, rosa)
    unseal_study(study=first, actor=rosa, **WHY, **AT)
    assert may_see_truth(copy, rosa)
