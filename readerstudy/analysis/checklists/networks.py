"""Recorded facts about networks and attacks, as sentences of a reporting checklist; "" if nothing is recorded."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from readerstudy.analysis.checklists.material import MaterialFacts
from readerstudy.analysis.plan.plan_table import endpoint_in_full
from readerstudy.analysis.record.conduct import AttackRun, NetworkRun, StartingWeights
from readerstudy.experiments.attack_words import attack_words
from readerstudy.experiments.models import CheckpointKind
from readerstudy.experiments.tables.cells import rule_label, subgroup_label
from readerstudy.layout.numbers import localise
from readerstudy.layout.table import NOTHING
from readerstudy.results.evaluation import AttackTable, Subgroup
from readerstudy.statistics.proportions import Proportion
from readerstudy.statistics.roc import AreaUnderCurve


@dataclass(frozen=True)
class NetworkFacts(MaterialFacts):
    """Facts of one study about its networks, its attacks and their evaluation."""

    def runs(self) -> str:
        runs = [f"{run.name} ({CheckpointKind(run.kind).label}, {run.preset or '?'})" for run in self._runs]
        return "; ".join(
            [*runs, *(f"{attack.name}: {attack_words(attack.method, attack.settings)}" for attack in self._attack_runs)]
        )

    def starts(self) -> str:
        """Return from which weights each network started, and the seeds."""
        starts = "; ".join(f"{run.name}: {_start_name(run.start)}" for run in self._runs if run.start)
        seeds = ", ".join(f"{run.name} {run.seed}" for run in self._all_runs if run.seed is not None)
        weights = _("Initial weights: %(starts)s.") % {"starts": starts} if starts else ""
        return " ".join(filter(None, (weights, _("Seeds: %(seeds)s.") % {"seeds": seeds} if seeds else "")))

    def training(self) -> str:
        """Return the settings of each training: batches, length, optimiser, loss and augmentation."""
        return " ".join(_training_sentence(run) for run in self._runs if run.config)

    def unknown_starts(self) -> str:
        """Return what is missing about initial weights; "" if nothing is."""
        return "" if all(run.start for run in self._runs) else _("with which weights each network began")

    def selection(self) -> str:
        """Return by which rule the weights of each network were kept."""
        return " ".join(filter(None, map(_selection_sentence, self._runs)))

    def development(self) -> str:
        """Return how networks were trained, on which patients, and how their weights were kept."""
        return " ".join(filter(None, (self.runs(), self.partitions(), self.training(), self.selection())))

    def explained(self) -> str:
        return _("None was evaluated in this study.") if self.conduct else ""

    def external(self) -> str:
        return _("None: every figure is about images of the same cohort.") if self.conduct else ""

    def ensemble(self) -> str:
        if not (self.conduct and self.conduct.classifier):
            return ""
        return _("None: the single run %(name)s was evaluated.") % {"name": self.conduct.classifier.name}

    @property
    def _runs(self) -> tuple[NetworkRun, ...]:
        if not self.conduct:
            return ()
        generators = (run for run in self.conduct.generators if not run.is_imported)
        return (*([self.conduct.classifier] if self.conduct.classifier else []), *generators)

    @property
    def _attack_runs(self) -> tuple[AttackRun, ...]:
        return self.conduct.attacks if self.conduct else ()

    @property
    def _all_runs(self) -> tuple[NetworkRun | AttackRun, ...]:
        return (*self._runs, *self._attack_runs)

    def software(self) -> str:
        if not self.conduct:
            return ""
        packages = self.conduct.software.packages.items()
        return ", ".join(f"{name} {version}".strip() for name, version in packages)

    def availability(self) -> str:
        if not self.conduct:
            return ""
        codes = sorted({run.code_version for run in self._all_runs if run.code_version})
        return _("This software %(version)s, source files %(hash)s…; code of networks and attacks %(codes)s.") % {
            "version": self.conduct.software.version or "?",
            "hash": self.conduct.software.source_hash[:12],
            "codes": ", ".join(codes) or "?",
        }

    def metrics(self) -> str:
        readers = _("Readers: %(figure)s.") % {"figure": endpoint_in_full(self.plan.primary)}
        classifier = _("Classifier: AUC, correct diagnoses, fooled (Table 1).")
        return f"{readers} {classifier}" if self._attacks() else readers

    def tested(self) -> str:
        parts = [
            _("%(resolution)s: %(images)s images of %(patients)s patients")
            % {"resolution": resolution, "images": table.images, "patients": table.patients}
            for resolution, table in self._attacks().items()
        ]
        return _("Test split of the same cohort, %(parts)s.") % {"parts": "; ".join(parts)} if parts else ""

    def areas(self) -> str:
        parts = []
        for resolution, table in self._attacks().items():
            real, flipped = (_interval(area) for area in (table.auc_real, table.auc_flipped))
            values = {"resolution": resolution, "real": real, "flipped": flipped}
            parts.append(_("%(resolution)s: AUC real %(real)s, adversarial (flipped label) %(flipped)s") % values)
        return "; ".join(parts)

    def robustness(self) -> str:
        """Return which figures show how far the results depend on thresholds, baselines and rules."""
        rules = _(
            "Readers: the results under every rule for “unsure” and for incomplete readers, and by sub-group of images."
        )
        return " ".join(filter(None, (self.fooled(), rules))) if self.conduct else self.fooled()

    def fooled(self) -> str:
        parts = []
        for resolution, table in self._attacks().items():
            for decisions in table.decisions:
                values = {
                    "resolution": resolution,
                    "threshold": localise(f"{decisions.threshold:.3f}"),
                    "rule": rule_label(decisions.rule),
                    "fooled": f"{decisions.fooled.hits:g}/{decisions.fooled.trials}",
                }
                parts.append(_("%(resolution)s, threshold %(threshold)s (rule: %(rule)s): %(fooled)s") % values)
        return _("Fooled by the attack, by threshold: %(parts)s.") % {"parts": "; ".join(parts)} if parts else ""

    def subgroups(self) -> str:
        """Return the parts of the test images between which the share fooled differs most."""
        evaluations = self.record.attack.by_resolution.values() if self.record.attack else ()
        parts = [part for each in evaluations for part in each.subgroups if part.fooled.share is not None]
        if len({(part.column, part.value) for part in parts}) < 2:
            return ""
        low, high = (choose(parts, key=lambda part: part.fooled.share or 0) for choose in (min, max))
        sentence = _("Share fooled by subgroup of the test images: from %(low)s to %(high)s.")
        return sentence % {"low": _subgroup_share(low), "high": _subgroup_share(high)}

    def diagnostic_accuracy(self) -> str:
        """Return the classifier’s shares of right diagnoses on real images, by resolution and threshold."""
        parts = []
        for resolution, table in self._attacks().items():
            for decisions in table.decisions:
                shares = (decisions.positives_right, decisions.negatives_right)
                sensitivity, specificity = (_share_text(share) for share in shares)
                values = {
                    "resolution": resolution,
                    "threshold": localise(f"{decisions.threshold:.3f}"),
                    "sensitivity": sensitivity,
                    "specificity": specificity,
                }
                parts.append(
                    _(
                        "%(resolution)s, threshold %(threshold)s: sensitivity %(sensitivity)s, "
                        "specificity %(specificity)s"
                    )
                    % values
                )
        return _("Classifier on the real test images: %(parts)s.") % {"parts": "; ".join(parts)} if parts else ""

    def _attacks(self) -> Mapping[str, AttackTable]:
        """Return Table 1 by resolution."""
        by_resolution = self.record.attack.by_resolution if self.record.attack else {}
        return {resolution: evaluation.table for resolution, evaluation in by_resolution.items()}


def _start_name(start: StartingWeights) -> str:
    return {
        StartingWeights.FILE: _("a file of VGG11 weights"),
        StartingWeights.RANDOM: _("random"),
        StartingWeights.RUN: _("generator random, discriminator from the classifier"),
    }[start]


def _training_sentence(run: NetworkRun) -> str:
    """Return the settings of one training that its registered configuration holds."""
    names = {
        "rows": _("rows"),
        "columns": _("columns"),
        "images_per_class": _("images of each class in a batch"),
        "fnet_rate": _("learning rate of the inner layers"),
        "vnet_rate": _("learning rate of the trunk"),
        "betas": _("betas of Adam"),
        "focal_gamma": _("gamma of the focal loss"),
        "penalty_weight": _("weight of the gradient penalty"),
        "dropout": _("dropout"),
        "length": _("length"),
        "augmentation": _("augmentation"),
    }
    settings = ", ".join(f"{name} {_setting(run.config[key])}" for key, name in names.items() if key in run.config)
    values = {"run": run.name, "preset": run.preset, "settings": settings}
    return _("%(run)s: preset %(preset)s, %(settings)s.") % values


def _setting(value: object) -> str:
    """Return a setting in one line: lists by commas, nested settings without those that are 0."""
    match value:
        case Mapping():
            return "(" + ", ".join(f"{key} {_setting(part)}" for key, part in value.items() if part) + ")"
        case list() | tuple():
            return "/".join(map(_setting, value))
        case float():
            return localise(f"{value:g}")
    return str(value)


def _selection_sentence(run: NetworkRun) -> str:
    if (auc := run.metrics.get("tuning_auc")) is not None:
        sentence = _("%(run)s: the weights with the greatest AUC on the tuning split, %(auc)s.")
        return sentence % {"run": run.name, "auc": localise(f"{auc:.3f}")}
    if (step := run.metrics.get("kept_step")) is None:
        return ""
    if run.config.get("snapshots"):
        sentence = _("%(run)s: the weights of step %(step)s, by the rule of its preset for snapshots.")
    else:
        sentence = _("%(run)s: the last weights, of step %(step)s.")
    return sentence % {"run": run.name, "step": step}


def _subgroup_share(part: Subgroup) -> str:
    return f"{subgroup_label(part.column, part.value)} {_share_text(part.fooled)}"


def _share_text(share: Proportion) -> str:
    if share.share is None or share.low is None or share.high is None:
        return NOTHING
    return localise(f"{share.share:.2f} ({share.low:.2f}–{share.high:.2f}; {share.hits:g}/{share.trials})")


def _interval(area: AreaUnderCurve | None) -> str:
    return NOTHING if area is None else localise(f"{area.value:.2f} ({area.low:.2f}–{area.high:.2f})")
