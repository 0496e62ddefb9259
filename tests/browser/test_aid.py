"""The aid beside the image: in the same frame as the image, always at the same place, and in the paradata."""

import pytest
from playwright.sync_api import expect

from readerstudy.protocol.document import Protocol, ProtocolSession
from readerstudy.protocol.rules import Aid, DisplayCheck, SessionRules
from readerstudy.protocol.sessions import SessionKind
from readerstudy.studies.models import DisplayedAid
from readerstudy.truth.actions import create_study
from tests import make, results
from tests.browser.room import Room
from tests.browser.test_page import complaints

PARTS = ("#aid", "#aid-title", "#aid-score", "#aid svg", "#aid-side", "#aid .quiet")


@pytest.fixture(scope="module")
def aided_study(study):
    films = make.cohort("films-with-scores")
    make.adversarial_images_for(films)
    results.score_everything(films.name, score=lambda stimulus: (stimulus.pk % 997) / 997)
    rules = SessionRules(aid=Aid.SCORE, display_check=DisplayCheck.OFF)
    aided = ProtocolSession(SessionKind.BLINDED, "Aided", real=2, adversarial=2, splits=("tuning", "test"), rules=rules)
    return create_study(
        code="with-scores", title="With scores", cohort=films, protocol=Protocol((aided,)), at=make.MONDAY
    )


def places(page):
    return {part: page.locator(part).bounding_box() for part in PARTS}


@pytest.mark.parametrize("width", [1280, 1920])
def test_the_score_is_there_with_the_image_and_never_moves(page, context, server, aided_study, people, sign_in, width):
    reader = make.reader_in(aided_study, f"aida-{next(people)}")
    sign_in(context, reader)
    page.set_viewport_size({"width": width, "height": width * 10 // 16})
    room = Room(page, server.url, aided_study.code, reader)
    page.goto(room.address(1))
    expect(page.get_by_text("The system can be wrong.")).to_be_visible()
    room.begin()
    seen = []
    for position in (1, 2):
        room.stands_at(position)
        kept = DisplayedAid.objects.get(stimulus=room.presentation(1, position).stimulus_id)
        side = "Above the threshold of 0.37" if kept.is_above else "Not above the threshold of 0.37"
        expect(page.locator("#aid-score")).to_have_text(f"{kept.score:.2f}")
        expect(page.locator("#aid-side")).to_have_text(side)
        bar = page.locator("#aid .bar")
        assert float(bar.get_attribute("width")) == pytest.approx(100 * float(kept.score))
        assert complaints(page) == []
        seen.append(places(page))
        room.press("1")
    room.stands_at(3)
    assert seen[0] == seen[1] == places(page)
    assert seen[0]["#aid"]["x"] + seen[0]["#aid"]["width"] == width
    assert [reading.paradata["aid_shown"] for reading in room.readings(1)] == [True, True]
    assert room.mishaps == []
