"""Real and adversarial images by the API: as in the gallery, for researchers, and none that a sealed study shows."""

import io

import pytest
from PIL import Image

from readerstudy.audit.models import Event
from readerstudy.truth.actions import exclude_image, unseal_study
from readerstudy.truth.models import Truth
from tests import make, walk

pytestmark = pytest.mark.django_db


def images(person, **query) -> list[dict]:
    answer = walk.client_of(person).get("/api/v1/images/", query)
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def test_images_are_listed_and_filtered_as_in_the_gallery(scored, rosa):
    everything = images(rosa, authenticity="adversarial")
    assert [row["number"] for row in everything] == sorted(
        Truth.objects.filter(authenticity="adversarial").values_list("pk", flat=True), reverse=True
    )
    for name in ("direction", "pathology", "split", "attack", "cohort"):
        value = everything[0][name]
        assert images(rosa, authenticity="adversarial", **{name: value}) == [
            row for row in everything if row[name] == value
        ]
    (fooled,) = images(rosa, classifier="cad", is_fooled="true")
    assert (fooled["number"], fooled["score_before"], fooled["score_after"]) == (scored.pk, 0.1, 0.9)
    assert images(rosa, attack="no-such") == []


def test_real_images_are_listed_with_their_pathology(scored, rosa):
    real, altered = (images(rosa, authenticity=each, page_size=1000) for each in ("real", "adversarial"))
    assert len(real) == Truth.objects.filter(authenticity="real").count() > 0
    assert {(row["authenticity"], row["attack"], row["direction"], row["has_source"]) for row in real} == {
        ("real", "", None, False)
    }
    assert {row["pathology"] for row in real} >= {"positive"}
    everything = images(rosa, page_size=1000)
    assert sorted(row["number"] for row in everything) == sorted(row["number"] for row in (*real, *altered))
    (source,) = [row for row in images(rosa, authenticity="real", classifier="cad") if row["score_after"] == 0.1]
    assert source["score_before"] is None
    client = walk.client_of(rosa)
    page = client.get(f"/api/v1/images/{source['number']}/").json()
    assert (page["panels"], page["scores"]) == (["real"], [{"classifier": "cad", "before": None, "after": 0.1}])
    with Image.open(io.BytesIO(client.get(f"/api/v1/images/{source['number']}/real/").content)) as picture:
        assert picture.mode == "L"
    assert client.get(f"/api/v1/images/{source['number']}/adversarial/").status_code == 404
    client.force_login(rosa)
    assert client.get(f"/lab/stimuli/{source['number']}/").status_code == 404, "the gallery has adversarial ones only"
    assert Event.objects.filter(verb="real_image.viewed", actor=rosa).count() == 1
    assert Event.objects.filter(verb="real_images.viewed", actor=rosa).count() == 2


def test_pages_follow_each_other_without_gap(scored, rosa):
    client, numbers, address = walk.client_of(rosa), [], "/api/v1/images/?page_size=7&classifier=cad"
    while address:
        page = client.get(address).json()
        numbers += [row["number"] for row in page["results"]]
        address = page["next"]
    assert numbers == [row["number"] for row in images(rosa, page_size=1000)]
    assert Event.objects.filter(verb="pairs.viewed", actor=rosa).count() == 2, "once for each list, not for each page"


def test_one_image_has_the_scores_of_all_networks_and_its_panels(scored, rosa):
    exclude_image(stimulus=scored.stimulus, actor=rosa, reason="A seam.", at=make.MONDAY)
    client, address = walk.client_of(rosa), f"/api/v1/images/{scored.pk}/"
    page = client.get(address).json()
    assert page["scores"] == [{"classifier": "cad", "before": 0.1, "after": 0.9}]
    assert (page["is_excluded"], page["exclusion_reason"]) == (True, "A seam.")
    assert page["panels"] == ["real", "adversarial", "difference"]
    for panel in page["panels"]:
        answer = client.get(f"{address}{panel}/", {"size": "full"})
        with Image.open(io.BytesIO(answer.content)) as picture:
            assert (picture.mode, picture.size) == ("L", (52, 64))
    assert client.get(f"{address}real/", {"size": "huge"}).status_code == 400
    assert Event.objects.filter(verb="pair.viewed", actor=rosa).count() == 1


def test_no_address_gives_an_image_that_a_sealed_study_shows(small, db, rosa):
    study = make.study()
    shown = set(study.session_plans.values_list("allocations__stimulus__image", flat=True))
    truths = Truth.objects.filter(stimulus__image__in=shown)
    assert {truth.authenticity for truth in truths} == {"real", "adversarial"}
    listed, client = {row["number"] for row in images(rosa, page_size=1000)}, walk.client_of(rosa)
    for truth in truths:
        assert truth.pk not in listed
        for part in ("", "real/", "adversarial/", "difference/"):
            assert client.get(f"/api/v1/images/{truth.pk}/{part}").status_code == 404
    study.close(at=make.MONDAY)
    assert not {row["number"] for row in images(rosa, page_size=1000)} & {truth.pk for truth in truths}
    unseal_study(study=study, actor=rosa, reason="Done.", at=make.MONDAY)
    assert {truth.pk for truth in truths} <= {row["number"] for row in images(rosa, page_size=1000)}


def test_coordinators_get_no_image(scored, clara):
    for part in ("", f"{scored.pk}/", f"{scored.pk}/real/"):
        assert walk.client_of(clara).get(f"/api/v1/images/{part}").status_code == 403
