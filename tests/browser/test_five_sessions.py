"""Rita plays the whole study by keyboard; the database holds one verdict per image, in order."""

from readerstudy.reading.models import Reading
from readerstudy.studies.models import Presentation
from tests.browser.room import Room, positions, verdicts

KEYS = {"1": "real", "2": "not_real", "3": "unsure"}


def key_for(position: int) -> str:
    return "123"[position % 3]


def test_rita_reads_all_five_sessions_by_keyboard(page, live_server, transactional_db, study, rita):
    room = Room(page, live_server.url, study.code)
    page.goto(live_server.url)
    page.get_by_label("Username").fill("rita")
    page.get_by_label("Password").fill("rita-secret-1")
    page.keyboard.press("Enter")
    totals = [plan.total for plan in study.session_plans.order_by("number")]
    for number, total in enumerate(totals, start=1):
        begin = page.get_by_role("link", name=f"Begin session {number}")
        begin.focus()
        page.keyboard.press("Enter")
        page.locator("#begin").focus()
        page.keyboard.press("Enter")
        play(room, total, asks=number in (2, 3, 5))
        page.get_by_role("link", name="Your sessions").last.focus()
        page.keyboard.press("Enter")
    page.wait_for_selector("text=Your sessions")
    assert page.get_by_role("link", name="Begin").count() == 0
    for number, total in enumerate(totals, start=1):
        assert positions(number) == list(range(1, total + 1))
    asked = [KEYS[key_for(position)] for position in range(1, totals[2] + 1)]
    assert verdicts(3) == asked
    assert set(verdicts(1) + verdicts(4)) == {"seen"}
    assert Reading.objects.count() == Presentation.objects.filter(reading_list__enrollment__reader=rita).count()
    assert room.mishaps == []


def play(room: Room, total: int, *, asks: bool) -> None:
    """Answer everything, with a reload and a way back and forth in the middle."""
    for position in range(1, total + 1):
        room.stands_at(position)
        if position == 2:
            room.page.reload()
            room.stands_at(2)
        if position == 3:
            room.page.go_back()
            room.page.wait_for_selector("h1:text('Your sessions')")
            room.page.go_forward()
            room.stands_at(3)
        room.press(key_for(position) if asks else ("Enter" if position % 2 else " "))
    room.in_state("done")
