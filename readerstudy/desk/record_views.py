"""The record of a study: its signed heads, its last verification, and what to keep outside."""

import json
from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from readerstudy.accounts.models import Role
from readerstudy.accounts.permissions import role_required, signed_in_user
from readerstudy.record import verifier
from readerstudy.record.exports import commitment_data
from readerstudy.record.heads import as_lines, public_key, short_code
from readerstudy.record.models import Commitment, Log, TreeHead, Verification
from readerstudy.studies.access import study_for
from readerstudy.studies.models import Study

for_investigators = role_required(Role.COORDINATOR, Role.RESEARCHER)
SHOWN = 20  # heads


@require_GET
@for_investigators
def record(request: HttpRequest, code: str) -> HttpResponse:
    """Show the signed heads, the last verification, and the files."""
    study = study_for(signed_in_user(request), code)
    heads = TreeHead.objects.filter(log=study.code).order_by("-id")[:SHOWN]
    context = {
        "study": study,
        "size": Log.objects.filter(code=study.code).values_list("size", flat=True).first() or 0,
        "heads": [(head, short_code(head)) for head in heads],
        "verification": Verification.objects.filter(log=study.code).first(),
        "commitment": _commitment(study),
        "public_key": public_key(),
    }
    return render(request, "desk/record.html", context)


@require_GET
@for_investigators
def record_file(request: HttpRequest, code: str, name: str) -> HttpResponse:
    """Return one of the files to keep: the commitment to the answer key, the signed heads, or the verifier."""
    study = study_for(signed_in_user(request), code)
    commitment = _commitment(study)
    if name == "answer-key" and commitment is not None:
        text, file = json.dumps(commitment_data(commitment), indent=1), f"{code}-answer-key-commitment.json"
    elif name == "heads":
        text, file = as_lines(TreeHead.objects.filter(log=study.code)), f"{code}-tree-heads.jsonl"
    elif name == "verifier":
        text, file = Path(verifier.__file__).read_text(), "verifier.py"
    else:
        raise Http404
    headers = {"Content-Disposition": f'attachment; filename="{file}"'}
    return HttpResponse(text, content_type="text/plain; charset=utf-8", headers=headers)


def _commitment(study: Study) -> Commitment | None:
    """Return the commitment to the present draw."""
    return None if study.is_editable else Commitment.objects.filter(log=study.code).last()
