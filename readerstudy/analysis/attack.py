"""The article's Table 1: what the evaluation of the attack stored, shown as it is.

The laboratory computes it (`models_ml.attack_table`) and stores it as JSON; nothing is computed here, so that
the page and the laboratory cannot disagree. This installation has no torch and reads the JSON as plain data.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from readerstudy.analysis.stats.proportions import Proportion
from readerstudy.analysis.table import Cell, Column, Estimate, Kind, Table

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
            "The area under the curve (AUC) on real images, and on adversarial ones against the flipped "
            "label; the share of right diagnoses; and fooled: among images whose real version the classifier "
            "got right, the share whose adversarial twin gets the opposite diagnosis. All with 95 % "
            "intervals. Read each attack beside its control, a generator that was only taught to copy: what "
            "the control fools is no merit of the attack."
        ),
        columns=_columns(),
        rows=tuple(row for name, found in _tables(attack or {}) for row in _rows(name, found)),
        empty=_(
            "No attack on this study’s cohort has been evaluated yet: run the command evaluate_attack, then "
            "analyse again."
        ),
    )


def _columns() -> tuple[Column, ...]:
    auc, right, fooled = _("AUC"), _("Right diagnoses"), _("Fooled")
    return (
        Column("name", _("Generator")),
        Column("images", _("Images"), Kind.COUNT),
        Column("patients", _("Women"), Kind.COUNT),
        Column("auc_real", _("real"), Kind.ESTIMATE, auc),
        Column("auc_flipped", _("adversarial"), Kind.ESTIMATE, auc),
        Column("threshold_name", _("Threshold")),
        Column("threshold", _("at"), Kind.SPREAD),
        Column("positives_right", _("real, positives"), Kind.SHARE, right),
        Column("negatives_right", _("real, negatives"), Kind.SHARE, right),
        Column("adversarial_positives_right", _("made positive"), Kind.SHARE, right),
        Column("adversarial_negatives_right", _("made negative"), Kind.SHARE, right),
        Column("fooled_by_removal", _("by removal"), Kind.SHARE, fooled),
        Column("fooled_by_insertion", _("by insertion"), Kind.SHARE, fooled),
        Column("fooled", _("over all"), Kind.SHARE, fooled),
    )


def _tables(found: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every table in the stored result, at whatever depth, with its name after the keys that lead there."""
    if isinstance(found, Mapping):
        if "decisions" in found and "auc_real" in found:
            yield ", ".join((*path, str(found.get("name", "")))).strip(", "), found
            return
        for key, value in found.items():
            # A key to a list ("tables") only says what the list holds.
            yield from _tables(value, path if isinstance(value, list) else (*path, str(key)))
    elif isinstance(found, list):
        for one in found:
            yield from _tables(one, path)


def _rows(name: str, found: Mapping[str, Any]) -> Iterator[tuple[Cell, ...]]:
    for decisions in found["decisions"]:
        yield (
            name,
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
