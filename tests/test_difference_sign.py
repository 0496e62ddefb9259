"""A difference is real minus adversarial in the lab, in the report and in the triptych that readers see."""

import io
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from PIL import Image

from readerstudy.accounts.models import Role
from readerstudy.analysis.report.gallery_pictures import pair_thumbnails
from readerstudy.imaging.difference import read_signed_difference
from readerstudy.imaging.image import WHITE, WrongPixels
from readerstudy.imaging.png16 import decode_png
from readerstudy.imaging.thumbnails import difference_image
from readerstudy.lab.panels import difference_scale, panel_file
from readerstudy.modalities.mammography.attributes import hangs_mirrored
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.truth.models import Truth
from readerstudy.truth.queries import find_gallery_image
from tests import make


@pytest.fixture
def adversarial(db, small) -> list[Truth]:
    cohort = make.cohort(patients=12)
    make.adversarial_images_for(cohort)
    return list(Truth.objects.filter(authenticity="adversarial"))


def signs(truth: Truth, levels: np.ndarray, middle: int) -> float:
    """Return the correlation of a shown difference with real minus adversarial."""
    real, shown = decode_png(truth.source_image.path), decode_png(truth.stimulus.path)
    change = real.astype(float) - shown.astype(float)
    own = levels[:, ::-1] if hangs_mirrored(truth.stimulus.image.attributes) else levels
    return float(np.corrcoef(change.ravel(), own.astype(float).ravel() - middle)[0, 1])


def test_lab_report_and_triptych_show_real_minus_adversarial(adversarial):
    for direction in ("insert", "remove"):
        truth = next(truth for truth in adversarial if truth.direction == direction)
        image = find_gallery_image(truth.pk)
        assert image is not None
        with Image.open(panel_file(image, "difference", is_small=False)) as picture:
            assert signs(truth, np.asarray(picture), 128) > 0.8
        *_others, thumbnail = pair_thumbnails(truth.stimulus, truth.source_image, MAMMOGRAPHY, number=1, words="")
        with Image.open(io.BytesIO(b64decode(thumbnail.data_uri.partition("base64,")[2]))) as picture:
            assert signs(truth, np.asarray(picture), 128) > 0.8
        stored = decode_png(Path(settings.MEDIA_ROOT) / truth.difference_file)
        own = stored[:, ::-1] if hangs_mirrored(truth.stimulus.image.attributes) else stored
        assert signs(truth, own, 32768) > 0.99
        assert np.sign(read_signed_difference(stored)).any()


@pytest.mark.parametrize("is_small", [True, False])
def test_the_scale_says_how_much_white_and_black_are(adversarial, is_small):
    image = find_gallery_image(adversarial[0].pk)
    scale = difference_scale(image, is_small=is_small)
    assert difference_scale(image, is_small=is_small) == scale  # the second time from the file
    with Image.open(panel_file(image, "difference", is_small=is_small)) as picture:
        shown = (np.asarray(picture, float) - 127.5) / 127.5 * scale
    real, altered = decode_png(image.source.path), decode_png(image.stimulus.path)
    change = (real.astype(float) - altered) / WHITE
    change = change[:, ::-1] if hangs_mirrored(image.stimulus.image.attributes) else change
    assert change.shape == shown.shape  # these images are smaller than a small panel
    assert np.abs(shown - np.clip(change, -scale, scale)).mean() < 0.03 * scale
    panel_file(image, "difference", is_small=is_small).with_suffix(".scale").unlink()
    assert difference_scale(image, is_small=is_small) == scale


def test_the_lab_says_it_beside_the_difference(adversarial, client, settings):
    client.force_login(make.user("rosa", Role.RESEARCHER))
    number = adversarial[0].pk
    percent = f"{100 * difference_scale(find_gallery_image(number), is_small=True):.1f}"
    page = client.get(f"/lab/stimuli/{number}/").content.decode()
    assert f"Black: −{percent} % of the grey scale" in page
    full = client.get(f"/lab/stimuli/{number}/difference/").content.decode()
    assert "White: +" in full


def test_white_is_light_taken_away_and_black_is_light_added():
    real = np.full((4, 4), 20_000, np.uint16)
    adversarial = real.copy()
    adversarial[0, 0] -= 5_000
    adversarial[3, 3] += 5_000
    image = difference_image(real, adversarial)
    assert (image.values[0, 0], image.values[3, 3], image.scale) == (255, 0, 5_000)
    assert abs(int(image.values[1, 1]) - 128) <= 1
    with pytest.raises(WrongPixels):
        difference_image(real, adversarial[:2])
