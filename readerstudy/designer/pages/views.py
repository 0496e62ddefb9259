"""The designer's pages: a new study, the form of a draft, its checklist, previews, and the protocol as a file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from readerstudy.accounts.permissions import signed_in_user
from readerstudy.cohort.models import Cohort
from readerstudy.designer.checklist.checks import Checked, check_errors, check_protocol
from readerstudy.designer.form.bound import Offers, bind
from readerstudy.designer.form.edits import SHARE, TOTAL, apply_act
from readerstudy.designer.form.raw import Errors, Raw, raw_of_page, raw_protocol, read_raw
from readerstudy.designer.form.readable import readable
from readerstudy.designer.pages.access import find_study, for_investigators
from readerstudy.designer.pages.forms import FileForm, NewStudyForm, StudyForm
from readerstudy.designer.pages.preview import preview_of
from readerstudy.designer.starting_points import design_from
from readerstudy.errors import BadInput, StudyError
from readerstudy.participation.actions import draft_design, import_design
from readerstudy.participation.study_file import design_of, read_design, write_design
from readerstudy.studies.actions import ChangedMeanwhile, edit_draft
from readerstudy.studies.models import Study
from readerstudy.studies.transitions import MOVES_BY_NAME
from readerstudy.truth.checklist import offered_attacks

PREDEFINED = ("confidence", "diagnosis", "mark")


@dataclass(frozen=True)
class Frame:
    """Where the designer's pages stand: the desk, or the administration. `context` is that of its templates."""

    new_template: str
    design_template: str
    design_url: Callable[[Study], str]
    back_url: Callable[[Study], str]
    context: Mapping[str, Any] = field(default_factory=dict)


DESK: Final = Frame(
    "designer/new.html",
    "designer/design.html",
    lambda study: reverse("designer:design", args=[study.code]),
    lambda study: reverse("desk:study", args=[study.code]),
)


# --- a new study ----------------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
@for_investigators
def new(request: HttpRequest) -> HttpResponse:
    """Show the form of a new study, or create the draft and open the designer."""
    return new_page(request, DESK)


def new_page(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Answer the form of a new study in a frame."""
    form = NewStudyForm(signed_in_user(request), request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            study = _create(form, request)
        except StudyError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("%(study)s is created as a draft.") % {"study": study})
            return redirect(frame.design_url(study))
    status = 400 if form.errors else 200
    context = {**frame.context, "form": form, "has_cohorts": Cohort.objects.exists()}
    return render(request, frame.new_template, context, status=status)


def _create(form: NewStudyForm, request: HttpRequest) -> Study:
    values, actor, at = form.cleaned_data, signed_in_user(request), now()
    cohort = values["cohort"]
    if values["file"] is not None:
        design = read_design(values["file"], words=cohort.modality.words.reading)
    else:
        scale = float(values["scale"]) / 100
        design = design_from(values["start"], person=actor, cohort=cohort, scale=scale)
    return draft_design(code=values["code"], title=values["title"], cohort=cohort, design=design, actor=actor, at=at)


# --- the form -------------------------------------------------------------------------------------------------------
@dataclass
class Page:
    """What the designer's page shows: values as typed, the study's own form, and what was found wrong."""

    study: Study
    frame: Frame
    raw: Raw
    own: StudyForm
    base: str
    errors: Errors = field(default_factory=dict)
    is_saved: bool = True
    touched: str = ""
    part: str = ""
    preview: str = ""

    @property
    def opened(self) -> tuple[str, ...]:
        """The session and the part of it that somebody works on, to be unfolded."""
        session = "-".join(self.touched.split("-")[:2])
        part = "questions" if "-questions" in self.touched else self.part
        return (session, part)

    @property
    def cohort(self) -> Cohort:
        """The cohort as chosen, that of the study if none is."""
        chosen = self.own.cleaned_data.get("cohort") if self.own.is_bound and self.own.is_valid() else None
        return chosen or self.study.cohort


@require_http_methods(["GET", "HEAD", "POST"])
@for_investigators
def design(request: HttpRequest, code: str) -> HttpResponse:
    """Show the form of a draft, save it, or carry out what one of its buttons asks."""
    study = find_study(request, code)
    if study.is_editable:
        return design_page(request, study, DESK)
    if request.method == "POST":
        messages.error(request, _("The study is %(state)s; nothing was changed.") % {"state": study.state})
    may_unlock = MOVES_BY_NAME["unlock"].is_offered(study, signed_in_user(request))
    context = {"study": study, "protocol": readable(study.protocol), "may_unlock": may_unlock}
    return render(request, "designer/fixed.html", context)


def design_page(request: HttpRequest, study: Study, frame: Frame) -> HttpResponse:
    """Answer the form of a draft in a frame."""
    if request.method != "POST":
        return _form_page(request, _stored(study, frame))
    page = _sent(request, study, frame)
    act = request.POST.get("act", "save")
    if act == "save":
        return _save(request, page)
    page.is_saved = False
    if act.startswith("preview:"):
        page.preview = page.touched = act.removeprefix("preview:")
        page.part = "words"
        return _form_page(request, page)
    row = act.rpartition(":")[2]
    page.part = "images" if act.startswith("share:") else ""
    try:
        page.touched = apply_act(
            page.raw,
            act,
            words=study.cohort.modality.words.reading,
            total=request.POST.get(f"{row}-{TOTAL}", ""),
            share=request.POST.get(f"{row}-{SHARE}", ""),
        )
    except BadInput as error:
        page.errors = {row: str(error)}
        return _form_page(request, page, status=400)
    return _form_page(request, page)


@require_POST
@for_investigators
def check(request: HttpRequest, code: str) -> HttpResponse:
    """Return the checklist of what is typed, not of what is saved. The form asks for it after each change."""
    page = _sent(request, find_study(request, code))
    return render(request, "designer/_checklist.html", {"study": page.study, "checked": _checked(request, page)})


@require_POST
@for_investigators
def preview(request: HttpRequest, code: str) -> HttpResponse:
    """Return the instructions of session `number` as its readers would see them."""
    page = _sent(request, find_study(request, code))
    name = request.GET.get("session", "")
    return render(request, "designer/_preview.html", {"preview": preview_of(page.raw, name, page.cohort)})


def _stored(study: Study, frame: Frame) -> Page:
    own = StudyForm(initial={"title": study.title, "cohort": study.cohort_id})
    return Page(study, frame, raw_protocol(study.protocol), own, study.design_sha256)


def _sent(request: HttpRequest, study: Study, frame: Frame = DESK) -> Page:
    return Page(study, frame, raw_of_page(request.POST), StudyForm(request.POST), request.POST.get("base", ""))


def _save(request: HttpRequest, page: Page) -> HttpResponse:
    """Save the form if it is a protocol; otherwise show it with its errors, and everything as it was typed."""
    protocol, page.errors = read_raw(page.raw)
    page.is_saved = False
    if protocol is None or not page.own.is_valid():
        return _form_page(request, page, status=400)
    values = page.own.cleaned_data
    try:
        edit_draft(
            study=page.study,
            actor=signed_in_user(request),
            at=now(),
            protocol=protocol,
            title=values["title"],
            cohort=values["cohort"],
            base=page.base,
        )
    except ChangedMeanwhile:
        page.study.refresh_from_db()
        return _form_page(request, page, status=409, is_outdated=True)
    except StudyError as error:
        page.errors = {"": str(error)}
        return _form_page(request, page, status=400)
    messages.success(request, _("Saved."))
    return redirect(page.frame.design_url(page.study))


def _checked(request: HttpRequest, page: Page) -> Checked:
    protocol, errors = read_raw(page.raw)
    if protocol is None:
        return check_errors(errors)
    return check_protocol(page.study, page.cohort, protocol, told_to=signed_in_user(request))


def _form_page(request: HttpRequest, page: Page, *, status: int = 200, is_outdated: bool = False) -> HttpResponse:
    offers = Offers(tuple(sorted(offered_attacks(page.cohort))), page.cohort.resolutions)
    context: dict[str, Any] = {
        **page.frame.context,
        "study": page.study,
        "form_url": page.frame.design_url(page.study),
        "back_url": page.frame.back_url(page.study),
        "page": page,
        "form": bind(page.raw, page.errors, offers),
        "checked": _checked(request, page),
        "base": page.study.design_sha256 if is_outdated else page.base,
        "is_outdated": is_outdated,
        "predefined": PREDEFINED,
        "preview": preview_of(page.raw, page.preview, page.cohort) if page.preview else None,
        "file_form": FileForm(),
    }
    return render(request, page.frame.design_template, context, status=status)


# --- the protocol as a file -----------------------------------------------------------------------------------------
@require_GET
@for_investigators
def download(request: HttpRequest, code: str) -> HttpResponse:
    """Return the protocol as a YAML file."""
    study = find_study(request, code)
    answer = HttpResponse(write_design(design_of(study)), content_type="application/yaml; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{study.code}.yaml"'
    return answer


@require_POST
@for_investigators
def upload(request: HttpRequest, code: str) -> HttpResponse:
    """Replace the protocol of a draft by that of a file."""
    study = find_study(request, code)
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, " ".join(str(text) for texts in form.errors.values() for text in texts))
        return redirect("designer:design", code)
    try:
        design = read_design(form.cleaned_data["file"] or b"", words=study.cohort.modality.words.reading)
        base = request.POST.get("base") or None
        import_design(study=study, actor=signed_in_user(request), at=now(), design=design, base=base)
    except StudyError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The draft has the protocol of the file."))
    return redirect("designer:design", code)
