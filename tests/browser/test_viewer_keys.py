"""The keys: OHIF's map, changed by the reader, stored on the server for every workstation."""

import pytest
from playwright.sync_api import expect

from tests import walk
from tests.browser.room import Room
from tests.browser.test_page import complaints

# Command: key, as OHIF has it by default, and what says that it worked.
OHIF = {
    "r": "rotated 90°",
    "l": "rotated 270°",
    "h": "flipped",
    "v": "flipped, rotated 180°",
}


@pytest.fixture
def reading(room, rita):
    walk.finish_session(walk.client_of(rita), room.study, 1)
    room.enter(2)
    return room


def badge(page):
    return page.locator("[data-badge]")


def test_the_standard_keys_are_those_of_ohif(reading, page):
    for key, text in OHIF.items():
        reading.press(key)
        expect(badge(page)).to_contain_text(text)
        reading.press("0")
    whole = badge(page).inner_text()
    reading.press("o")
    for key, text in {"+": "125%", "-": "100%", "=": whole.split(",")[0]}.items():
        reading.press(key)
        expect(badge(page)).to_contain_text(text if key != "-" else "1:1")
    for key, name in {"z": "Zoom", "w": "Window", "g": "Pan"}.items():
        reading.press(key)
        expect(page.get_by_role("button", name=name, exact=True)).to_have_attribute("aria-pressed", "true")
    reading.press("i")
    expect(page.get_by_role("button", name="Invert")).to_have_attribute("aria-pressed", "true")
    reading.press("p")
    expect(page.get_by_role("button", name="Full range")).to_have_attribute("aria-pressed", "true")


def test_digits_and_space_are_no_keys_of_the_viewer(reading, page):
    before = reading.pixels()
    for key in ("4", "5", "9", " "):
        reading.press(key)
    assert (reading.pixels() == before).all()
    assert reading.positions(2) == []


def change(page, label, key):
    page.get_by_role("button", name=f"Change the key: {label}").click()
    page.keyboard.press(key)


UNSENT = "Object.fromEntries(Object.entries(localStorage).filter(([name]) => name.includes('keys')))"


def says(page, text):
    expect(page.locator("#help [role=status]")).to_have_text(text)


def test_a_key_can_be_changed_and_stays_changed(reading, page):
    reading.press("?")
    change(page, "Invert", "n")
    says(page, "N is now the key for: Invert.")
    expect(page.locator("[data-keys=invert] kbd")).to_have_text("N")
    page.get_by_role("button", name="Close").click()
    for _ in range(2):
        invert = page.get_by_role("button", name="Invert")
        reading.press("i")
        expect(invert).to_have_attribute("aria-pressed", "false")
        reading.press("n")
        expect(invert).to_have_attribute("aria-pressed", "true")
        page.reload()
        reading.stands_at(1)
    reading.press("?")
    page.get_by_role("button", name="Restore the standard keys").click()
    says(page, "The standard keys are restored.")
    expect(page.locator("[data-keys=invert] kbd")).to_have_text("I")
    page.get_by_role("button", name="Close").click()
    reading.press("i")
    expect(page.get_by_role("button", name="Invert")).to_have_attribute("aria-pressed", "true")


def test_two_keys_are_swapped_in_one_step_for_this_reader(reading, page):
    expect(page.get_by_role("button", name="Invert")).to_have_attribute("title", "Invert (I)")
    reading.press("?")
    with page.expect_response("**/keys/picture/"):
        change(page, "Invert", "r")
    says(page, "R is now the key for: Invert; I for: Rotate right.")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Invert")).to_have_attribute("title", "Invert (R)")
    page.reload()
    reading.stands_at(1)
    reading.press("i")
    expect(badge(page)).to_contain_text("rotated 90°")
    reading.press("r")
    expect(page.get_by_role("button", name="Invert")).to_have_attribute("aria-pressed", "true")
    reading.reader.refresh_from_db()
    assert reading.reader.reading_keys == {"picture": {"invert": ["r"], "turnRight": ["i"]}}


def test_on_another_workstation_the_keys_are_the_same(reading, page, browser, sign_in):
    reading.press("?")
    with page.expect_response("**/keys/picture/"):
        change(page, "Invert", "n")
    context = browser.new_context()
    sign_in(context, reading.reader)
    other = Room(context.new_page(), reading.url, reading.study, reading.reader)
    other.page.goto(other.address(2))
    other.stands_at(1)
    other.press("n")
    expect(other.page.get_by_role("button", name="Invert")).to_have_attribute("aria-pressed", "true")
    context.close()


def test_a_key_that_was_changed_offline_is_sent_with_the_next_page(reading, page):
    page.route("**/keys/picture/", lambda route: route.abort())
    reading.press("?")
    change(page, "Invert", "n")
    says(page, "N is now the key for: Invert.")
    page.unroute("**/keys/picture/")
    assert page.evaluate(UNSENT) == {f"reading.keys.{reading.reader.username}": '{"invert":["n"]}'}
    with page.expect_response("**/keys/picture/"):
        page.reload()
    reading.stands_at(1)
    reading.press("n")
    expect(page.get_by_role("button", name="Invert")).to_have_attribute("aria-pressed", "true")
    assert page.evaluate(UNSENT) == {}
    reading.reader.refresh_from_db()
    assert reading.reader.reading_keys == {"picture": {"invert": ["n"]}}


def test_a_key_has_one_command_and_some_keys_none(reading, page):
    reading.press("?")
    for key in ("1", "9", "Enter", "Backspace", "F5"):
        change(page, "Invert", key)
        shown = key.upper() if len(key) == 1 else key
        says(page, f"{shown} cannot be used. It is reserved for answers, for navigation or for the browser.")
    expect(page.locator("#help")).to_be_visible()
    change(page, "Invert", "Escape")  # lets it be; the list stays open
    expect(page.locator("#help")).to_be_visible()
    expect(page.locator("[data-keys=invert] kbd")).to_have_text("I")
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    assert reading.positions(2) == []
    reading.press("i")
    expect(page.get_by_role("button", name="Invert")).to_have_attribute("aria-pressed", "true")


def test_the_instructions_can_be_read_again(room, page, rita):
    walk.finish_session(walk.client_of(rita), room.study, 1)
    page.goto(room.address(2))
    room.in_state("start")
    instructions = page.locator("[data-section=start] > p").nth(1).inner_text()
    assert instructions
    room.begin()
    room.stands_at(1)
    room.press("?")
    expect(page.locator("#help")).to_contain_text(instructions)


def test_keys_are_changed_by_keyboard_alone(reading, page):
    reading.press("?")
    page.keyboard.press("Tab")
    focused = page.locator("#help button:focus")
    expect(focused).to_have_accessible_name("Change the key: Brighter")
    page.keyboard.press("Enter")
    expect(focused).to_have_text("Press a key…")
    page.keyboard.press("k")
    says(page, "K is now the key for: Brighter.")
    expect(focused).to_have_accessible_name("Change the key: Brighter")
    assert complaints(page) == []


@pytest.mark.parametrize(
    "stored",
    ["{", "7", "null", "[]", '{"invert": "n"}', '{"invert": ["1"]}', '{"invert": ["r"]}', '{"nothing": ["n"]}',
     '{"invert": [""]}', '{"invert": [7]}', '{"toString": ["n"]}'],
)  # fmt: skip
def test_damaged_keys_in_the_browser_are_the_standard_ones(reading, page, stored):
    name = f"reading.keys.{reading.reader.username}"
    page.evaluate("([name, text]) => localStorage.setItem(name, text)", [name, stored])
    page.reload()
    reading.stands_at(1)
    reading.press("n")
    reading.press("i")
    expect(page.get_by_role("button", name="Invert")).to_have_attribute("aria-pressed", "true")
    reading.press("r")
    expect(badge(page)).to_contain_text("rotated 90°")


def test_the_page_is_notified_of_a_pause(reading, page):
    page.evaluate("document.addEventListener('command', (event) => document.title = `told ${event.detail}`)")
    reading.press("b")
    expect(page).to_have_title("told pause")


def test_every_key_is_in_the_list(reading, page, rita):
    def listed():
        return set(page.locator("[data-keys]").evaluate_all("(cells) => cells.map((cell) => cell.dataset.keys)"))

    scripts = f"{reading.url}/static/reading"
    of_page = page.evaluate(f"import('{scripts}/controls/page_keys.js').then(({{ PAGE_KEYS }}) => PAGE_KEYS)")
    of_form = page.evaluate(f"import('{scripts}/forms/picture/keys.js').then(({{ KEYS }}) => KEYS.standard)")
    standard = {*of_page, *of_form}
    teaching = {"flicker", "overlay", "outline", "panel"}
    assert listed() == standard - teaching
    for number in (2, 3):
        walk.finish_session(walk.client_of(rita), reading.study, number)
    reading.enter(4)
    assert listed() == standard - {"mark"}


OPENED = """async (scripts) => {
  const { formNamed } = await import(`${scripts}/forms/index.js`);
  const { PAGE_KEYS } = await import(`${scripts}/controls/page_keys.js`);
  const root = document.querySelector("#reading");
  const form = await formNamed(root.dataset.form);
  const { stage, tools } = form.open(root, { pixelsPerMm: () => null });
  const buttons = [...root.querySelectorAll("#tools button")];
  const commands = [...Object.keys(form.keys.standard), ...buttons.map((button) => button.dataset.command)];
  return {
    stage: ["show", "prepare", "showGrey", "clear", "hide", "unhide"].filter((name) => !stage[name]),
    marks: ["start", "stop", "addAtCentre"].filter((name) => !stage.marks[name]),
    commands: commands.filter((command) => !tools.actions[command]),
    repeated: form.keys.repeated.filter((command) => !form.keys.standard[command]),
    groups: buttons.map((button) => button.dataset.group).filter((group) => group && !(group in tools.pressed)),
    both: Object.keys(PAGE_KEYS).filter((command) => tools.actions[command]),
  };
}"""


def test_a_form_does_all_that_the_page_asks_of_it(room, page, rita):
    """In the session with a triptych, which has the most tools."""
    for number in (1, 2, 3):
        walk.finish_session(walk.client_of(rita), room.study, number)
    room.enter(4)
    missing = page.evaluate(OPENED, f"{room.url}/static/reading")
    assert missing == {part: [] for part in ("stage", "marks", "commands", "repeated", "groups", "both")}
