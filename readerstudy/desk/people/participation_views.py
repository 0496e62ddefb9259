"""Consent, the rules for readers, messages to them, and their comments."""

from collections import Counter
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from readerstudy.accounts.permissions import signed_in_user
from readerstudy.desk.people.participation_forms import ConsentForm, MessageForm, RulesForm
from readerstudy.desk.people.views import for_investigators
from readerstudy.errors import StudyError
from readerstudy.invitations.letters import Terms
from readerstudy.invitations.message_actions import send_message
from readerstudy.invitations.views import base_url
from readerstudy.participation.actions import save_rules, write_consent
from readerstudy.participation.models import Comment, ConsentText, Message, ReaderRules
from readerstudy.participation.queries import ConsentState, consents_of, newest_text
from readerstudy.studies.access import study_for
from readerstudy.studies.models import Enrollment, Study


@require_http_methods(["GET", "POST"])
@for_investigators
def consent(request: HttpRequest, code: str) -> HttpResponse:
    """Show the consent text with who agreed, and the rules for readers; by POST, store one of both."""
    study = study_for(signed_in_user(request), code)
    text, rules = newest_text(study), ReaderRules.of(study)
    is_text = request.POST.get("form") == "text"
    consent_form = ConsentForm(request.POST if is_text else None, text=text)
    rules_form = RulesForm(request.POST if request.method == "POST" and not is_text else None, rules=rules)
    form = consent_form if is_text else rules_form
    if request.method == "POST" and form.is_valid():
        values: dict[str, Any] = {"study": study, "actor": signed_in_user(request), "at": now()}
        try:
            if is_text:
                stored = write_consent(texts=consent_form.texts, **values)
                done = _("Version %(version)d of the consent text is stored.") % {"version": stored.version}
            else:
                save_rules(values=rules_form.values, **values)
                done = _("The rules for readers are stored.")
        except StudyError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, done)
            return redirect("desk:consent", code)
    context = {
        "study": study,
        "consent_form": consent_form,
        "rules_form": rules_form,
        "text": text,
        "is_open": study.takes_readers,
        "states": _states(study) if text else [],
        "versions": ConsentText.objects.filter(study=study).exclude(pk=text.pk).order_by("-version") if text else [],
        "is_agreed": bool(text and text.consents.exists()),
    }
    return render(request, "desk/consent.html", context, status=400 if form.is_bound else 200)


def _states(study: Study) -> list[tuple[str, int]]:
    """Return how many readers who take part are in each state."""
    keys = list(Enrollment.objects.filter(study=study, withdrawn_at=None).values_list("pk", flat=True))
    counts = Counter(consent.state for consent in consents_of(study, keys).values())
    return [(str(state.label), counts[state]) for state in ConsentState if counts[state]]


@require_http_methods(["GET", "POST"])
@for_investigators
def message_page(request: HttpRequest, code: str) -> HttpResponse:
    """Show the messages to readers with who has read them, and write one."""
    study = study_for(signed_in_user(request), code)
    readers = list(Enrollment.objects.filter(study=study, withdrawn_at=None).select_related("reader").order_by("pk"))
    choices = [(str(each.pk), f"{each.code} {each.reader.get_full_name() or each.reader}") for each in readers]
    initial = {"readers": request.GET.getlist("reader") or [key for key, _name in choices]}
    form = MessageForm(request.POST or None, readers=choices, initial=initial)
    if request.method == "POST" and form.is_valid():
        chosen = [each for each in readers if str(each.pk) in form.cleaned_data["readers"]]
        terms = Terms(base_url=base_url(request), language=request.LANGUAGE_CODE)
        values: dict[str, Any] = {"study": study, "actor": signed_in_user(request), "at": now(), "terms": terms}
        try:
            send_message(enrollments=chosen, text=form.cleaned_data["text"], **values)
        except StudyError as error:
            messages.error(request, str(error))
        else:
            words = ngettext(
                "The message is on the start page of %(count)d reader.",
                "The message is on the start page of %(count)d readers.",
                len(chosen),
            )
            messages.success(request, words % {"count": len(chosen)})
            return redirect("desk:messages", code)
    context = {
        "study": study,
        "form": form,
        "has_readers": bool(readers),
        "sent": Message.objects.filter(study=study)
        .select_related("sent_by")
        .prefetch_related("deliveries__enrollment"),
        "comments": Comment.objects.filter(enrollment__study=study).select_related("enrollment")
        if study.shows_verdicts
        else None,
        "written": Comment.objects.filter(enrollment__study=study).count(),
    }
    return render(request, "desk/messages.html", context, status=400 if form.is_bound else 200)
