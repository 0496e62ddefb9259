"""What a reader's browser gets, searched for a tell.

Rita signs in as a browser does and plays the whole study; everything that comes back is collected and compared
with the sealed truth. Add to this test whatever is added to the reader's path.
"""

import json
import re
import struct
from collections import defaultdict
from dataclasses import dataclass, field

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from readerstudy.accounts.models import Role, User
from readerstudy.cohort.models import Image
from readerstudy.modalities.mammography.attributes import hangs_mirrored
from readerstudy.protocol.document import Protocol, ProtocolSession
from readerstudy.protocol.sessions import SessionKind
from readerstudy.studies.models import Presentation
from readerstudy.truth.models import Truth
from readerstudy.truth.terms import Authenticity
from tests import make, walk

# Words that only the sealed key knows. The education session names its panels, after the study said so.
TELLING = re.compile(
    r"adversarial|fake|truth|pathology|malignant|benign|parent|generator|twin|insert|remove|sha256|stimulus_id|P000\d\d",
    re.IGNORECASE,
)
# What the page itself says to every reader, whatever is shown.
VERDICTS = {"real", "not_real", "unsure", "seen"}


@dataclass
class Seen:
    """Everything that one presentation brought to the browser."""

    session: int
    position: int
    code: str
    step: dict
    step_bytes: bytes
    step_headers: dict
    picture: bytes = b""
    picture_headers: dict = field(default_factory=dict)
    url: str = ""
    panels: dict = field(default_factory=dict)  # of a triptych: name to (body, headers)


def signed_in(reader) -> Client:
    client = Client()
    page = client.get("/account/sign-in/")
    assert page.status_code == 200
    answer = client.post("/account/sign-in/", {"username": reader.username, "password": f"{reader.username}-secret-1"})
    assert answer.status_code == 302
    return client


def play(client: Client, study: str) -> list[Seen]:
    """All five sessions, keeping what came."""
    seen = []
    for number in range(1, 6):
        response = client.post(walk.address(study, number, "open"))
        step = response.json()
        while step["kind"] != "done":
            again = client.get(walk.address(study, number, "step"))
            one = Seen(number, step["position"], step["stimulus"]["code"], again.json(), again.content, headers(again))
            if step["kind"] == "read":
                one.url = step["stimulus"]["image"]
                answer = client.get(one.url)
                one.picture, one.picture_headers = answer.content, headers(answer)
            else:
                answers = {panel: client.get(url) for panel, url in step["images"].items()}
                one.panels = {panel: (answer.content, headers(answer)) for panel, answer in answers.items()}
            seen.append(one)
            answer = walk.answer(client, study, number, step, step["verdicts"][0])
            step = answer.json()["step"]
    return seen


def headers(response) -> dict:
    return dict(response.headers)


@pytest.fixture
def seen(study, rita, monkeypatch):
    # walk.answer speaks DRF's client; Django's own client takes the same body under another name.
    client = signed_in(rita)
    post = client.post
    monkeypatch.setattr(
        client, "post", lambda path, body=None, format=None: post(path, body, content_type="application/json")
    )
    return play(client, study.code)


@pytest.fixture
def adversarial(seen):
    """The codes of the adversarial presentations, from the sealed key."""
    altered = Truth.objects.filter(authenticity=Authenticity.ADVERSARIAL).values("stimulus_id")
    return set(Presentation.objects.filter(stimulus_id__in=altered).values_list("code", flat=True))


def blinded(seen: list[Seen]) -> list[Seen]:
    return [visit for visit in seen if visit.step["kind"] == "read"]


def test_the_study_holds_both_kinds_or_this_file_proves_nothing(seen, adversarial):
    kinds = {visit.code in adversarial for visit in blinded(seen) if visit.session == 3}
    assert kinds == {True, False}


def test_every_picture_has_the_same_headers_and_the_same_length(seen, study):
    assert {len(visit.picture) for visit in blinded(seen)} == {study.image_bytes}
    assert len({str(sorted(visit.picture_headers.items())) for visit in blinded(seen)}) == 1
    names = {name.lower() for name in blinded(seen)[0].picture_headers}
    assert not names & {"etag", "last-modified", "content-disposition", "date", "x-sendfile", "accept-ranges", "age"}
    assert blinded(seen)[0].picture_headers["Cache-Control"] == "no-store"


def test_a_picture_is_pixels_and_nothing_else(seen):
    layouts = set()
    for visit in blinded(seen):
        chunks = png_chunks(visit.picture)
        layouts.add((tuple(dict.fromkeys(name for name, _ in chunks)), chunks[0][1]))
    assert len(layouts) == 1
    assert layouts.pop()[0] == (b"IHDR", b"IDAT", b"IEND")


def test_the_padding_behind_a_picture_is_noise(seen):
    for visit in blinded(seen):
        end = visit.picture.index(b"IEND") + 8
        padding = visit.picture[end:]
        assert len(padding) > 1000
        assert len(set(padding)) > 200


def test_the_steps_differ_in_nothing_but_position_and_codes(seen):
    shapes = defaultdict(set)
    for visit in blinded(seen):
        text = visit.step_bytes.decode()
        text = re.sub(r"[0-9a-f]{32}", "CODE", text)
        text = re.sub(r'"position":\d+', '"position":N', text)
        shapes[visit.session, visit.step["next"] is None, visit.step["after_next"] is None].add(text)
        assert set(visit.step["verdicts"]) <= VERDICTS
    assert all(len(texts) == 1 for texts in shapes.values()), shapes
    step_headers = {
        str(sorted((k, v) for k, v in visit.step_headers.items() if k != "Content-Length")) for visit in blinded(seen)
    }
    assert len(step_headers) == 1


def test_an_image_is_displayed_by_the_side_of_its_source(small, db):
    """The flag that mirrors an image is the source's: an adversarial image has that of its source image."""
    study = make.study()
    films = Image.objects.order_by("id")
    for film in films[::2]:
        film.attributes["chest_wall"] = "right"
        film.save()
    rita = make.reader_in(study, "rita")
    client = walk.client_of(rita)
    flips = set()
    for number in (1, 2):
        walk.finish_session(client, study.code, number)
    step = walk.open_session(client, study.code, 3)
    while step["kind"] == "read":
        shown = Presentation.objects.get(code=step["stimulus"]["code"]).stimulus
        is_real = Truth.objects.get(stimulus=shown).authenticity == Authenticity.REAL
        assert step["stimulus"]["flip"] == hangs_mirrored(shown.image.attributes)
        flips.add((is_real, step["stimulus"]["flip"]))
        step = walk.answer(client, study.code, 3, step, "real").json()["step"]
    assert len(flips) == 4  # both kinds hang both ways, or this proves nothing


def test_a_practice_picture_comes_like_any_other_and_nothing_of_the_plan_tells(small, db):
    plan = {"practice": True, "questions": ["confidence", "mark"], "break_every": 5}
    study = make.study(changes={"every": plan})
    client = walk.client_of(make.reader_in(study, "rita"))
    walk.finish_session(client, study.code, 1)
    step = walk.open_session(client, study.code, 2)
    practice = client.get(step["stimulus"]["image"])
    answer = walk.answer(client, study.code, 2, step, "real", answers={"confidence": "1"})
    step = answer.json()["step"]
    picture = client.get(step["stimulus"]["image"])
    assert headers(practice) == headers(picture)
    assert len(practice.content) == len(picture.content) == study.image_bytes
    assert not TELLING.search(json.dumps(step))


def test_an_image_that_is_shown_again_comes_like_any_other(small, db):
    session = ProtocolSession(SessionKind.BLINDED, "A", real=6, adversarial=6, repeat_share=0.5, repeat_distance=4)
    study = make.study(protocol=Protocol((session,)))
    client = walk.client_of(make.reader_in(study, "rita"))
    again = dict(Presentation.objects.values_list("code", "is_repeat"))
    step, seen = walk.open_session(client, study.code, 1), defaultdict(list)
    while step["kind"] == "read":
        picture = client.get(step["stimulus"]["image"])
        assert not re.search("repeat|again|first|second", json.dumps(step))
        shape = (sorted(step), sorted(step["stimulus"]), headers(picture), len(picture.content))
        seen[again[step["stimulus"]["code"]]].append(shape)
        step = walk.answer(client, study.code, 1, step, "real").json()["step"]
    assert (len(seen[False]), len(seen[True])) == (12, 6)
    assert all(shape == seen[False][0] for shapes in seen.values() for shape in shapes)
    page = signed_in(User.objects.get(username="rita")).get("/").content.decode()
    assert not re.search("repeat|again", page)


def test_no_word_of_the_key_is_in_the_api_or_the_pages(seen, study, rita):
    for visit in blinded(seen):
        assert not TELLING.search(visit.step_bytes.decode())
        assert not TELLING.search(str(visit.step_headers) + str(visit.picture_headers) + visit.url)
    client = signed_in(rita)
    for path in ["/", *(f"/read/{study.code}/{number}/" for number in (1, 2, 3, 5)), "/api/v1/reading/"]:
        body = client.get(path).content.decode()
        assert not TELLING.search(re.sub(r"[\w/.-]+\.(js|css)", "", body)), path


def test_codes_are_random_and_never_the_same_for_two_readers(seen, study, rita):
    paul = make.reader_in(study, "paul")
    stimuli = defaultdict(set)
    for reader in (rita, paul):
        for presentation in Presentation.objects.filter(reading_list__enrollment__reader=reader):
            stimuli[presentation.stimulus_id].add(presentation.code)
    assert all(len(codes) == 2 for codes in stimuli.values())
    codes = [code for pair in stimuli.values() for code in pair]
    assert all(re.fullmatch(r"[0-9a-f]{12}4[0-9a-f]{19}", code) for code in codes)  # random UUIDs


def test_neither_order_nor_sorted_codes_tell(seen, adversarial):
    """Both kinds are spread over each session; a leak by order would put one kind first."""
    for number in (3, 5):
        session = [visit for visit in seen if visit.session == number]
        by_code = sorted(session, key=lambda one: one.code)
        for order in (session, by_code):
            places = [place for place, one in enumerate(order) if one.code in adversarial]
            half = len(order) / 2
            assert 0 < sum(place < half for place in places) < len(places)


def test_a_triptych_s_panels_have_the_same_headers_and_length_as_every_picture(seen, study):
    education = [visit for visit in seen if visit.session == 4]
    assert {len(body) for visit in education for body, _ in visit.panels.values()} == {study.image_bytes}
    kinds = {str(sorted(fields.items())) for visit in education for _, fields in visit.panels.values()}
    kinds |= {str(sorted(visit.picture_headers.items())) for visit in blinded(seen)}
    assert len(kinds) == 1


def test_no_panel_of_a_triptych_can_be_had_in_a_blinded_session(study, rita):
    """The address of a panel is easily guessed from the code: it must answer for nothing but the education."""
    client = walk.client_of(rita)
    for number in (1, 2):
        walk.finish_session(client, study.code, number)
    step = walk.open_session(client, study.code, 3)
    for code in (step["stimulus"]["code"], step["next"]["code"]):
        for panel in ("real", "adversarial", "difference", "lesson", "line"):
            assert client.get(f"/api/v1/reading/{study.code}/triptychs/{code}/{panel}/").status_code == 410


def test_pictures_stop_being_served_once_they_are_answered(seen, rita):
    client = signed_in(rita)
    assert {client.get(visit.url).status_code for visit in blinded(seen)} == {410}


def test_a_reader_reaches_only_the_readers_api_and_pages(seen, study, rita):
    client = signed_in(rita)
    allowed = re.compile(r"^(|account/.*|read/.*|api/v1/reading/.*)$")
    reached = []
    for pattern in all_patterns():
        path = "/" + re.sub(r"<[^>]*(study|code)[^>]*>", study.code, pattern)
        path = re.sub(r"<int:[^>]+>", "1", re.sub(r"<[^>]+>", "1", path))
        if allowed.match(pattern):
            continue
        for response in (client.get(path), client.post(path)):
            if response.status_code < 300 or response.status_code >= 500:
                reached.append((path, response.status_code))
            if 300 <= response.status_code < 400:  # only ever to sign in, or back home
                assert re.match(r"^(/account/sign-in/|/admin/login/|/$|/admin/|/report/)", response["Location"]), path
    assert not reached


def all_patterns(resolver=None, prefix: str = "") -> list[str]:
    resolver = resolver or get_resolver()
    result = []
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            result += all_patterns(entry, route)
        elif isinstance(entry, URLPattern) and "^" not in route:
            result.append(route)
    assert result or prefix
    return result


def test_every_file_on_disk_carries_one_date_and_a_random_name(study, settings):
    files = [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()]
    assert {path.stat().st_mtime for path in files} == {0.0}
    assert all(re.fullmatch(r"[0-9a-f]{32}\.png", path.name) for path in files)


def test_a_coordinator_s_and_a_researcher_s_session_cannot_read(study):
    for role in (Role.COORDINATOR, Role.RESEARCHER):
        client = walk.client_of(make.user(f"someone-{role.value}", role))
        assert client.get("/api/v1/reading/").status_code == 403


def png_chunks(body: bytes) -> list[tuple[bytes, bytes]]:
    """(name, content) of every chunk up to IEND; the content of IDAT, which is the picture, left out."""
    assert body.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, place = [], 8
    while True:
        length, name = struct.unpack(">I4s", body[place : place + 8])
        content = body[place + 8 : place + 8 + length]
        chunks.append((name, b"" if name == b"IDAT" else content))
        place += length + 12
        if name == b"IEND":
            return chunks
