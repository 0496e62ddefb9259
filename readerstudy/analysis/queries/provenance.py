"""Hashes, networks and software versions: the provenance of a report."""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import readerstudy
from readerstudy.analysis.record.conduct import AttackRun, NetworkRun, SoftwareVersions, StartingWeights
from readerstudy.experiments.models import Attack, Checkpoint, CheckpointKind
from readerstudy.provenance import source_hash
from readerstudy.studies.models import Allocation, Study
from readerstudy.vocabulary import MADE_ELSEWHERE

_PACKAGES = ("Django", "numpy", "scipy", "matplotlib")


def network_runs(names: Sequence[str]) -> Mapping[str, NetworkRun]:
    """Return the registered runs and the imports of adversarial images among `names`."""
    imported = Attack.objects.filter(name__in=names, method__in=MADE_ELSEWHERE)
    rows = Checkpoint.objects.filter(name__in=names).select_related("job")
    return {
        **{row.name: _imported(row) for row in imported},
        **{
            row.name: NetworkRun(
                row.name,
                row.kind,
                row.preset,
                row.seed,
                row.code_version,
                row.split_hash,
                start=_start(row),
                config=row.config,
                metrics=row.metrics,
            )
            for row in rows
        },
    }


def _start(row: Checkpoint) -> StartingWeights | None:
    if row.kind == CheckpointKind.GENERATOR:
        return StartingWeights.RUN if row.made_from_id else None
    if row.kind != CheckpointKind.CLASSIFIER or row.job is None:
        return None
    return StartingWeights.FILE if row.job.parameters.get("vgg_weights") else StartingWeights.RANDOM


def _imported(row: Attack) -> NetworkRun:
    made_by, description = (str(row.settings.get(key, "")) for key in ("made_by", "description"))
    return NetworkRun(row.name, row.method, code_version=row.code_version, made_by=made_by, description=description)


def generators_and_attacks(names: Sequence[str]) -> tuple[tuple[NetworkRun, ...], tuple[AttackRun, ...]]:
    """Return the generator runs and the attacks without one that made images under these names.

    A name that is not registered is taken for a generator's.
    """
    rows = {row.name: row for row in Attack.objects.filter(name__in=names).select_related("generator", "classifier")}
    # Post-processing other than the default adds a suffix to the run's name.
    run_names = {name: _run_of(row) for name, row in rows.items()}
    of_generators = [name for name in names if run_names.get(name, name)]
    runs = network_runs([run_names.get(name, name) for name in of_generators])
    generators = [
        replace(runs.get(run_names.get(name, name), NetworkRun(name, CheckpointKind.GENERATOR)), name=name)
        for name in of_generators
    ]
    attacks = [_attack_run(rows[name]) for name in names if name not in of_generators]
    return tuple(generators), tuple(attacks)


def _run_of(row: Attack) -> str:
    """Return the name of the run or of the import that made an attack's images; empty for a gradient attack."""
    if row.method in MADE_ELSEWHERE:
        return row.name
    return row.generator.name if row.generator else ""


def _attack_run(row: Attack) -> AttackRun:
    classifier = row.classifier.name if row.classifier else ""
    return AttackRun(row.name, row.method, row.settings, classifier, row.seed, row.code_version)


@cache
def software_versions() -> SoftwareVersions:
    """Return the versions of this software, Python and the numerical packages."""
    packages = {"Python": platform.python_version(), **{name: _version(name) for name in _PACKAGES}}
    return SoftwareVersions(version=readerstudy.__version__, source_hash=source_hash("readerstudy"), packages=packages)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def plan_hash(plan: Mapping[str, Any]) -> str:
    """Return SHA-256 of a plan as canonical JSON."""
    return text_hash(json.dumps(plan, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


def draw_hash(study: Study) -> str:
    """Return SHA-256 over session, arm and position of every allocation, with the SHA-256 of the image file."""
    rows = (
        Allocation.objects.filter(session_plan__study=study)
        .order_by("session_plan__number", "arm__name", "position")
        .values_list("session_plan__number", "arm__name", "position", "stimulus__sha256")
    )
    return text_hash("\n".join("|".join(map(str, row)) for row in rows))


def text_hash(text: str) -> str:
    """Return SHA-256 of a text in UTF-8, in hexadecimal."""
    return sha256(text.encode()).hexdigest()
