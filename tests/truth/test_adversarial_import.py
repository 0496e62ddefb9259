"""Images made elsewhere: found by their pixels, prepared as the real ones, stored whole or not at all."""

import json
from dataclasses import replace

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from readerstudy.audit.models import Event
from readerstudy.cohort.models import Cohort, Stimulus
from readerstudy.cohort.pairs import PixelRules, prepare_pair, real_digests
from readerstudy.errors import BadInput, NotAllowed, StudyError
from readerstudy.experiments.models import Attack
from readerstudy.imaging.png16 import decode_png
from readerstudy.modalities import MODALITIES
from readerstudy.sources.pair_table import read_pairs
from readerstudy.truth.matching import Matcher, files_of
from readerstudy.truth.models import AdversarialImport, Truth
from tests import elsewhere, make
from tests.sources.make_files import write_png, write_tiff

pytestmark = pytest.mark.django_db


@pytest.fixture(params=MODALITIES.values(), ids=str)
def pairs(request, tmp_path, monkeypatch):
    pairs = elsewhere.set_up(request.param, tmp_path, monkeypatch, patients=4)
    pairs.write_versions()
    return pairs


@pytest.fixture
def films(tmp_path, monkeypatch):
    pairs = elsewhere.set_up(MODALITIES["MG"], tmp_path, monkeypatch, patients=4)
    pairs.write_versions()
    return pairs


def sentences(result) -> dict[str, str]:
    return {problem.name: problem.sentence for problem in result.problems}


def adversarial_truths():
    return Truth.objects.filter(authenticity="adversarial").select_related("stimulus", "source_image")


# --- the pixel path -------------------------------------------------------------------------------------------------
def test_an_untouched_copy_becomes_exactly_the_stored_real_image(pairs):
    rows, _problems = read_pairs(pairs.table(), pairs.cohort.modality.vocabulary)
    matcher = Matcher(pairs.cohort, attack="theirs")
    for row in rows:
        (pairs.folder / row.adversarial).write_bytes((pairs.folder / row.real).read_bytes())
        files = files_of(row, pairs.folder)
        found = matcher.match(row, files, real_digests(files))
        result = prepare_pair(found.task, modality=pairs.cohort.modality_code, rules=PixelRules())
        assert set(result.versions) == set(pairs.cohort.resolutions)
        for resolution, stimulus in found.real.stimuli.items():
            assert result.versions[resolution].png == stimulus.path.read_bytes()


def test_a_copy_without_any_change_is_refused(pairs):
    name = pairs.names[0]
    (pairs.folder / f"altered-{name}").write_bytes((pairs.folder / name).read_bytes())
    result = pairs.bring()
    assert sentences(result) == {"row 2": f"altered-{name} shows no change of the real file."}
    assert not result.is_stored


def test_every_pair_becomes_a_registered_adversarial_image(pairs):
    result = pairs.bring()
    assert (result.problems, result.is_stored) == ((), True)
    assert result.images == len(pairs.names) * len(pairs.cohort.resolutions)
    truths = adversarial_truths()
    assert {truth.generator for truth in truths} == {"theirs"}
    assert {truth.attack.method for truth in truths} == {"imported"}
    for truth in truths:
        real, altered = decode_png(truth.source_image.path), decode_png(truth.stimulus.path)
        assert real.shape == altered.shape
        assert 0 < (real != altered).mean() < 0.2
        assert truth.quality["psnr_db"] > 25
        assert truth.source_image.resolution == truth.stimulus.resolution
        assert truth.label == int(truth.direction == "insert")


def test_files_in_another_size_or_format_take_the_same_path(films):
    name = films.names[0]
    altered = elsewhere.blob(films.values(name), sign=films.sign(name))
    write_tiff(films.folder / "altered.tif", elsewhere.as_16_bit(altered))
    films.bring(table=films.table(rows=[f"{name},altered.tif"]), attack="tiff")
    films.bring(table=films.table(rows=[f"{name},altered-{name}"]), attack="png")
    tiff, png = (
        [
            t.stimulus.path.read_bytes()
            for t in adversarial_truths().filter(generator=attack).order_by("stimulus__resolution")
        ]
        for attack in ("tiff", "png")
    )
    assert tiff == png


def test_the_background_is_put_back_and_its_pixels_are_counted(pairs):
    for name in pairs.names:
        values = elsewhere.blob(pairs.values(name), sign=pairs.sign(name))
        values[:6] += 300
        write_png(pairs.folder / f"altered-{name}", values, significant_bits=elsewhere.BITS)
    pairs.bring(attack="as-it-is")
    result = pairs.bring(attack="put-back", options={"rules": PixelRules(keep_background=True)})
    region = pairs.cohort.modality.geometry.region
    outside = dict.fromkeys(("as-it-is", "put-back"), 0)
    for truth in adversarial_truths():
        real, altered = decode_png(truth.source_image.path), decode_png(truth.stimulus.path)
        outside[truth.generator] += int(((real != altered) & (region(real) == 0)).sum())
    assert outside["as-it-is"] > 0
    assert outside["put-back"] == 0
    assert all(row.restored_pixels > 0 for row in result.rows)
    assert Attack.objects.get(name="put-back").settings["keep_background"] is True


# --- the rows -------------------------------------------------------------------------------------------------------
def test_a_refused_row_has_its_number_and_stores_nothing(films):
    first, second, third = films.names[:3]
    values = films.values(first).copy()
    values[40:60, 40:60] //= 2
    write_png(films.folder / "stranger.png", values[::-1].copy(), significant_bits=12)
    write_png(films.folder / "resaved.png", (films.values(first) >> 4).astype(np.uint8))
    write_png(films.folder / "small.png", films.values(third)[:60], significant_bits=12)
    (films.folder / "torn.png").write_bytes((films.folder / first).read_bytes()[:400])
    wrong = "remove" if films.sign(first) == 1 else "insert"
    header = "real,adversarial,direction,attack,x,y,width,height"
    rows = [
        f"{second},altered-{second},,,,,,",
        f"stranger.png,altered-{first},,,,,,",
        f"resaved.png,altered-{first},,,,,,",
        f"{first},altered-{first},{wrong},,,,,",
        f"{first},altered-{first},upwards,,,,,",
        f"{second},altered-{third},,,,,,",
        f"{third},small.png,,,,,,",
        f"{first},torn.png,,,,,,",
        f",altered-{first},,,,,,",
        f"{third},altered-{third},,not a name,,,,",
        f"{third},altered-{third},,b,10,10,,",
        f"{third},altered-{third},,c,900,10,20,20",
        f"{third},missing.png,,d,,,,",
    ]
    result = films.bring(table=films.table(header=header, rows=rows))
    told = sentences(result)
    assert told["row 3"] == "the real file stranger.png is not in the cohort p3."
    assert "resaved.png is not in the cohort p3; it resembles an image of patient P0" in told["row 4"]
    assert f"has the direction {wrong}, but the real image is" in told["row 5"]
    assert told["row 6"] == "has the direction 'upwards'; insert and remove are understood."
    assert told["row 7"] == "names a version of the same real image by the attack theirs as row 2."
    assert "have different shapes: 60 × " in told["row 8"]
    assert "torn.png is damaged or cut off" in told["row 9"]
    assert told["row 10"].startswith("names no real file")
    assert "names the attack 'not a name'" in told["row 11"]
    assert told["row 12"] == "has x and y of a box only."
    assert "outside the image" in told["row 13"]
    assert told["row 14"] == "missing.png is not there."
    assert (len(told), result.is_stored, len(result.rows)) == (12, False, 1)
    assert not adversarial_truths().exists()
    assert not Attack.objects.exists()


def test_the_other_rows_are_stored_if_the_refused_are_skipped(films):
    first, second = films.names[:2]
    table = films.table(rows=[f"{first},altered-{first}", f"{second},missing.png"])
    result = films.bring(table=table, skips_refused=True)
    assert (result.is_stored, len(result.problems), len(result.rows)) == (True, 1, 1)
    assert adversarial_truths().count() == len(films.cohort.resolutions)


def test_a_dry_run_understands_every_row_and_stores_nothing(pairs):
    files = set(Stimulus.objects.values_list("file", flat=True))
    result = pairs.bring(is_dry_run=True)
    assert (len(result.rows), result.is_stored, result.problems) == (len(pairs.names), False, ())
    assert {row.direction for row in result.rows} <= {"insert", "remove"}
    assert "theirs" in result.tells
    assert set(Stimulus.objects.values_list("file", flat=True)) == files
    assert not Attack.objects.exists()
    assert not Event.objects.filter(verb="attack.imported").exists()


def test_a_table_can_hold_several_attacks(films):
    rows = [f"{name},altered-{name},{attack}" for name in films.names for attack in ("a", "b")]
    result = films.bring(table=films.table(header="real,adversarial,attack", rows=rows), attack=None)
    assert (result.is_stored, set(result.tells)) == (True, {"a", "b"})
    assert set(Attack.objects.values_list("name", flat=True)) == {"a", "b"}


# --- provenance -----------------------------------------------------------------------------------------------------
def test_an_import_records_who_when_and_from_which_files(films, rosa):
    table = films.table()
    films.bring(table=table, actor=rosa)
    attack = Attack.objects.get()
    assert (attack.method, attack.seed, attack.generator, attack.classifier) == ("imported", None, None, None)
    assert attack.settings["description"] == "A diffusion network."
    assert attack.settings["made_by"] == "Group B"
    assert len(attack.settings["table_sha256"]) == 64
    stored = AdversarialImport.objects.get(attack=attack)
    assert (stored.by, stored.at, len(stored.pairs)) == (rosa, make.MONDAY, len(films.names))
    assert {len(pair[key]) for pair in stored.pairs for key in ("real_sha256", "adversarial_sha256")} == {64}


def test_the_audit_trail_names_no_image_and_no_finding(films, rosa):
    films.bring(actor=rosa)
    event = Event.objects.get(verb="attack.imported")
    assert event.actor == rosa
    assert set(event.data) == {"name", "pairs"}


def test_an_attack_is_imported_once(films):
    films.bring()
    with pytest.raises(StudyError, match="'theirs' already"):
        films.bring()


@pytest.mark.parametrize("role", ["reader", "coordinator"])
def test_only_a_researcher_imports(films, role):
    with pytest.raises(NotAllowed):
        films.bring(actor=make.user("nobody", role))


def test_a_step_that_the_modality_lacks_is_refused(films, monkeypatch):
    monkeypatch.setattr(Cohort, "modality", replace(films.cohort.modality, post_processing=()))
    with pytest.raises(BadInput, match="keep_grid"):
        films.bring(options={"rules": PixelRules(keep_grid=True)})


# --- the command ----------------------------------------------------------------------------------------------------
def test_the_command_says_what_a_dry_run_understood(films, capsys):
    call_command("import_adversarial", "p3", table=films.table(), attack="theirs", dry_run=True)
    out = capsys.readouterr().out
    assert f"row 2: altered-{films.names[0]} is {films.names[0]} (patient P00001" in out
    assert "nothing was stored" in out
    assert not Attack.objects.exists()


def test_the_command_reports_refused_rows_and_exits_with_an_error(films, capsys):
    table = films.table(rows=[f"{films.names[0]},missing.png"])
    with pytest.raises(CommandError, match=r"row 2: missing.png is not there"):
        call_command("import_adversarial", "p3", table=table, attack="theirs", json=True)
    assert json.loads(capsys.readouterr().out)["is_stored"] is False
