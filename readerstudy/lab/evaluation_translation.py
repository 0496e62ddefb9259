"""An evaluation's tables and figures in the page's language.

What is stored stays in English: it is the record. Its fixed words and sentences are listed here, those that hold a
name or a number with a place for it; whatever is not listed is shown as it is stored.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext_noop as _

from readerstudy.lab.stored_sentences import Phrases

WORDS: Final = Phrases(
    # --- titles
    _("Table 1: %(classifier)s"),
    _("Classifiers side by side"),
    _("Who fools whom: attack × classifier"),
    _("The attacks"),
    _("Subgroups: %(attack)s"),
    _("Calibration on the real test images"),
    _("ROC curves of %(classifier)s"),
    _("Reliability of %(classifier)s on real test images"),
    _("Who fools whom: share of right answers turned"),
    # --- captions
    _(
        "Fooled: of the images whose real version the classifier got right, those whose twin gets the opposite "
        "diagnosis, each classifier at its own threshold from the tuning split. The last columns are areas less those "
        "of %(classifier)s on the same images, with intervals clustered by patient."
    ),
    _(
        "Fooled over all, at each classifier's threshold from the tuning split. An asterisk marks the "
        "classifier that the attack was made for; the others never had a part in it."
    ),
    _(
        "At the threshold from the tuning split. Each kind of lesion is set against all images without cancer. "
        "Parts are small and many: they show where to look, and test nothing."
    ),
    _(
        "Expected calibration error over bins of equal count, and Brier score, before and after moving the "
        "logits by what the tuning split says. Training sees as many malignant images as others, so that the raw "
        "probability is not the share in the cohort."
    ),
    # --- columns
    _("classifier"),
    _("attack"),
    _("AUC real"),
    _("AUC adversarial"),
    _("fooled by removal"),
    _("by insertion"),
    _("over all"),
    _("AUC real less %(classifier)s"),
    _("AUC adversarial less its"),
    _("runs"),
    _("made for"),
    _("median PSNR"),
    _("median SSIM"),
    _("test images left alone"),
    _("images (malignant)"),
    _("recalibration"),
    _("ECE"),
    _("Brier"),
    _("slope"),
    _("intercept"),
    _("control (stage 1)"),
    _("%(attack)s control"),
    # --- the lines of Table 1
    _("images (patients)"),
    _("AUC adversarial, labels flipped"),
    _("less AUC real (DeLong, by patient)"),
    _("at threshold %(threshold)s (0.5)"),
    _("at threshold %(threshold)s (tuning)"),
    _("at threshold %(threshold)s (sensitivity 0.9 on tuning)"),
    _("real positives right"),
    _("real negatives right"),
    _("inserted: called positive"),
    _("removed: called negative"),
    _("fooled by removal, of real positives right"),
    _("fooled by insertion, of real negatives right"),
    _("fooled over all"),
    # --- the parts of the subgroups
    _("view: %(part)s"),
    _("side: %(part)s"),
    _("lesion: %(part)s"),
    _("density: %(part)s"),
    # --- recalibrations
    _("none"),
    _("none (used here)"),
    _("temperature"),
    _("temperature (used here)"),
    _("platt"),
    _("platt (used here)"),
    # --- cells without a figure
    _("none to count"),
    _("one class only"),
    _("not estimable"),
    _("not known"),
    # --- what a figure says in words
    _("real: area %(area)s"),
    _("%(attack)s, labels flipped: area %(area)s"),
    _("not estimated"),
    _(
        "%(method)s: expected calibration error %(error)s, Brier score %(brier)s, bins %(bins)s",
    ),
    _("%(attack)s on %(classifier)s: %(share)s, made for it"),
    _("%(attack)s on %(classifier)s: %(share)s"),
    # --- cells with words between their figures
    _("%(difference)s (%(low)s to %(high)s), p %(p)s"),
    _("%(difference)s (%(low)s to %(high)s)"),
    _("%(hits)s of %(trials)s"),
)


@dataclass(frozen=True)
class Translated:
    """Tables and figures as stored, in the page's language; names of runs and attacks are left alone."""

    tables: list[dict[str, Any]]
    figures: list[dict[str, Any]]


def translated(stored: Mapping[str, Any], names: set[str]) -> Translated:
    """The tables and figures of an evaluation to show; `names` of runs and attacks, which nobody translates."""
    names = names | set(_names(stored))
    return Translated(
        tables=[_table(table, names) for table in stored.get("shown", [])],
        figures=[_figure(figure) for figure in stored.get("figures", [])],
    )


def _names(stored: Mapping[str, Any]) -> Iterator[str]:
    for one in stored.get("transfer", []):
        yield from (one["attack"], one["classifier"])


def _table(table: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    def cell(text: str) -> str:
        return text if text in names else WORDS.in_language(text)

    shown = {"title": WORDS.in_language(table["title"]), "caption": WORDS.in_language(table.get("caption", ""))}
    cells = {"columns": [cell(text) for text in table["columns"]], "rows": [[*map(cell, row)] for row in table["rows"]]}
    return {**table, **shown, **cells}


def _figure(figure: Mapping[str, Any]) -> dict[str, Any]:
    """The title and, clause by clause, the words for those who cannot see it."""
    clauses = figure["description"].removesuffix(".").split("; ")
    description = "; ".join(WORDS.in_language(clause) for clause in clauses) + "."
    return {**figure, "title": WORDS.in_language(figure["title"]), "description": description}
