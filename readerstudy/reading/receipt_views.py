"""A reader's receipt for a session: proof of what they read, which nobody can rewrite."""

import json

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import now
from django.views.decorators.http import require_GET

from readerstudy.accounts.models import Role
from readerstudy.accounts.permissions import role_required, signed_in_user
from readerstudy.reading.queries import NoSuchSession, get_reading_list
from readerstudy.reading.receipts import session_receipt
from readerstudy.record.heads import short_code
from readerstudy.studies.models import ReadingList


@require_GET
@role_required(Role.READER)
def receipt(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """Show the short code of the receipt, and where to download it."""
    reading_list = _reading_list(request, code, number)
    data, head = session_receipt(reading_list, at=now())
    readings = sum('"reading_reading"' in leaf["data"] for leaf in data["leaves"])
    context = {
        "study": reading_list.session_plan.study,
        "number": number,
        "head": head,
        "short_code": short_code(head),
        "readings": readings,
    }
    return render(request, "reading/receipt.html", context)


@require_GET
@role_required(Role.READER)
def receipt_file(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """Return the receipt as a JSON file."""
    reading_list = _reading_list(request, code, number)
    data, _ = session_receipt(reading_list, at=now())
    name = f"{code}-session-{number}-{reading_list.enrollment.code}-receipt.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(json.dumps(data, indent=1), content_type="application/json", headers=headers)


def _reading_list(request: HttpRequest, code: str, number: int) -> ReadingList:
    try:
        return get_reading_list(signed_in_user(request), code, number)
    except NoSuchSession as error:
        raise Http404(str(error)) from error
