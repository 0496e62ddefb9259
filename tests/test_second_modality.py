"""The whole software on a modality without side, view and chest wall, by the commands that a researcher types.

Everything is walked through once, with networks of a few neurons; the tests check the results. Their expectations come
from the modality, so no result is written here.
"""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, fields, replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import transaction
from django.test import Client, override_settings
from django.urls import reverse
from django.utils.translation import override

from models_ml.presets import PRESETS, Preset
from readerstudy.cohort.models import Cohort, Image, Stimulus
from readerstudy.experiments.models import Evaluation
from readerstudy.imaging.png16 import decode_png
from readerstudy.modalities import MODALITIES
from readerstudy.modalities.chest_radiography.modality import CHEST_RADIOGRAPHY as MODALITY
from readerstudy.modalities.chest_radiography.phantom import render, sample_patients
from readerstudy.modalities.words import Words
from readerstudy.reading.models import Reading
from readerstudy.studies.actions import enroll
from readerstudy.studies.models import Study
from readerstudy.truth.models import ImageTruth, Truth
from tests import make, roles, walk
from tests.models_ml import tiny
from tests.sources.make_files import write_dicom, write_png, write_table
from tests.test_blinding import TELLING

pytestmark = [pytest.mark.slow]

COHORT, STUDY, CLASSIFIER, ATTACK = "radiographs", "chest1", "target", "pgd-target"
LANGUAGES = ("en", "de")
SIDE, PATIENTS = 64, 24
SHAPE = {"preset": "compact", "rows": 32, "columns": 32}
# Of the other modality, in both languages.
OTHERS_WORDS = re.compile(
    r"mammo|breast|cancer|malign|benign|chest wall|laterality|\bCC\b|\bMLO\b|Brust(?!korb)|Krebs|bösartig|gutartig",
    re.IGNORECASE,
)
GANS = {"remove": "target-remove", "insert": "target-insert"}


@dataclass
class Walk:
    """What was seen on the way: texts of pages by language and address, and what the reader's browser received."""

    pages: dict[tuple[str, str], str] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)
    pictures: list[bytes] = field(default_factory=list)
    headers: set[str] = field(default_factory=set)

    def see(self, client: Client, *addresses: str) -> None:
        for language in LANGUAGES:
            for address in addresses:
                response = client.get(address, headers={"Accept-Language": language})
                assert response.status_code == 200, (address, response.content[:500])
                self.pages[language, address] = unescape(response.content.decode())

    def all_in(self, language: str, start: str) -> str:
        pages = [text for (each, address), text in self.pages.items() if each == language and address.startswith(start)]
        assert pages
        return "\n".join(pages)


@pytest.fixture(scope="module")
def walked(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[Walk]:
    """Walk once, in a transaction around those of the tests."""
    folder = tmp_path_factory.mktemp("second")
    folders = {f"{name}_DIR": folder / name.lower() for name in ("RUNS", "CACHE", "REPORTS", "JOBS")}
    hashers = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with ExitStack() as stack:
        stack.enter_context(django_db_blocker.unblock())
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        stack.enter_context(override_settings(MEDIA_ROOT=folder / "media", PASSWORD_HASHERS=hashers, **folders))
        stack.enter_context(roles.around_tests())
        make_small(patch)
        yield walk_through()
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def media(walked: Walk, db: None) -> None:
    """Keep the folders of the walk, in the place of a test's own."""


def make_small(patch: pytest.MonkeyPatch) -> None:
    layout = replace(MODALITY.layouts["standard"], rows=SIDE, columns=SIDE)
    patch.setitem(MODALITY.layouts, "standard", layout)
    gans = {direction: replace(tiny.gan_config(direction), **SHAPE) for direction in GANS}
    patch.setitem(PRESETS, "compact", Preset("compact", replace(tiny.compact_config(), **SHAPE), **gans))
    # One process: others would not know the small size and the small preset.
    patch.setattr("os.cpu_count", lambda: 1)
    patch.setattr("os.fsync", lambda handle: None)


def walk_through() -> Walk:
    seen = Walk()
    rita, rosa = make.user("rita"), make.user("rosa", "researcher")
    researcher, reader = Client(), Client()
    researcher.force_login(rosa)
    reader.force_login(rita)
    call_command("make_phantoms", COHORT, modality=MODALITY.code, patients=48, split="40/20/40")
    call_command("train_classifier", COHORT, preset="compact", name=CLASSIFIER)
    call_command("generate_stimuli", COHORT, method="pgd", classifier=CLASSIFIER, steps=3, epsilon="8/255", name=ATTACK)
    for direction, name in GANS.items():
        call_command("train_gan", COHORT, direction=direction, classifier=CLASSIFIER, name=name)
    call_command("generate_stimuli", COHORT, gan_remove=GANS["remove"], gan_insert=GANS["insert"])
    call_command("evaluate_attack", COHORT, classifier=[CLASSIFIER], attack=[ATTACK, *GANS.values()])
    see_lab(seen, researcher)
    call_command(
        "create_study", code=STUDY, cohort=COHORT, scale=0.02, attack=[ATTACK], member=[rosa.username],
        persons_to_unseal=1,
    )  # fmt: skip
    enroll(study=Study.named(STUDY), reader=rita, at=make.MONDAY)
    read_all(seen, reader, walk.client_of(rita))
    call_command("unseal_study", STUDY, reason="Rita has finished.", by=rosa.username, close=True)
    call_command("analyse_study", STUDY, no_pdf=True)
    seen.see(researcher, f"/report/{STUDY}/", "/desk/")
    return seen


def see_lab(seen: Walk, client: Client) -> None:
    (number,) = Evaluation.objects.order_by("pk").values_list("pk", flat=True)[:1]
    altered = Truth.objects.filter(authenticity="adversarial").order_by("pk").values_list("pk", flat=True)[0]
    seen.see(
        client,
        reverse("lab:jobs"),
        reverse("lab:runs"),
        *(reverse("lab:run", args=[name]) for name in (CLASSIFIER, *GANS.values())),
        reverse("lab:attack", args=[ATTACK]),
        reverse("lab:evaluation", args=[number]),
        reverse("lab:stimuli"),
        reverse("lab:stimulus", args=[altered]),
    )


def read_all(seen: Walk, client: Client, wire) -> None:
    """Read every session; look at its page once it is open, and keep what the browser receives."""
    seen.see(client, "/")
    for number in range(1, 6):
        step = walk.open_session(wire, STUDY, number)
        seen.see(client, f"/read/{STUDY}/{number}/")
        while step["kind"] != "done":
            seen.steps.append(json.dumps(step))
            if step["kind"] == "read":
                picture = wire.get(step["stimulus"]["image"])
                seen.pictures.append(picture.content)
                seen.headers.add(str(sorted(picture.headers.items())))
            given = step["verdicts"][step["position"] % len(step["verdicts"])]
            step = walk.answer(wire, STUDY, number, step, given).json()["step"]


# --- the words --------------------------------------------------------------------------------------------------
def texts_of(part) -> list[str]:
    return [str(getattr(part, each.name)) for each in fields(part)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_use_no_word_of_the_other_modality(walked, language):
    found = {
        (address, word.group(), text[max(0, word.start() - 60) : word.end() + 40])
        for (each, address), page in walked.pages.items()
        # Encoded images can hold any letters.
        for text in [re.sub(r"base64,[A-Za-z0-9+/=]+", "base64,", page)]
        for word in OTHERS_WORDS.finditer(text)
        if each == language
    }
    assert not found


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_reading_pages_use_the_words_of_the_modality(walked, language):
    with override(language):
        words: Words = MODALITY.words
        kinds = {1: words.reading.familiarisation, 3: words.reading.blinded, 4: words.reading.education}
        for number, instructions in kinds.items():
            page = walked.pages[language, f"/read/{STUDY}/{number}/"]
            assert str(instructions) in page
            assert str(words.reading.display_too_small) in page
        assert str(words.reading.this_image_is) in walked.pages[language, f"/read/{STUDY}/3/"]
        assert str(words.reading.real_image) in walked.pages[language, f"/read/{STUDY}/4/"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_lab_and_report_use_the_words_of_the_modality(walked, language):
    with override(language):
        lab, report = walked.all_in(language, "/lab/"), walked.all_in(language, "/report/")
        for text in (MODALITY.words.lab.balanced_training, MODALITY.words.lab.changed_outside):
            assert str(text) in lab
        for text in (MODALITY.words.report.positive_means, MODALITY.words.report.different_questions):
            assert str(text) in report


# --- the reader ---------------------------------------------------------------------------------------------------
def test_nothing_that_a_reader_receives_tells_the_truth(walked):
    blinded = [step for step in walked.steps if json.loads(step)["kind"] == "read"]
    own_words = re.compile("|".join(finding.word for finding in MODALITY.findings.values()), re.IGNORECASE)
    for step in blinded:
        assert not TELLING.search(step)
        assert not own_words.search(step)
    pages = [walked.pages[language, f"/read/{STUDY}/{number}/"] for language in LANGUAGES for number in (1, 2, 3, 5)]
    for page in pages:
        assert not TELLING.search(re.sub(r"[\w/.-]+\.(js|css)", "", page))


def test_every_picture_has_one_length_and_the_same_headers(walked):
    assert len({len(picture) for picture in walked.pictures}) == 1
    assert len(walked.headers) == 1


def test_no_image_is_displayed_mirrored(walked):
    steps = [json.loads(step) for step in walked.steps]
    assert {step["stimulus"]["flip"] for step in steps} == {False}


def test_every_answer_is_stored(walked):
    assert Reading.objects.count() == len(walked.steps)


# --- images and attacks -------------------------------------------------------------------------------------------
def test_no_attribute_and_no_group_is_stored(walked):
    assert Cohort.named(COHORT).modality is MODALITY
    assert not Image.objects.exclude(attributes={}).exists()
    assert not ImageTruth.objects.exclude(groups={}).exists()
    assert set(Stimulus.objects.values_list("rows", "columns")) == {(SIDE, SIDE)}


@pytest.mark.parametrize("attack", [ATTACK, *GANS.values()])
def test_no_pixel_outside_the_region_is_changed(walked, attack):
    changed = background = 0
    for truth in Truth.objects.filter(generator=attack).select_related("stimulus", "source_image"):
        real, adversarial = decode_png(truth.source_image.path), decode_png(truth.stimulus.path)
        outside = MODALITY.geometry.region(real) == 0
        assert np.array_equal(real[outside], adversarial[outside])
        changed, background = changed + int((real != adversarial).sum()), background + int(outside.sum())
    assert changed
    assert background


def test_an_evaluation_has_trivial_controls_and_no_subgroups(walked):
    result = Evaluation.objects.get().result
    assert result["controls"]
    assert len(result["attacks"]) == 2  # PGD, and both GANs as one attack
    assert all(attack["subgroups"] == [] for attack in result["attacks"])


# --- after the end ------------------------------------------------------------------------------------------------
def test_readings_have_no_column_of_the_other_modality(walked, client):
    client.force_login(make.user("rolf", "researcher"))
    rows = client.get(f"/api/v1/studies/{STUDY}/readings/").json()["results"]
    header = b"".join(client.get(f"/api/v1/studies/{STUDY}/readings.csv").streaming_content).split(b"\n")[0].decode()
    others = {
        attribute.name
        for modality in MODALITIES.values()
        if modality is not MODALITY
        for attribute in modality.attributes
        if attribute.is_exported
    }
    assert others
    assert len(rows) > 0
    assert all("pathology" in row and not others & set(row) for row in rows)
    assert not others & set(header.split(","))


def test_the_report_calls_the_attack_what_it_is_with_its_budget(walked):
    page = " ".join(walked.pages["en", f"/report/{STUDY}/"].split())
    assert f"{ATTACK}: PGD: many small steps (budget 2056 grey levels, or 8/255 of full scale, 3 steps" in page
    assert "not registered in this installation" not in page
    assert f"{ATTACK} (Generator" not in page


def test_the_report_has_the_checklists_of_the_modality(walked):
    files = {path.name for path in (Path(django_settings.REPORTS_DIR) / STUDY).iterdir()}
    for name in ("stard", "claim"):
        assert (f"{name}.csv" in files) == (name in MODALITY.checklists)


# --- images of others ---------------------------------------------------------------------------------------------
def test_tables_and_dicom_folders_need_no_side_and_no_view(walked, tmp_path):
    findings = [finding.word for finding in MODALITY.findings.values()]
    (tmp_path / "dicom").mkdir()
    for number, view in enumerate(sample_patients(PATIENTS, seed=9)):
        values = render(view, (SIDE, SIDE)).values
        write_png(tmp_path / f"{number}.png", values)
        write_dicom(tmp_path / "dicom" / f"{number}.dcm", values, bits=16, PatientID=f"p{number}", Modality="DX")
    tables = {
        end: write_table(
            tmp_path,
            [f"{number}.{end},p{number},{findings[number % 3]}" for number in range(PATIENTS)],
            header="image,patient,pathology",
            name=f"{end}.csv",
        )
        for end in ("png", "dcm")
    }
    call_command("import_cohort", "png", modality=MODALITY.code, table=tables["png"])
    call_command("import_cohort", "dcm", modality=MODALITY.code, dicom=tmp_path / "dicom", table=tables["dcm"])
    for name in tables:
        images = Image.objects.filter(exam__patient__cohort__name=name)
        assert images.count() == PATIENTS
        assert not images.exclude(attributes={}).exists()
        assert set(ImageTruth.objects.filter(image__in=images).values_list("pathology", flat=True)) == {
            finding.value for finding in MODALITY.findings
        }
