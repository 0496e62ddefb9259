"""German: the catalogue is whole and compiled, no English text of ours is left on a reader's page."""

import gettext
import re
import shutil
import subprocess
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.utils import timezone, translation

from readerstudy.studies.actions import close_study
from readerstudy.studies.models import SessionPlan
from readerstudy.truth.actions import unseal_study
from tests import make, walk
from tests.analysis import rows
from tests.catalogue import FOLDER, messages, texts_in_code

MESSAGES = messages()
GERMAN = {"Accept-Language": "de"}
ENGLISH = {"Accept-Language": "en"}
PLACES = re.compile(r"%\(\w+\)[-.\d]*[a-z]|%%|\{\w+\}|</?\w+[^>]*>")

# --- the catalogue --------------------------------------------------------------------------------------------


def test_the_compiled_catalogue_is_what_the_texts_compile_to():
    with (FOLDER / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for message in MESSAGES:
        if message.plural:
            forms = [compiled.ngettext(message.text, message.plural, number) for number in (1, 2, 0)]
            assert forms == [message.german[0], message.german[1], message.german[1]]
        elif message.context:
            assert compiled.pgettext(message.context, message.text) == message.german[0]
        else:
            assert compiled.gettext(message.text) == message.german[0]
    entries = sum(len(message.german) for message in MESSAGES) + 1  # and the header
    assert len(compiled._catalog) == entries, "the compiled catalogue has texts that the other does not have"


def test_msgfmt_finds_no_fault(tmp_path):
    if not shutil.which("msgfmt"):
        pytest.skip("msgfmt (Debian's gettext) is not on this machine.")
    command = ["msgfmt", "--check", "-o", str(tmp_path / "django.mo"), str(FOLDER / "django.po")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_is_untranslated_or_guessed():
    assert [message.text for message in MESSAGES if not all(message.german)] == []
    assert [message.text for message in MESSAGES if "fuzzy" in message.flags] == []


def test_every_text_of_the_code_is_in_the_catalogue_and_nothing_else():
    known = {text for message in MESSAGES for text in (message.text, message.plural) if text}
    assert sorted(texts_in_code() ^ known) == []


def test_the_places_in_a_text_are_those_of_its_translation():
    wrong = []
    for message in MESSAGES:
        of_each_form = [message.text, message.plural or message.text]
        for text, german in zip(of_each_form, message.german, strict=False):
            if sorted(PLACES.findall(text)) != sorted(PLACES.findall(german)):
                wrong.append((text, german))
    assert wrong == []


def test_german_quotes_and_dashes_are_german():
    for message in MESSAGES:
        for text in message.german:
            plain = re.sub(r"<[^>]*>", "", text)
            assert not set(plain) & set("\"'“’!") - ({"“"} if "„" in plain else set()), plain
            assert "..." not in plain


# --- the reader's pages ---------------------------------------------------------------------------------------

# Words that are the same in both languages, names, and what the study itself is called.
SAME = {message.text for message in MESSAGES if message.is_same}
NAMES = {"English", "Deutsch", "A tiny study", "rita", "nora", "clara"}
SHOWN_ATTRIBUTES = ("aria-label", "title", "alt", "placeholder", "content")


class Pieces(HTMLParser):
    """Every piece of text that a person may meet: texts, names and titles, and the words kept for the script."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.silent = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.silent = tag if tag in ("script", "style") else ""
        is_dictionary = dict(attrs).get("id") in ("words", "help")
        for name, value in attrs:
            is_words = name.startswith("data-") and (is_dictionary or " " in (value or ""))
            if (name in SHOWN_ATTRIBUTES and tag != "meta") or is_words:
                self.keep(value or "")

    def handle_endtag(self, tag):
        self.silent = ""

    def handle_data(self, data):
        if not self.silent:
            self.keep(data)

    def keep(self, text):
        text = " ".join(text.split())
        if re.search(r"[^\W\d_]{2}", text):
            self.found.add(text)


def left_in_english(client, address: str) -> set[str]:
    """What the German page says in the words of the English one, though they are not German."""
    # The last request decides the language of this thread, and the next test expects English.
    german, english = (client.get(address, headers=headers) for headers in (GERMAN, ENGLISH))
    assert english.status_code == german.status_code
    html = german.content.decode()
    assert '<html lang="de"' in html
    return (Pieces(english.content.decode()).found & Pieces(html).found) - SAME - NAMES


@pytest.fixture
def client_of_rita(rita):
    client = Client()
    client.force_login(rita)
    return client


def test_a_piece_of_english_would_be_found(client_of_rita, study, monkeypatch):
    german = translation.trans_real.translation("de")
    translate = german.gettext
    monkeypatch.setattr(german, "gettext", lambda text: text if text == "Sign out" else translate(text))
    assert left_in_english(client_of_rita, "/") == {"Sign out"}


def test_no_page_of_a_reader_holds_english(client_of_rita, rita, study, clara):
    wire = walk.client_of(rita)
    pages = ["/", "/no/such/page/", "/report/", *(f"/read/tiny/{number}/" for number in range(1, 6))]
    result = {address: left_in_english(client_of_rita, address) for address in pages}
    for number in range(1, 5):  # each page open, then done
        walk.open_session(wire, "tiny", number)
        result[f"open {number}"] = left_in_english(client_of_rita, f"/read/tiny/{number}/")
        walk.finish_session(wire, "tiny", number)
        result[f"done {number}"] = left_in_english(client_of_rita, f"/read/tiny/{number}/")
        result[f"list {number}"] = left_in_english(client_of_rita, "/")
    close_study(study=study, actor=clara, reason="All have read.", at=make.MONDAY)
    result["closed"] = left_in_english(client_of_rita, "/")
    assert {place: words for place, words in result.items() if words} == {}


def test_no_page_before_signing_in_holds_english(client, db):
    for address in ("/account/sign-in/", "/account/sign-in/no-such-token/"):
        assert left_in_english(client, address) == set()


def test_who_takes_part_in_nothing_reads_it_in_german(client, db):
    client.force_login(make.user("nora"))
    assert left_in_english(client, "/") == set()


def test_the_buttons_change_the_language_and_each_names_it_in_its_own_words(client_of_rita, study):
    client = client_of_rita
    assert b"Your sessions" in client.get("/").content
    client.post("/account/language/", {"language": "de", "next": "/"})
    page = client.get("/", headers=ENGLISH).content.decode()  # the choice stands above the browser's wish
    assert "Ihre Sitzungen" in page
    assert re.search(r'lang="en"\s*>English</button>', page)
    assert re.search(r'lang="de"\s+aria-current="true"\s*>Deutsch</button>', page)
    client.post("/account/language/", {"language": "en", "next": "/"})
    assert b"Your sessions" in client.get("/", headers=GERMAN).content


# --- the pages of the others ----------------------------------------------------------------------------------


def test_no_page_of_a_report_holds_english(client, db, rosa):
    client.force_login(rosa)
    study, result = rows.study(), {}
    for state in ("open", "closed", "unsealed"):
        if state == "closed":
            rows.closed(study)
        if state == "unsealed":
            unseal_study(study=study, actor=rosa, reason="All have read.", at=make.MONDAY)
        for address in ("/desk/", f"/desk/studies/{study.code}/", "/report/", f"/report/{study.code}/"):
            result[state, address] = left_in_english(client, address)
    names = {
        study.title,
        study.code,
        "high",
        "rosa",
        "rolf",
        "CSV",
        *study.session_plans.values_list("title", flat=True),
    }
    # What is typed, what others call themselves, what the plan itself calls its families, and hashes.
    names |= {
        f"manage.py rehearse_study {study.code}",
        "JSON",
        "PDF",
        "Parquet",
        "iMRMC",
        "MRMCaov",
        *(family.name for family in study.analysis.families),
    }
    names |= {
        "Python",
        "Django",
        "numpy",
        "scipy",
        "matplotlib",
        "gan-insert (Generator, ?); gan-remove (Generator, ?)",
        "g = 5, normal",  # the distribution has the same name in both languages
    }
    left = {place: {word for word in words - names if not is_version_or_hash(word)} for place, words in result.items()}
    assert {place: words for place, words in left.items() if words} == {}


def is_version_or_hash(text: str) -> bool:
    return bool(re.fullmatch(r"[0-9a-f]{64}|(\w+ [0-9.]+(, )?)+", text))


def test_the_administration_speaks_german(client, db, rosa):
    client.force_login(rosa)
    for title, heading in (
        ("studies/study", "Studien"),
        ("studies/enrollment", "Aufnahme"),
        ("reading/readingsession", "Lesesitzung"),
        ("reading/reading", "Beurteilung"),
        ("accounts/user", "Rolle"),
        ("jobs/job", "Auftrag"),
        ("audit/event", "Ereignis"),
    ):
        page = client.get(f"/admin/{title}/", headers=GERMAN)
        assert page.status_code == 200
        html = page.content.decode()
        assert heading in html
        assert "Bildschirmprüfungen" in html  # in the side bar
        assert "Display checks" not in html


# --- sentences, dates, titles ---------------------------------------------------------------------------------


def test_a_refusal_names_the_date_as_germans_write_it(small, db, monkeypatch):
    study = make.study("resting", changes={"session": {"2": {"washout_days": 7}}})
    rita = make.reader_in(study)
    wire = walk.client_of(rita)
    refused = wire.post(walk.address("resting", 2, "open"), headers=GERMAN)
    assert refused.status_code == 409
    assert refused.json()["detail"] == "Sitzung 2 ist gesperrt, bis Sitzung 1 beendet ist."
    finished = datetime(2026, 11, 15, 13, 5, tzinfo=UTC)
    monkeypatch.setattr("readerstudy.api.reader.views.now", lambda: finished)
    monkeypatch.setattr("readerstudy.front.home.now", lambda: finished)
    monkeypatch.setattr("readerstudy.reading.views.now", lambda: finished)
    walk.finish_session(wire, "resting", 1)
    with timezone.override("Europe/Berlin"):
        refused = wire.post(walk.address("resting", 2, "open"), headers=GERMAN)
        assert refused.json()["detail"] == "Sitzung 2 öffnet am 22. November 2026, 14:05."
        client = Client(headers=GERMAN)
        client.force_login(rita)
        assert "Gesperrt bis 22. November 2026, 14:05" in client.get("/").content.decode()
        assert "Diese Sitzung öffnet am 22. November 2026, 14:05." in client.get("/read/resting/2/").content.decode()


RESULTS = {
    "letters": [
        {"ground": "dark", "shown": "KHRDN", "typed": "K"},
        {"ground": "middle", "shown": "KHRDN", "typed": "KHRDN"},
        {"ground": "bright", "shown": "KHRDN", "typed": ""},
    ],
    "squares": {"dark": True, "bright": False},
    "light": "bright",
    "screen": {
        "width": 1920,
        "height": 1080,
        "device_pixel_ratio": 1.0,
        "color_depth": 16,
        "viewport": [800, 500],
        "full_screen": False,
    },
}


def test_a_display_that_fails_hears_why_in_german(rita, study):
    body = {"results": {**RESULTS, "card_px_per_mm": None}}
    response = walk.client_of(rita).post(walk.address("tiny", 1, "display"), body, format="json", headers=GERMAN)
    assert response.json()["failures"] == [
        "Auf Schwarz haben Sie 1 Buchstaben erkannt; nötig sind mindestens 3.",
        "Auf Weiß haben Sie 0 Buchstaben erkannt; nötig sind mindestens 3.",
        "Sie haben das helle Quadrat auf Weiß nicht gesehen. Dieser Bildschirm würde helle Details verbergen.",
        "Der Raum ist hell. Lesen Sie in einem dunklen oder gedämpft beleuchteten Raum, ohne Licht auf dem Bildschirm.",
        "Das Fenster hat 800 × 500 Pixel; nötig sind mindestens 900 × 600.",
        "Der Bildschirm hat 16 Bit pro Pixel; nötig sind mindestens 24.",
    ]


CHANGES = {
    "session": {
        "2": {"questions": ["confidence", "diagnosis", "mark"]},
        "3": {"title": "Monday films", "instructions": "Look at the calcifications first."},
    }
}


def test_our_titles_and_questions_are_german_and_a_plan_s_own_stay_as_they_are(small, db):
    study = make.study("own", changes=CHANGES)
    rita = make.reader_in(study)
    client, wire = Client(headers=GERMAN), walk.client_of(rita)
    client.force_login(rita)
    walk.finish_session(wire, "own", 1)
    second = client.get("/read/own/2/").content.decode()
    assert "Sitzung 2: Lesung A" in second
    assert "Einige dieser Mammogramme können von einem Computer verändert worden sein." in second
    step = wire.post(walk.address("own", 2, "open"), headers=GERMAN).json()
    assert [question["text"] for question in step["questions"]] == [
        "Wie sicher sind Sie?",
        "Ihre Diagnose zu diesem Bild?",
        "Klicken Sie, wo das Bild verändert aussieht.",
    ]
    assert step["questions"][0]["choices"][0] == {"value": "1", "text": "Geraten"}
    _answer_all(wire, step)
    third = client.get("/read/own/3/").content.decode()
    assert "Sitzung 3: Monday films" in third
    assert "Look at the calcifications first." in third
    assert "3. Monday films" in client.get("/").content.decode()


def _answer_all(wire, step: dict) -> None:
    while step["kind"] == "read":
        answers = {"diagnosis": "negative"}  # after "unsure" nobody is asked how sure they are
        step = walk.answer(wire, "own", 2, step, "unsure", answers=answers).json()["step"]


# --- what is stored -------------------------------------------------------------------------------------------


def test_a_study_made_in_german_is_stored_like_one_made_in_english(small, db):
    def rows(study):
        fields = ("number", "kind", "title", "instructions", "total", "washout_days", "rules_data")
        return list(SessionPlan.objects.filter(study=study).order_by("number").values(*fields))

    with translation.override("de"):
        german = make.study("auf-deutsch", changes=CHANGES)
    with translation.override("en"):
        english = make.study("in-english", changes=CHANGES)
    assert rows(german) == rows(english)
    assert rows(german)[0]["title"] == "Familiarisation"


def test_the_session_list_of_the_wire_is_in_the_reader_s_language(rita, study):
    titles = {
        language: [
            session["title"]
            for session in walk.client_of(rita)
            .get("/api/v1/reading/", headers={"Accept-Language": language})
            .json()["studies"][0]["sessions"]
        ]
        for language in ("de", "en")
    }
    assert titles["de"] == [
        "Eingewöhnung",
        "Lesung A",
        "Lesung B",
        "Schulung",
        "Lesung C",
    ]
    assert titles["en"][0] == "Familiarisation"
