"""Pages for readers: consent, what they tell about themselves, messages, and the end of a study."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from readerstudy.accounts.models import Role
from readerstudy.accounts.permissions import role_required, signed_in_user
from readerstudy.errors import StudyError
from readerstudy.layout.markdown import markdown
from readerstudy.participation.actions import (
    add_comment,
    give_consent,
    mark_read,
    save_profile,
    withdraw_consent,
)
from readerstudy.participation.forms import ProfileForm
from readerstudy.participation.models import LONGEST_COMMENT, ReaderProfile, ReaderRules, text_hash
from readerstudy.participation.queries import ConsentState, consent_of, newest_text
from readerstudy.studies.models import Enrollment

for_readers = role_required(Role.READER)


@require_http_methods(["GET", "POST"])
@for_readers
def consent(request: HttpRequest, code: str) -> HttpResponse:
    """Show the consent text of a study; by POST, agree to it. What the study asks about the reader follows."""
    enrollment = _enrollment(request, code)
    if request.method == "POST":
        language, sha256 = request.POST.get("language", ""), request.POST.get("sha256", "")
        try:
            if request.POST.get("agrees") != "yes":
                raise StudyError(_("Tick the box to agree."))
            give_consent(enrollment=enrollment, language=language, sha256=sha256, at=now())
        except StudyError as error:
            messages.error(request, str(error))
        return redirect("participation:consent", code)
    return _consent_page(request, enrollment, None)


@require_POST
@for_readers
def about(request: HttpRequest, code: str) -> HttpResponse:
    """Store what the reader tells about themselves."""
    enrollment = _enrollment(request, code)
    form = ProfileForm(request.POST, asked=ReaderRules.of(enrollment.study).asked)
    if not form.is_valid():
        return _consent_page(request, enrollment, form, status=400)
    try:
        save_profile(enrollment=enrollment, values=form.cleaned_data, at=now())
    except StudyError as error:
        messages.error(request, str(error))
        return redirect("participation:consent", code)
    messages.success(request, _("Thank you. Your answers are saved."))
    return redirect("home")


@require_POST
@for_readers
def withdraw(request: HttpRequest, code: str) -> HttpResponse:
    """End the reader's participation, after a tick that they mean it."""
    enrollment = _enrollment(request, code)
    try:
        if request.POST.get("agrees") != "yes":
            raise StudyError(_("Tick the box to withdraw your consent."))
        reason = request.POST.get("reason", "")
        withdraw_consent(enrollment=enrollment, actor=signed_in_user(request), reason=reason, at=now())
    except StudyError as error:
        messages.error(request, str(error))
        return redirect("participation:consent", code)
    messages.success(request, _("Your consent is withdrawn. You no longer take part in this study."))
    return redirect("home")


@require_POST
@for_readers
def read_message(request: HttpRequest, number: int) -> HttpResponse:
    """Take a message off the start page."""
    try:
        mark_read(reader=signed_in_user(request), delivery=number, at=now())
    except StudyError as error:
        raise Http404(str(error)) from error
    return redirect("home")


@require_GET
@for_readers
def end(request: HttpRequest, code: str) -> HttpResponse:
    """Thank the reader after the last session, and say what happens next."""
    enrollment = _enrollment(request, code)
    if not has_finished(enrollment):
        return redirect("home")
    texts = ReaderRules.of(enrollment.study).closing_texts
    shows_result = enrollment.study.protocol.shows_own_result
    text = texts.get(get_language() or "") or next(iter(texts.values()), "")
    context = {
        "study": enrollment.study,
        "text": markdown(text),
        "comments": enrollment.comments.all(),
        "most": LONGEST_COMMENT,
        "shows_results": shows_result and enrollment.study.is_unsealed and enrollment.takes_part,
        "waits_for_results": shows_result and not enrollment.study.is_unsealed,
    }
    return render(request, "participation/end.html", context)


@require_POST
@for_readers
def comment(request: HttpRequest, code: str) -> HttpResponse:
    """Store a comment of a reader who has finished."""
    enrollment = _enrollment(request, code)
    if not has_finished(enrollment):
        raise Http404
    try:
        add_comment(enrollment=enrollment, text=request.POST.get("text", ""), at=now())
    except StudyError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Thank you. Your comment is saved."))
    return redirect("participation:end", code)


def has_finished(enrollment: Enrollment) -> bool:
    """Return whether the reader has finished every session of their lists, or the study is over for them."""
    lists = enrollment.reading_lists.all()
    return lists.exists() and not lists.filter(session__finished_at=None).exists()


def _enrollment(request: HttpRequest, code: str) -> Enrollment:
    rows = Enrollment.objects.filter(reader=signed_in_user(request), study__code=code)
    enrollment = rows.select_related("study__cohort", "reader").first()
    if enrollment is None:
        raise Http404(_("You are not enrolled in a study %(code)s.") % {"code": code})
    return enrollment


def _consent_page(
    request: HttpRequest, enrollment: Enrollment, form: ProfileForm | None, *, status: int = 200
) -> HttpResponse:
    study, text = enrollment.study, newest_text(enrollment.study)
    given, rules = consent_of(enrollment), ReaderRules.of(study)
    profile = ReaderProfile.objects.filter(enrollment=enrollment).first()
    may_answer = study.takes_readers and enrollment.takes_part
    context: dict[str, Any] = {
        "study": study,
        "enrollment": enrollment,
        "given": given,
        "is_given": given.state == ConsentState.GIVEN,
        "is_outdated": given.state == ConsentState.OUTDATED,
        "is_required": rules.consent_required,
        "may_answer": may_answer,
        "is_answered": profile is not None,
    }
    if text:
        language, shown = text.in_language(get_language() or "")
        context |= {"version": text.version, "language": language, "sha256": text_hash(shown), "text": markdown(shown)}
    if may_answer and rules.asked and given.state in (ConsentState.GIVEN, ConsentState.NOT_ASKED):
        context["form"] = form or ProfileForm(asked=rules.asked, profile=profile)
    return render(request, "participation/consent.html", context, status=status)
