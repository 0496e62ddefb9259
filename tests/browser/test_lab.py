"""The lab in a browser: no barriers, nothing scrolls sideways, and a job's page follows the job by itself."""

import pytest
from django.utils.timezone import now
from playwright.sync_api import expect

from readerstudy.accounts.models import Role
from readerstudy.cohort.storage import ensure_cohort
from readerstudy.experiments.models import CheckpointKind
from readerstudy.jobs.heartbeat import new_worker_name
from readerstudy.jobs.models import Job
from readerstudy.jobs.progress_log import Point, ProgressLog
from readerstudy.jobs.queue import new_job
from readerstudy.modalities import MODALITIES
from readerstudy.results.progress import Activity, ActivityKind, ProgressReport
from tests import make, results
from tests.browser.test_page import complaints
from tests.lab.conftest import checkpoint

PAGES = ("/lab/", "/lab/start/train-classifier/", "/lab/start/attack/", "/lab/runs/", "/lab/stimuli/")


@pytest.fixture
def job(study, settings, tmp_path) -> Job:
    """A job that runs here, ten steps far."""
    settings.JOBS_DIR = tmp_path / "jobs"
    job = new_job("train-gan", {"name": tmp_path.name}, requested_by=None, at=now())
    job.claim(worker=new_worker_name(), at=now())
    reach(job, *range(1, 11))
    yield job
    job.fail("The test is over.", at=now())


def reach(job: Job, *steps: int) -> None:
    for step in steps:
        activity, values = Activity(ActivityKind.TRAINING_GAN, stage=1 + step // 8, stages=5), {"gap": 1 / step}
        ProgressLog(job.pk).add(Point(step, 40, activity, float(step), values), at=now())
        job.advance(step, 40, ProgressReport(activity, values))


@pytest.fixture
def lab(page, server, sign_in, job, people):
    """Rosa's browser, without a mishap till the end."""
    mishaps = []
    page.on("console", lambda message: mishaps.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: mishaps.append(str(error)))
    sign_in(page.context, make.user(f"researcher-{next(people)}", Role.RESEARCHER))
    yield page
    assert mishaps == []


def test_the_lab_has_no_barriers_and_nothing_scrolls_sideways(lab, server, job):
    looks = [("dark", 400, address) for address in PAGES]
    for scheme, width, address in (
        *looks,
        ("light", 1200, f"/lab/jobs/{job.pk}/"),
        ("dark", 400, f"/lab/jobs/{job.pk}/"),
    ):
        lab.emulate_media(color_scheme=scheme)
        lab.set_viewport_size({"width": width, "height": 800})
        lab.goto(f"{server.url}{address}")
        assert lab.evaluate("document.documentElement.scrollWidth") <= width, address
        assert complaints(lab) == [], (address, scheme)


def test_a_run_page_with_stages_and_settings_has_no_barriers(lab, server):
    stage = {"number": 1, "steps": 8, "met": False, "reason": {"kind": "no-criterion", "criterion": None}, "gap": 0.2}
    config = {
        "generator": {"encoder": [8, 16, 32] * 20, "decoder": [16, 8]},
        "stages": [{"stop": {"bound": 0.2, "after_gap": True}}] * 5,
    }
    metrics = {"stages": [stage, {**stage, "number": 2}]}
    run = checkpoint("gan-in-stages", CheckpointKind.GENERATOR, metrics=metrics, config=config)
    lab.goto(f"{server.url}/lab/runs/{run.name}/")
    lab.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true })")
    assert "length reached (the stage has no criterion)" in lab.get_by_role("table").first.inner_text()
    assert complaints(lab) == []
    run.delete()


def test_choosing_a_cohort_offers_its_presets_and_keeps_the_other_fields(lab, server):
    values = {"seed": 1, "fractions": [0.8, 0.1, 0.1], "resolutions": ["standard"], "at": make.MONDAY}
    cohort = ensure_cohort("radiographs", modality=MODALITIES["DX"], **values)
    lab.goto(f"{server.url}/lab/start/train-classifier/")
    lab.get_by_label("Seed", exact=True).fill("7")
    for name, preset, count in (("radiographs", "compact", 1), ("films-tiny", "demo", 3)):
        lab.get_by_label("Cohort").select_option(name)
        expect(lab.get_by_label("Preset").locator("option")).to_have_count(count)
        expect(lab.get_by_label("Preset")).to_have_value(preset)
    expect(lab.get_by_label("Seed", exact=True)).to_have_value("7")
    assert complaints(lab) == []
    cohort.delete()


def test_an_evaluation_page_has_no_barriers(lab, server):
    (row,) = results.store_evaluation(results.evaluation_result(classifier="cad-barriers"), cohort="films-tiny")
    for scheme in ("light", "dark"):
        lab.emulate_media(color_scheme=scheme)
        lab.goto(f"{server.url}/lab/evaluations/{row.pk}/")
        assert "Table 1: cad-barriers" in lab.locator("main").inner_text()
        assert complaints(lab) == [], scheme
    row.delete()


def test_a_panel_of_the_gallery_has_the_ratio_of_its_image(lab, server):
    lab.goto(f"{server.url}/lab/stimuli/")
    panel = lab.locator(".panels img").first
    # "auto": the ratio of the attributes, and once the image is loaded its own. No other ratio draws bars beside it.
    assert panel.evaluate("image => getComputedStyle(image).aspectRatio") == "auto 52 / 64"
    box = panel.bounding_box()
    assert box["width"] / box["height"] == pytest.approx(52 / 64, rel=0.02)


def test_a_job_s_page_follows_the_job_and_leaves_what_is_open_open(lab, server, job):
    lab.goto(f"{server.url}/lab/jobs/{job.pk}/")
    assert "25 %" in lab.locator("#state").inner_text()
    numbers = lab.locator("#numbers-gap summary")
    numbers.focus()
    lab.keyboard.press("Enter")
    before = lab.locator("polyline").get_attribute("points")
    reach(job, 20)
    lab.locator("#state .percent", has_text="50 %").wait_for()
    assert lab.locator("polyline").get_attribute("points") != before
    assert lab.locator("#numbers-gap").get_attribute("open") is not None
    assert lab.evaluate("document.activeElement.closest('details').id") == "numbers-gap", "the keyboard stays"
    job.finish("done", at=now())
    lab.get_by_text("Done", exact=True).wait_for()
    assert lab.get_by_role("button", name="Cancel this job").count() == 0


def test_without_a_script_the_page_shows_the_same_at_each_reload(lab, server, job):
    plain = lab.context.browser.new_context(java_script_enabled=False)
    plain.add_cookies(lab.context.cookies())
    page = plain.new_page()
    page.goto(f"{server.url}/lab/jobs/{job.pk}/")
    assert "25 %" in page.locator("#state").inner_text()
    reach(job, 20)
    page.reload()
    assert "50 %" in page.locator("#state").inner_text()
    assert page.locator("polyline").count() == 1
    plain.close()


def test_a_hidden_job_page_makes_no_requests(lab, server, job):
    lab.goto(f"{server.url}/lab/jobs/{job.pk}/")
    hide = """(hidden) => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
      document.dispatchEvent(new Event("visibilitychange"));
    }"""
    requests = []
    lab.evaluate(hide, True)
    lab.on("request", lambda request: requests.append(request.url))
    lab.wait_for_timeout(4500)
    requests = [
        url for url in requests if not url.endswith("/favicon.svg")
    ]  # the browser may fetch the icon of the page at any time
    assert requests == []
    reach(job, 20)
    with lab.expect_request("**/lab/jobs/*/", timeout=1000):
        lab.evaluate(hide, False)
    lab.locator("#state .percent", has_text="50 %").wait_for()


def test_a_job_page_whose_sign_in_has_ended_leads_to_the_sign_in_page(lab, server, job):
    lab.goto(f"{server.url}/lab/jobs/{job.pk}/")
    lab.context.clear_cookies()
    lab.wait_for_url(f"**/account/sign-in/?next=/lab/jobs/{job.pk}/")
