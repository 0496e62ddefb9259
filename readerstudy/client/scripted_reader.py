"""A reader without eyes: plays sessions to the end by a function that decides the verdicts."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from readerstudy.client.messages import QuestionData, StepData
from readerstudy.client.reader_client import ReaderClient

Decide = Callable[[StepData], tuple[str, int]]  # returns the verdict and the elapsed milliseconds

PASSING_DISPLAY: Final[Mapping[str, Any]] = {
    "letters": [{"ground": ground, "shown": "KHRDN", "typed": "KHRDN"} for ground in ("dark", "middle", "bright")],
    "squares": {"dark": True, "bright": True},
    "card_px_per_mm": None,
    "light": "dim",
    "screen": {
        "width": 2048,
        "height": 2560,
        "device_pixel_ratio": 1.0,
        "color_depth": 30,
        "viewport": [2048, 2460],
        "full_screen": True,
    },
}
_PRACTICE_MS: Final = 1000
_CLOSING_MS: Final = 20_000


def play_session(client: ReaderClient, study: str, number: int, decide: Decide) -> Iterator[StepData]:
    """Open the session and answer every step. Each step is yielded while it is current, then answered.

    The display check passes. The practice image gets the first verdict. A session without a choice of verdicts gets
    its only one, and the elapsed time of `decide`. Questions at the end are answered.
    """
    client.check_display(study, number, PASSING_DISPLAY)
    step = client.open_session(study, number)
    if step["kind"] == "practise":
        step = _answer(client, study, number, step, step["verdicts"][0], _PRACTICE_MS)
    while step["kind"] in ("read", "teach"):
        yield step
        verdict, elapsed_ms = decide(step)
        if len(step["verdicts"]) == 1:
            verdict = step["verdicts"][0]
        step = _answer(client, study, number, step, verdict, elapsed_ms)
    if step["kind"] == "ask":
        client.give_answers(study, number, required_answers(step), elapsed_ms=_CLOSING_MS)


def required_answers(step: StepData, verdict: str = "") -> dict[str, Any]:
    """Return answers to the questions that this verdict, or the end, requires: the first of the possible ones."""
    return {
        question["name"]: _first_answer(question, step)
        for question in step["questions"]
        if question["required"] and (not question["after"] or verdict in question["after"])
    }


def _first_answer(question: QuestionData, step: StepData) -> Any:
    """Return the first choice, the lowest number, a text, or the centre of the image."""
    match question["kind"]:
        case "choice":
            return question["choices"][0]["value"]
        case "choices":
            return [question["choices"][0]["value"]]
        case "scale" | "number":
            if question["minimum"] is None:
                return min(0, math.floor(question["maximum"] or 0))
            is_whole = question["whole"] or question["kind"] == "scale"
            return math.ceil(question["minimum"]) if is_whole else question["minimum"]
        case "text":
            return "simulated"[: question["longest"]]
        case "mark":
            return [[step["stimulus"]["width"] // 2, step["stimulus"]["height"] // 2]]


def _answer(client: ReaderClient, study: str, number: int, step: StepData, verdict: str, elapsed_ms: int) -> StepData:
    # The key is random, never from a seed: a rehearsal that is resumed must not use a key twice.
    receipt = client.give_verdict(
        study,
        number,
        step,
        verdict,
        elapsed_ms=elapsed_ms,
        answers=required_answers(step, verdict),
        paradata={"simulated": True},
    )
    return receipt["step"]
