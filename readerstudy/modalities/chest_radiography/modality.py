"""Chest radiography: single frontal radiographs, with or without a lung nodule."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from django.utils.translation import gettext_lazy as _

from readerstudy.imaging.geometry import Geometry, centred
from readerstudy.imaging.image import Grey16
from readerstudy.imaging.pixel_features import pixel_facts
from readerstudy.imaging.resize import Anchor
from readerstudy.imaging.thumbnails import render_image, render_triptych
from readerstudy.modalities.chest_radiography.region import body_weight
from readerstudy.modalities.chest_radiography.sources import VOCABULARY, draw_phantoms, read_folder, read_table
from readerstudy.modalities.chest_radiography.words import WORDS
from readerstudy.modalities.modality import (
    PICTURE_QUALITY,
    Demo,
    Form,
    Hanging,
    Layout,
    Measured,
    Modality,
    SmallPictures,
    Source,
)


def _measure(values: Grey16) -> Measured:
    return Measured(Anchor.MIDDLE, {})


def _hang(attributes: Mapping[str, str]) -> Hanging:
    return Hanging()


CHEST_RADIOGRAPHY: Final = Modality(
    code="DX",
    title=_("Chest radiography"),
    form=Form.PICTURE,
    layouts={"standard": Layout("standard", _("Standard (512 × 512)"), 512, 512)},
    vocabulary=VOCABULARY,
    subgroups=(),
    words=WORDS,
    geometry=Geometry(region=body_weight, anchor=centred),
    measure=_measure,
    hang=_hang,
    sources={
        "dicom": Source("FOLDER", "a folder of DICOM files", read_folder),
        "table": Source("CSV", "a table that names image files", read_table),
    },
    draw_phantoms=draw_phantoms,
    pixel_facts=partial(pixel_facts, region=body_weight),
    small_pictures=SmallPictures(
        image=partial(render_image, region=body_weight), triptych=partial(render_triptych, region=body_weight)
    ),
    presets={"compact": "standard"},
    post_processing=("keep_background", "keep_grid", "keep_range"),
    quality=PICTURE_QUALITY,
    checklists=("stard", "stard_ai", "claim", "reader_study"),
    demo=Demo(
        name="demo-chest",
        patients=420,
        seed=1,
        split="60/10/30",
        scale=0.1,
        layout="standard",
        preset="compact",
        attack="pgd",
        attack_settings={"steps": 10, "gradient": "upsampled"},
    ),
)
