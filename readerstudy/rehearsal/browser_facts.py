"""What one presentation brought to the reader's browser, and the facts that the blinding audit takes from it.

Add a family for whatever is added to the reader's path.
"""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from readerstudy.client.api_client import RawResponse
from readerstudy.client.messages import AidData
from readerstudy.imaging.png16 import decode_png
from readerstudy.modalities.modality import Modality
from readerstudy.rehearsal.storage_features import storage_facts
from readerstudy.studies.models import Presentation


@dataclass(frozen=True)
class Observation:
    """Everything that the browser received for one blinded presentation."""

    session: int
    position: int
    code: str
    address: str
    step: RawResponse
    images: tuple[RawResponse, ...]  # the same address, fetched several times
    conditional: RawResponse  # fetched again with the header fields of a cache
    aid: AidData | None = None  # beside the image; `step` is without it


# --- the aid: a permitted channel --------------------------------------------------------------------------------
def without_aid(response: RawResponse) -> tuple[RawResponse, AidData | None]:
    """Return a step without what the aid says of its images, and the aid of the current one."""
    step = json.loads(response.body)
    aids = [step[name].pop("aid", None) for name in ("stimulus", "next", "after_next") if step.get(name)]
    if not any(aids):
        return response, None
    body = json.dumps(step, separators=(",", ":"), ensure_ascii=False).encode()
    return replace(response, body=body), aids[0]


def aid_faults(observations: Iterable[Observation], aided: Collection[int]) -> dict[str, int]:
    """Return how many presentations have an aid without the rule, or none with it. `aided`: numbers of sessions."""
    traces = [each.session not in aided for each in observations if each.aid or b'"aid":' in each.step.body]
    missing = [each for each in observations if each.session in aided and not each.aid]
    return {"aid_traces": sum(traces), "aid_missing": len(missing)}


def aid_facts(observation: Observation) -> dict[str, float]:
    """Return what a reader could infer from by the aid alone."""
    aid = observation.aid
    return {"score": float(aid["score"]), "above the threshold": float(aid["above"])} if aid else {}


# --- families: each returns facts of one presentation by name --------------------------------------------------
Facts = Callable[[Observation], dict[str, float]]


def _codes(observation: Observation) -> dict[str, float]:
    code = observation.code
    digits = {f"digit {digit}": float(code.count(digit)) for digit in "0123456789abcdef"}
    return {**digits, "first digits as a number": float(int(code[:8], 16))}


def _order(observation: Observation) -> dict[str, float]:
    return {"position": float(observation.position), "odd position": float(observation.position % 2)}


def _addresses(observation: Observation) -> dict[str, float]:
    address = observation.address
    rest = address.replace(observation.code, "")
    return {"length": float(len(address)), "parts": float(rest.count("/")), "rest": float(sum(rest.encode()))}


def _headers(observation: Observation) -> dict[str, float]:
    image, step = observation.images[0], observation.step
    facts = {"picture's fields": float(len(image.headers)), "step's fields": float(len(step.headers))}
    for kind, response in (("picture", image), ("step", step)):
        for name, value in response.headers:
            # The date and the number of digits of the position depend on the time, not on the image.
            if name.lower() not in ("date", "content-length"):
                facts[f"{kind} {name}"] = float(sum(value.encode()))
    return facts


def _step_values(observation: Observation) -> dict[str, float]:
    """Return every number and flag of the step and of its images, except the position (see `_order`)."""
    step = json.loads(observation.step.body)
    parts = {"step": step, "picture": step["stimulus"]}
    parts |= {"next picture": step["next"] or {}, "picture after it": step["after_next"] or {}}
    return {
        f"{part} {name}": float(value)
        for part, fields in parts.items()
        for name, value in fields.items()
        if isinstance(value, int | float) and name != "position"
    }


def _lengths(observation: Observation) -> dict[str, float]:
    image, step = observation.images[0], observation.step
    # A flag is one character longer if it is false; its value is among the facts of `_step_values`.
    digits = len(str(observation.position)) + step.body.count(b"false")
    return {
        "picture": float(len(image.body)),
        "picture's Content-Length": float(dict(image.headers).get("Content-Length", 0)),
        "step": float(len(step.body) - digits),
    }


def _times(observation: Observation) -> dict[str, float]:
    seconds = [response.seconds for response in observation.images]
    return {"first fetch": seconds[0], "fastest fetch": min(seconds), "step": observation.step.seconds}


def _cache(observation: Observation) -> dict[str, float]:
    first, again = observation.images[0], observation.conditional
    return {
        "status of a conditional fetch": float(again.status),
        "length of a conditional fetch": float(len(again.body)),
        "same fields": float({name for name, _ in first.headers} == {name for name, _ in again.headers}),
    }


def pixels(modality: Modality) -> Facts:
    """Return the facts of the picture that was received."""
    return lambda observation: modality.pixel_facts(decode_png(observation.images[0].body))


def stored(observations: Sequence[Observation]) -> Facts:
    """Return the facts of a stimulus on the server, which only the database connects with the code."""
    codes = [observation.code for observation in observations]
    rows = Presentation.objects.filter(code__in=codes).select_related("stimulus")
    by_code = {row.code: storage_facts(row.stimulus) for row in rows}
    return lambda observation: by_code[observation.code]


BROWSER_FAMILIES: dict[str, Facts] = {
    "codes": _codes,
    "order": _order,
    "addresses": _addresses,
    "values of the step": _step_values,
    "header fields": _headers,
    "lengths": _lengths,
    "response times": _times,
    "cache behaviour": _cache,
}
