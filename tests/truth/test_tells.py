"""What gives images away that another program made: each planted trace is found, and none is found without one."""

import io
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
from django.utils.translation import override
from PIL import Image
from scipy.ndimage import gaussian_filter

from readerstudy.cohort.pairs import PairFacts, PairFiles, PairTask, PixelRules, PreparedPair, StoredReal, prepare_pair
from readerstudy.cohort.prepare import Framing, pixel_digest
from readerstudy.imaging.background import background_level
from readerstudy.imaging.grey_levels import bit_depth_levels
from readerstudy.imaging.png16 import encode_png
from readerstudy.modalities import MODALITIES
from readerstudy.truth.tells import find_tells, tell_sentences
from readerstudy.truth.tells.sentences import CODES, FACT_LABELS
from readerstudy.vocabulary import Pathology
from tests import elsewhere
from tests.sources.make_files import write_png

PAIRS, FEW = 40, 16  # without a trace, and with one: that is plain in few


@cache
def phantoms(code: str) -> tuple[tuple[np.ndarray, int], ...]:
    """Return 12-bit phantoms of a modality, each with 1 if the finding can be inserted, -1 if it can be removed."""
    modality = MODALITIES[code]
    layout = list(modality.layouts.values())[-1]
    size = 200, round(200 * layout.columns / layout.rows)
    batch = modality.draw_phantoms(PAIRS, seed=3, size=size)
    chosen = batch.images[:: len(batch.images) // PAIRS][:PAIRS]
    return tuple(
        ((image.load().values >> 4).astype(np.uint16), -1 if image.pathology == Pathology.POSITIVE else 1)
        for image in chosen
    )


@pytest.fixture(params=MODALITIES)
def find(request, tmp_path):
    """Return a function that finds the traces that an alteration leaves."""
    return partial(find_in, request.param, tmp_path)


def find_in(
    code: str,
    folder: Path,
    alter: elsewhere.Alter = lambda values: values,
    *,
    pairs: int = FEW,
    bits: int = 12,
    rules: PixelRules | None = None,
) -> dict[str, dict]:
    """Draw a spot into every phantom, pass it through `alter`, and compare; return the numbers by code."""
    facts = [
        facts_of(
            MODALITIES[code], folder, values, alter(elsewhere.blob(values, sign=sign)), bits, rules or PixelRules()
        )
        for values, sign in phantoms(code)[:pairs]
    ]
    return {found.code: dict(found.numbers) for found in find_tells(facts, rng=np.random.default_rng(1)).findings}


def facts_of(
    modality, folder: Path, values: np.ndarray, altered: np.ndarray, bits: int, rules: PixelRules
) -> PairFacts:
    real, fake, stored = folder / "real.png", folder / "fake.png", folder / "stored.png"
    write_png(real, values, significant_bits=elsewhere.BITS)
    kind, significant = (np.uint8, None) if bits == 8 else (np.uint16, bits)
    write_png(fake, altered.astype(kind), significant_bits=significant)
    wide = elsewhere.as_16_bit(values)
    layout = list(modality.layouts.values())[-1]
    framing = Framing(modality.measure(wide).anchor, background_level(wide), bit_depth_levels(elsewhere.BITS))
    stored.write_bytes(encode_png(framing.apply(wide, (160, round(160 * layout.columns / layout.rows)))))
    files = PairFiles(real, fake, "real.png", "fake.png")
    task = PairTask(files, StoredReal({"low": stored}), pixel_digest(wide, elsewhere.BITS))
    pair = prepare_pair(task, modality=modality.code, rules=rules)
    assert isinstance(pair, PreparedPair), pair
    return pair.facts


def blur(values, *, sigma: float = 0.6):
    return np.round(gaussian_filter(values.astype(float), sigma))


def sharpen(values):
    return np.clip(np.round(2 * values - gaussian_filter(values.astype(float), 0.8)), 0, 4095)


def jpeg(values):
    stream = io.BytesIO()
    Image.fromarray((values >> 4).astype(np.uint8)).save(stream, "JPEG", quality=75)
    return np.asarray(Image.open(stream)).astype(np.uint16) << 4


def enlarge(values, *, factor: float = 2.0):
    picture = Image.fromarray(values.astype(np.float32))
    small = picture.resize((round(picture.width / factor), round(picture.height / factor)), Image.Resampling.BOX)
    return np.clip(np.round(np.asarray(small.resize(picture.size, Image.Resampling.BICUBIC))), 0, 4095)


def shrink(values, *, factor: float = 0.8):
    picture = Image.fromarray(values.astype(np.float32))
    size = round(picture.width * factor), round(picture.height * factor)
    return np.clip(np.round(np.asarray(picture.resize(size, Image.Resampling.BICUBIC))), 0, 4095)


def frame(values):
    framed = values.copy()
    framed[0], framed[-1], framed[:, 0], framed[:, -1] = 4095, 4095, 4095, 4095
    return framed


def lift(values):
    """Draw the air a little brighter, as a network does that was trained with another black."""
    return np.where(values < 0.1 * values.max(), values + 60, values)


def noise(values):
    return np.clip(np.round(values + np.random.default_rng(1).normal(0, 60, values.shape)), 0, 4095)


def test_an_attack_without_traces_raises_no_alarm(find):
    assert find(pairs=PAIRS) == {}


@pytest.mark.parametrize(
    ("code", "alter"),
    [
        ("softer", blur),
        ("sharper", sharpen),
        ("blocks", jpeg),
        ("interpolation", enlarge),
        ("interpolation", partial(enlarge, factor=1.5)),
        ("size", shrink),
        ("border", frame),
        ("empty_levels", lambda values: values >> 4 << 4),
        ("combined", noise),
    ],
    ids=["softer", "sharper", "blocks", "twice", "half as large again", "size", "border", "empty levels", "combined"],
)
def test_a_planted_trace_is_found(find, code, alter):
    assert code in find(alter)


def test_fewer_bits_are_found_with_both_numbers(find):
    found = find(lambda values: values >> 4, bits=8)
    assert found["bits_fewer"] == {"real": 12, "adversarial": 8, "files": FEW, "of": FEW}


def test_more_bits_are_rounded_and_said_to_be_harmless(find):
    found = find(elsewhere.as_16_bit_values, bits=16)
    assert set(found) <= {"bits_more", "bytes"}
    assert found["bits_more"]["adversarial"] == 16


def test_a_changed_background_is_found_until_it_is_put_back(tmp_path):
    assert "background" in find_in("MG", tmp_path, lift)
    assert "background" not in find_in("MG", tmp_path, lift, rules=PixelRules(keep_background=True))


def test_few_pairs_are_said_to_be_few(find):
    assert find(pairs=4)["few"] == {"pairs": 4, "fewest": 10}


NUMBERS = {
    "real": 0.125,
    "adversarial": 0.5,
    "real_levels": 900.0,
    "adversarial_levels": 256.0,
    "share": 0.5,
    "auc": 0.93,
    "p": 0.001,
    "files": 3,
    "of": 4,
    "pairs": 4,
    "fewest": 10,
    "name": "border step",
    "images": 4,
    "stored": "1024 × 832",
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("code", CODES)
def test_every_finding_has_words_in_both_languages(code, language):
    with override(language):
        (sentence,) = tell_sentences({"findings": [{"code": code, "numbers": NUMBERS}]})
    assert "%(" not in sentence.what + sentence.advice
    assert sentence.what.endswith(".")
    assert sentence.advice.endswith(".")


def test_every_fact_has_a_label(tmp_path):
    values, sign = phantoms("DX")[0]
    facts = facts_of(MODALITIES["DX"], tmp_path, values, elsewhere.blob(values, sign=sign), 12, PixelRules())
    assert set(facts.real) == set(facts.adversarial) == set(FACT_LABELS)
