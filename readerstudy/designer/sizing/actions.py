"""Sizing a draft: assumptions to begin with, simulations as jobs, and keeping the result in the plan."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import numpy as np
from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.cohort.models import Image
from readerstudy.designer.sizing.computed import can_be_sized, compared_sessions, compute, simulated_plan
from readerstudy.errors import BadInput
from readerstudy.jobs.models import Job, JobStatus
from readerstudy.jobs.queue import enqueue, new_job
from readerstudy.protocol.comparisons import DIFFERENCE, NOT_LOWER
from readerstudy.protocol.document import Protocol
from readerstudy.protocol.sizing import ASSUMPTIONS, MOST_SIMULATIONS, Sizing, check_sizing
from readerstudy.protocol.values import changed
from readerstudy.serialise import from_dict, to_dict
from readerstudy.statistics.mrmc.simulated_plan import SimulatedPlan, simulated_power
from readerstudy.studies.actions import edit_draft
from readerstudy.studies.models import Enrollment, Study, WrongStatus

SIMULATE_POWER: Final = "simulate-power"
USUAL_READERS: Final = 5
USUAL_RUNS: Final = 1000
SEED: Final = 1  # the same assumptions give the same result


def first_sizing(study: Study) -> Sizing:
    """Return the sizing that the plan keeps, or usual assumptions with the enrolled readers and the cohort's images."""
    kept = study.protocol.analysis.sizing
    if kept.is_kept:
        return kept
    enrolled = Enrollment.objects.filter(study=study, withdrawn_at=None).count()
    return replace(
        kept,
        readers=enrolled if enrolled > 1 else USUAL_READERS,
        images_per_patient=images_per_patient(study),
    )


def images_per_patient(study: Study) -> float:
    """Return how many images of a patient both compared sessions show on average, if they draw at random."""
    protocol = study.protocol
    if not can_be_sized(protocol):
        return 1.0
    sessions = compared_sessions(protocol)
    drawn = sessions[:1] if protocol.show_same_images(protocol.analysis.before, protocol.analysis.after) else sessions
    splits = {split for session in drawn for split in session.splits}
    pool = Image.objects.filter(exam__patient__cohort=study.cohort, exam__patient__split__in=splits).aggregate(
        images=Count("pk"), patients=Count("exam__patient", distinct=True)
    )
    if not pool["images"]:
        return 1.0
    each, share = pool["images"] / pool["patients"], min(1.0, sum(session.total for session in drawn) / pool["images"])
    # A patient without a drawn image does not count.
    return float(max(1.0, round(share * each / (1 - (1 - share) ** each), 2)))


def computed(protocol: Protocol, sizing: Sizing) -> Sizing:
    """Return the sizing with its computed powers. Raises BadInput for impossible assumptions or without comparison."""
    _require_comparison(protocol)
    changed(Sizing(), {name: getattr(sizing, name) for name in ASSUMPTIONS}, "sizing")
    check_sizing(sizing, location="sizing")
    if sizing.readers < 2:
        raise BadInput("sizing readers: " + _("a comparison over readers needs at least two."))
    plan = _simulated_plan(protocol, sizing)
    if not plan.baseline + sizing.difference < 1:
        values = {"figure": f"{plan.baseline:.2f}", "difference": f"{sizing.difference:g}"}
        raise BadInput(
            "sizing difference: "
            + _("the primary figure is %(figure)s as assumed, so it cannot rise by %(difference)s.") % values
        )
    try:
        outlook = compute(protocol, sizing)
    except ValueError as error:  # nothing varies
        raise BadInput("sizing sd_readers: " + _("neither readers nor images vary; any size is enough.")) from error
    return replace(
        sizing.assumptions,
        source=sizing.source,
        power=round(outlook.found.power, 4),
        equivalence_power=round(outlook.equivalence.power, 4),
        claim_power=None if outlook.claim is None else round(outlook.claim.power, 4),
    )


def simulation_parameters(study: Study, sizing: Sizing, *, runs: int) -> dict[str, Any]:
    """Return the parameters of the job that simulates the plan of a study under these assumptions."""
    analysis = study.protocol.analysis
    claim = {} if analysis.claim == DIFFERENCE else {"claim": analysis.claim}
    return {
        "study": study.code,
        "plan": to_dict(_simulated_plan(study.protocol, sizing)),
        "difference": sizing.difference,
        "margin": analysis.margin,
        "alpha": analysis.alpha,
        "runs": runs,
        "seed": SEED,
        **claim,
    }


@transaction.atomic
def start_simulation(*, study: Study, sizing: Sizing, runs: int, actor: User, at: datetime) -> Job:
    """Queue a job that simulates the plan, and return it; the one that is under way if there is one.

    Raises WrongStatus unless the study can be edited, BadInput for impossible assumptions.
    """
    _require_draft(study)
    if not 1 <= runs <= MOST_SIMULATIONS:
        raise BadInput(_("Simulate 1 to %(most)s studies.") % {"most": MOST_SIMULATIONS})
    computed(study.protocol, sizing)
    parameters = simulation_parameters(study, sizing, runs=runs)
    job = new_job(SIMULATE_POWER, parameters, requested_by=actor, at=at)
    if job.queued_at == at:  # otherwise it is one that was there before
        record("job.started", actor=actor, subject=job, at=at, kind=job.kind, study=study.code)
        enqueue(job)
    return job


def simulate(parameters: Mapping[str, Any], progress: Callable[[int, int], None] = lambda *_: None) -> dict[str, float]:
    """Simulate the studies of a job and return its result."""
    plan = from_dict(SimulatedPlan, parameters["plan"])
    found = simulated_power(
        plan,
        difference=parameters["difference"],
        margin=parameters["margin"],
        alpha=parameters["alpha"],
        runs=parameters["runs"],
        rng=np.random.default_rng(parameters["seed"]),
        progress=progress,
    )
    shares = {
        "simulated_power": found.power,
        "simulated_equivalence": found.equivalence,
        "simulated_false_findings": found.false_positive,
    }
    if claim := parameters.get("claim"):
        shares["simulated_claim"] = found.not_lower if claim == NOT_LOWER else found.not_higher
    values = {name: share.share for name, share in shares.items() if share.share is not None}
    return {"simulations": parameters["runs"], "undefined": found.undefined, **values}


def with_simulation(study: Study, sizing: Sizing) -> Sizing:
    """Return the computed sizing with the largest finished simulation of the same plan and assumptions."""
    sizing = computed(study.protocol, sizing)
    wanted = simulation_parameters(study, sizing, runs=0)
    jobs = Job.objects.filter(kind=SIMULATE_POWER, status=JobStatus.DONE, parameters__study=study.code)
    results = [job.result or {} for job in jobs if {**job.parameters, "runs": 0} == wanted]
    return with_result(sizing, max(results, key=lambda result: result.get("simulations", 0), default={}))


def with_result(sizing: Sizing, result: Mapping[str, Any]) -> Sizing:
    """Return the sizing with the result of `simulate`."""
    return replace(sizing, **{name: value for name, value in result.items() if name != "undefined"})


@transaction.atomic
def keep_sizing(
    *,
    study: Study,
    sizing: Sizing,
    base: str | None,
    actor: User | None,
    at: datetime,
    result: Mapping[str, Any] | None = None,
) -> Sizing:
    """Store the assumptions with their results in the plan of a draft, and return them.

    The powers are computed here; those by simulation are `result`, that of `simulate`, or else of the finished job.
    Raises WrongStatus unless the study can be edited, ChangedMeanwhile as `edit_draft`, BadInput for impossible
    assumptions.
    """
    _require_draft(study)
    kept = with_result(computed(study.protocol, sizing), result) if result else with_simulation(study, sizing)
    protocol = study.protocol
    edit_draft(
        study=study,
        actor=actor,
        at=at,
        protocol=replace(protocol, analysis=replace(protocol.analysis, sizing=kept)),
        base=base,
    )
    return kept


def _require_draft(study: Study) -> None:
    if not study.is_editable:
        values = {"code": study.code, "state": study.state}
        raise WrongStatus(_("The study %(code)s is %(state)s; only a draft can be sized.") % values)


def _require_comparison(protocol: Protocol) -> None:
    if not can_be_sized(protocol):
        raise BadInput(
            "sizing: "
            + _("the plan compares no two sessions with images for the primary figure, so there is no power.")
        )


def _simulated_plan(protocol: Protocol, sizing: Sizing) -> SimulatedPlan:
    try:
        return simulated_plan(protocol, sizing)
    except ValueError as error:
        raise BadInput(f"sizing: {error}") from error
