"""Mammography: single views of a breast, in the article's two resolutions (Zhou et al., 2021)."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from django.utils.translation import gettext_lazy as _

from readerstudy.imaging.pixel_features import pixel_facts
from readerstudy.imaging.thumbnails import render_image, render_triptych
from readerstudy.modalities.mammography.attributes import hangs_mirrored
from readerstudy.modalities.mammography.geometry import GEOMETRY, measure
from readerstudy.modalities.mammography.phantom import phantom_images
from readerstudy.modalities.mammography.sources import VOCABULARY, read_folder, read_table
from readerstudy.modalities.mammography.words import WORDS
from readerstudy.modalities.modality import (
    PICTURE_QUALITY,
    Demo,
    Form,
    Hanging,
    Layout,
    Modality,
    SmallPictures,
    Source,
    Subgroup,
)
from readerstudy.sources.source import ImportBatch


def _read_dicom(
    path: Path, *, table: Path | None, columns: Mapping[str, str], folder: Path | None, root: Path | None = None
) -> ImportBatch:
    return read_folder(path, table, columns=columns, root=root)


def _read_table(
    path: Path, *, table: Path | None, columns: Mapping[str, str], folder: Path | None, root: Path | None = None
) -> ImportBatch:
    return read_table(path, columns=columns, folder=folder, root=root)


def _hang(attributes: Mapping[str, str]) -> Hanging:
    return Hanging(is_mirrored=hangs_mirrored(attributes))


MAMMOGRAPHY: Final = Modality(
    code="MG",
    title=_("Mammography"),
    form=Form.PICTURE,
    layouts={
        "high": Layout("high", _("High (1728 × 1408)"), 1728, 1408),
        "low": Layout("low", _("Low (1024 × 832)"), 1024, 832),
    },
    vocabulary=VOCABULARY,
    subgroups=(
        Subgroup("view", _("view"), "view_position"),
        Subgroup("side", _("side"), "laterality"),
        Subgroup("lesion", _("lesion"), "lesion_kind", is_of_finding=True),
        Subgroup("density", _("density"), "density"),
    ),
    words=WORDS,
    geometry=GEOMETRY,
    measure=measure,
    hang=_hang,
    sources={
        "dicom": Source("FOLDER", "a folder of DICOM files", _read_dicom),
        "table": Source("CSV", "a table that names image files", _read_table),
    },
    draw_phantoms=phantom_images,
    pixel_facts=partial(pixel_facts, region=GEOMETRY.region),
    small_pictures=SmallPictures(
        image=partial(render_image, region=GEOMETRY.region),
        triptych=partial(render_triptych, region=GEOMETRY.region),
    ),
    presets={"demo": "low", "zhou2021-low": "low", "zhou2021-high": "high"},
    post_processing=("keep_background", "keep_grid", "keep_range"),
    quality=PICTURE_QUALITY,
    checklists=("stard", "stard_ai", "claim", "reader_study"),
    side="laterality",
    demo=Demo(
        name="demo",
        patients=200,
        seed=1,
        # With the article's 80/10/10 only seven patients of the test split would have cancer.
        split="60/10/30",
        scale=0.1,
        layout="low",
        preset="demo",
        attack="gans",
        attack_settings={"strength": "least", "regions": "fewest", "texture": "matched"},
    ),
)
