"""The size of a study in a browser: assumptions, a plot, and what the plan keeps."""

import pytest
from playwright.sync_api import expect

from readerstudy.accounts.models import Role
from readerstudy.protocol.templates import protocol_of_template
from readerstudy.studies.actions import draft_study
from tests import make
from tests.browser.test_designer import look


@pytest.fixture
def draft(study, people):
    """A draft of the article's size."""
    protocol = protocol_of_template("zhou2021", words=study.cohort.modality.words.reading)
    code = f"sized-{next(people)}"
    return draft_study(code=code, title="Sized", cohort=study.cohort, protocol=protocol, actor=None, at=make.MONDAY)


def test_a_coordinator_determines_and_keeps_the_size(page, server, sign_in, people, draft):
    sign_in(page.context, make.user(f"sizer-{next(people)}", Role.COORDINATOR))
    page.goto(f"{server.url}/desk/studies/{draft.code}/design/")
    page.get_by_role("link", name="Size", exact=True).click()
    expect(page.get_by_role("heading", name="Power by readers and images")).to_be_visible()
    page.get_by_label("Readers", exact=True).fill("12")
    page.get_by_label("Source of these values").fill("A pilot")
    page.get_by_role("button", name="Compute").click()
    expect(page).to_have_url(
        f"{server.url}/desk/studies/{draft.code}/sizing/?readers=12&difference=0.1"
        "&right=0.6&unsure=0.1&sd_readers=0.05&correlation=0.15&patient_correlation=0.0"
        f"&images_per_patient={page.get_by_label('Images of a patient').input_value()}"
        "&source=A+pilot&runs=1000"
    )
    barriers = look(page, "sizing")
    page.get_by_role("button", name="Keep in the plan").click()
    expect(page.get_by_text("Source of the assumptions: A pilot.")).to_be_visible()
    draft.refresh_from_db()
    assert draft.protocol.analysis.sizing.readers == 12
    barriers += look(page, "sizing-kept")
    assert not barriers
