"""The evaluation in cells of text: what the terminal prints and the lab's page shows."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from attacks.evaluation.tables import TUNING, AttackJudged, Evaluated, Transfer
from models_ml.evaluation.attack_table import AttackTable
from models_ml.evaluation.attack_text import NOTHING, TextTable, area, difference, share, table_1

UNKNOWN = "not known"


def shown(one: Evaluated, everyone: Sequence[Evaluated], transfers: Sequence[Transfer]) -> list[TextTable]:
    """Everything about one classifier, and how it stands beside the others where there are any."""
    found = [side_by_side_table(everyone)] if len(everyone) > 1 else []
    found += [_table_1(one), _quality(one)]
    found += [_subgroups(judged) for judged in one.attacks if judged.subgroups]
    found += [_calibration(one)]
    return [*found, transfer_table(transfers)] if len(everyone) > 1 else found


def side_by_side_table(everyone: Sequence[Evaluated]) -> TextTable:
    """Table 1 of several classifiers in one line each: the undefended beside the defended."""
    rows = tuple(
        (one.classifier, *_line(table), *_compared(one, judged, table))
        for one in everyone
        for judged in one.attacks
        for table in (judged.table, judged.control)
        if table
    )
    return TextTable(
        key="side-by-side",
        title="Classifiers side by side",
        caption="Fooled: of the images whose real version the classifier got right, those whose twin gets the opposite "
        "diagnosis, each classifier at its own threshold from the tuning split. The last columns are areas less those "
        f"of {everyone[0].classifier} on the same images, with intervals clustered by patient.",
        columns=(
            "classifier",
            "attack",
            "AUC real",
            "AUC adversarial",
            "fooled by removal",
            "by insertion",
            "over all",
            f"AUC real less {everyone[0].classifier}",
            "AUC adversarial less its",
        ),
        rows=rows,
    )


def transfer_table(transfers: Sequence[Transfer]) -> TextTable:
    """Attacks down, classifiers across: the share of right answers that each attack turns."""
    classifiers = tuple(dict.fromkeys(one.classifier for one in transfers))
    rows = []
    for attack, group in groupby(transfers, key=lambda one: one.attack):
        cells = {one.classifier: share(one.fooled) + (" *" if one.own else "") for one in group}
        rows.append((attack, *(cells.get(name, NOTHING) for name in classifiers)))
    return TextTable(
        key="transfer",
        title="Who fools whom: attack × classifier",
        caption="Fooled over all, at each classifier's threshold from the tuning split. An asterisk marks the "
        "classifier that the attack was made for; the others never had a part in it.",
        columns=("attack", *classifiers),
        rows=tuple(rows),
    )


def _table_1(one: Evaluated) -> TextTable:
    tables = [table for judged in one.attacks for table in (judged.table, judged.control) if table]
    return table_1(tables, title=f"Table 1: {one.classifier}")


def _line(table: AttackTable) -> Iterator[str]:
    at = next(decisions for decisions in table.decisions if decisions.name == TUNING)
    yield from (table.name, area(table.auc_real), area(table.auc_flipped))
    yield from (share(value) for value in (at.fooled_by_removal, at.fooled_by_insertion, at.fooled))


def _compared(one: Evaluated, judged: AttackJudged, table: AttackTable) -> tuple[str, str]:
    if not one.compared or table is judged.control:
        return "", ""
    return difference(one.compared.get("real")), difference(one.compared.get(judged.name))


def _quality(one: Evaluated) -> TextTable:
    rows = [
        (
            judged.name,
            ", ".join(judged.runs),
            judged.against or UNKNOWN,
            _figure(judged.quality.get("psnr_median_db"), "{:.1f} dB"),
            _figure(judged.quality.get("ssim_median"), "{:.3f}"),
            str(judged.without_twin),
        )
        for judged in one.attacks
    ]
    return TextTable(
        key="quality",
        title="The attacks",
        columns=("attack", "runs", "made for", "median PSNR", "median SSIM", "test images left alone"),
        rows=tuple(rows),
    )


def _figure(value: float | None, form: str) -> str:
    return NOTHING if value is None else form.format(value)


def _subgroups(judged: AttackJudged) -> TextTable:
    rows = tuple(
        (
            f"{part.column}: {part.value}",
            f"{part.images} ({part.malignant})",
            area(part.auc_real),
            area(part.auc_flipped),
            share(part.fooled_by_removal),
            share(part.fooled_by_insertion),
        )
        for part in judged.subgroups
    )
    return TextTable(
        key=f"subgroups-{judged.name}",
        title=f"Subgroups: {judged.name}",
        caption="At the threshold from the tuning split. Each kind of lesion is set against all images without cancer. "
        "Parts are small and many: they show where to look, and test nothing.",
        columns=("", "images (malignant)", "AUC real", "AUC adversarial", "fooled by removal", "by insertion"),
        rows=rows,
    )


def _calibration(one: Evaluated) -> TextTable:
    rows = tuple(
        (
            found.method + (" (used here)" if found.method == one.recalibration else ""),
            f"{found.ece:.3f}",
            f"{found.brier:.3f}",
            f"{found.slope:.2f}",
            f"{found.intercept:+.2f}",
        )
        for found in one.calibration
    )
    return TextTable(
        key="calibration",
        title="Calibration on the real test images",
        caption="Expected calibration error over bins of equal count, and Brier score, before and after moving the "
        "logits by what the tuning split says. Training sees as many malignant images as others, so that the raw "
        "probability is not the share in the cohort.",
        columns=("recalibration", "ECE", "Brier", "slope", "intercept"),
        rows=rows,
    )
