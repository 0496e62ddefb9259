"""Rita plays the whole study by keyboard; the database holds one verdict per image, in order."""

from tests.browser.room import Room

KEYS = {"1": "real", "2": "not_real", "3": "unsure"}


def key_for(position: int) -> str:
    return "123"[position % 3]


def test_rita_reads_all_five_sessions_by_keyboard(page, server, study, rita):
    room = Room(page, server.url, study.code, rita)
    page.goto(server.url)
    room.sign_in()
    totals = [plan.total for plan in study.session_plans.order_by("number")]
    for number, total in enumerate(totals, start=1):
        begin = page.get_by_role("link", name=f"Begin session {number}")
        begin.focus()
        page.keyboard.press("Enter")
        room.begin()
        play(room, total, asks=number in (2, 3, 5), astray=number in (3, 4))
        page.get_by_role("link", name="Your sessions").last.focus()
        page.keyboard.press("Enter")
    page.wait_for_selector("text=Your sessions")
    assert page.get_by_role("link", name="Begin").count() == 0
    for number, total in enumerate(totals, start=1):
        assert room.positions(number) == list(range(1, total + 1))
    asked = [KEYS[key_for(position)] for position in range(1, totals[2] + 1)]
    assert room.verdicts(3) == asked
    assert set(room.verdicts(1) + room.verdicts(4)) == {"seen"}
    assert sum(len(room.readings(number)) for number in range(1, 6)) == sum(totals) == 37
    assert room.mishaps == []


def play(room: Room, total: int, *, asks: bool, astray: bool) -> None:
    """Answer everything; `astray` with a reload and a way back and forth in between."""
    for position in range(1, total + 1):
        room.stands_at(position)
        if astray and position == 2:
            room.page.reload()
            room.stands_at(2)
        if astray and position == 3:
            room.page.go_back()
            room.page.wait_for_selector("h1:text('Your sessions')")
            room.page.go_forward()
            room.stands_at(3)
        room.press(key_for(position) if asks else ("Enter" if position % 2 else " "))
    room.in_state("done")
