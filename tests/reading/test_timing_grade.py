"""The grade of a reading's time: where the browser's account and the server's two stamps agree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readerstudy.reading.timing_grade import Grade, grade

CASES = [
    ("the clocks agree", 5000, 5100, {}, "A", ()),
    ("within what a request may take", 5000, 5900, {}, "A", ()),
    ("two hundredths of a long look", 100_000, 102_800, {}, "A", ()),
    (
        "the server saw far more than the browser, and nothing explains it",
        5000,
        9000,
        {},
        "C",
        ("shorter_than_server",),
    ),
    ("the browser claims more than the server gave", 9000, 5000, {}, "C", ("longer_than_server",)),
    ("the picture stood before the verdict before it was saved", 9000, 5000, {"ahead_ms": 4100}, "A", ()),
    ("a pause that is accounted for", 5000, 65_000, {"paused_ms": 60_000}, "B", ("paused",)),
    ("questions take time too", 5000, 12_000, {"questions_ms": 7000}, "A", ()),
    ("a break before the image", 5000, 605_000, {"rested_ms": 600_000}, "A", ()),
    ("the moment to take the answer back", 5000, 7000, {"grace_ms": 2000}, "A", ()),
    ("the network was away", 5000, 35_000, {"waited_ms": 30_000}, "B", ("waited",)),
    ("reloaded: seen before", 2000, 9000, {"reloaded": True}, "B", ("reloaded", "shorter_than_server")),
    (
        "the first of a page, long after",
        2000,
        9000,
        {"first_of_page": True},
        "B",
        ("first_of_page", "shorter_than_server"),
    ),
    ("the first of a page, at once", 2000, 2300, {"first_of_page": True}, "A", ()),
    ("idle", 90_000, 90_200, {"idle_ms": 30_000}, "B", ("idle",)),
    ("hidden without a pause", 9000, 9100, {"hidden_ms": 4000}, "B", ("hidden",)),
    ("hidden and paused", 5000, 9100, {"hidden_ms": 4000, "paused_ms": 4000}, "B", ("paused",)),
    ("nonsense counts as nothing", 5000, 5100, {"paused_ms": "long", "idle_ms": -1, "waited_ms": True}, "A", ()),
]


@pytest.mark.parametrize(
    ("elapsed", "server", "paradata", "letter", "reasons"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_the_grade_follows_what_both_clocks_say(elapsed, server, paradata, letter, reasons):
    found = grade(elapsed_ms=elapsed, server_ms=server, paradata=paradata, after_gap=False)
    assert (found.grade, found.reasons) == (Grade(letter), reasons)


def test_a_reading_after_a_gap_is_never_graded_a():
    assert grade(elapsed_ms=5000, server_ms=5000, paradata={}, after_gap=True).grade == Grade.B


numbers = st.one_of(st.integers(), st.floats(), st.none(), st.booleans(), st.text(max_size=3))
NAMES = (
    "paused_ms",
    "questions_ms",
    "waited_ms",
    "ahead_ms",
    "grace_ms",
    "idle_ms",
    "hidden_ms",
    "blurred_ms",
    "reloaded",
)


@given(st.integers(0, 10**8), st.integers(0, 10**8), st.dictionaries(st.sampled_from(NAMES), numbers), st.booleans())
def test_whatever_a_browser_sends_gets_a_grade_and_a_reason_below_a(elapsed, server, paradata, after_gap):
    found = grade(elapsed_ms=elapsed, server_ms=server, paradata=paradata, after_gap=after_gap)
    assert (found.grade == Grade.A) == (not found.reasons)
