"""The article's Table 1: what the evaluation of the attack stored, shown as it is.

`models_ml.evaluation.attack_table` computes it and stores it as JSON. Nothing is computed here: the page and the lab
cannot disagree. The web side has no torch and reads the JSON as plain data.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.statistics.proportions import Proportion

_AREAS = ("auc_real", "auc_flipped")
_SHARES = (
    "positives_right",
    "negatives_right",
    "adversarial_positives_right",
    "adversarial_negatives_right",
    "fooled_by_removal",
    "fooled_by_insertion",
    "fooled",
)


def table_1(attack: Mapping[str, Any] | None) -> Table:
    """One row per set of images, generator and threshold; empty where nobody evaluated an attack."""
    return Table(
        key="table1",
        title=_("Table 1. What the classifier makes of the adversarial images"),
        caption=_(
            # xgettext: no-python-format
            "The area under the curve (AUC) on real images, and on adversarial ones against the flipped "
            "label; the share of right diagnoses; and fooled: among images whose real version the classifier "
            "got right, the share whose adversarial twin gets the opposite diagnosis. All with 95 % "
            "intervals. Read each attack beside its control, a generator that was only taught to copy: what "
            "the control fools is no merit of the attack."
        ),
        columns=_columns(),
        rows=tuple(row for resolution, found in _tables(attack or {}) for row in _rows(resolution, found)),
        notes=tuple(_notes(attack or {})),
        empty=_(
            "No attack on this study’s cohort has been evaluated yet: run the command evaluate_attack, then "
            "analyse again."
        ),
    )


def _columns() -> tuple[Column, ...]:
    auc, right, fooled = _("AUC"), _("Right diagnoses"), _("Fooled")
    return (
        Column("resolution", _("Resolution")),
        Column("name", _("Generator")),
        Column("images", _("Images"), Kind.COUNT),
        Column("patients", _("Patients"), Kind.COUNT),
        Column("auc_real", _("real"), Kind.ESTIMATE, auc),
        Column("auc_flipped", _("adversarial"), Kind.ESTIMATE, auc),
        Column("threshold_name", _("Threshold")),
        Column("threshold", pgettext("threshold", "at"), Kind.SPREAD),
        Column("positives_right", _("real, positives"), Kind.SHARE, right),
        Column("negatives_right", _("real, negatives"), Kind.SHARE, right),
        Column("adversarial_positives_right", _("made positive"), Kind.SHARE, right),
        Column("adversarial_negatives_right", _("made negative"), Kind.SHARE, right),
        Column("fooled_by_removal", _("by removal"), Kind.SHARE, fooled),
        Column("fooled_by_insertion", _("by insertion"), Kind.SHARE, fooled),
        Column("fooled", _("over all"), Kind.SHARE, fooled),
    )


def _tables(attack: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(resolution, table), each attack followed by its control."""
    for resolution, stored in sorted(attack.get("tables", {}).items()):
        for kind in ("attack", "control"):
            if kind in stored:
                yield resolution, stored[kind]


def _notes(attack: Mapping[str, Any]) -> Iterator[str]:
    """Which runs these are, and how like their parents the twins are."""
    if attack.get("tables"):
        runs = {"classifier": attack.get("classifier"), "generators": ", ".join(attack.get("generators", []))}
        yield _("Classifier: %(classifier)s. Generators: %(generators)s.") % runs
    for resolution, stored in sorted(attack.get("tables", {}).items()):
        if quality := stored.get("quality"):
            yield _(
                "At %(resolution)s resolution the median likeness of an adversarial image to its parent is "
                "%(psnr).1f dB (PSNR) and %(ssim).3f (SSIM)."
            ) % {
                "resolution": resolution,
                "psnr": quality["psnr_median_db"],
                "ssim": quality["ssim_median"],
            }


def _rows(resolution: str, found: Mapping[str, Any]) -> Iterator[tuple[Cell, ...]]:
    for decisions in found["decisions"]:
        yield (
            resolution,
            found.get("name"),
            found.get("images"),
            found.get("patients"),
            *(_estimate(found.get(area)) for area in _AREAS),
            decisions.get("name"),
            decisions.get("threshold"),
            *(_share(decisions.get(share)) for share in _SHARES),
        )


def _estimate(stored: Any) -> Estimate | None:
    if not isinstance(stored, Mapping):
        return None
    return Estimate(stored["value"], stored["low"], stored["high"])


def _share(stored: Any) -> Proportion | None:
    if not isinstance(stored, Mapping):
        return None
    return Proportion(stored["hits"], stored["trials"], stored["share"], stored["low"], stored["high"])
