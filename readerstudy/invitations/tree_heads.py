"""Signing the heads of all records, and mailing them to the coordinators, who hold what the server cannot rewrite."""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import override

from readerstudy.accounts.models import Role
from readerstudy.invitations.sending import NOT_SENT
from readerstudy.record.heads import as_lines, short_code, sign_head
from readerstudy.record.models import Log, TreeHead
from readerstudy.studies.access import members_of
from readerstudy.studies.models import Study

log = logging.getLogger(__name__)


def sign_all_heads(*, at: datetime, language: str = settings.LANGUAGE_CODE) -> list[tuple[TreeHead, int]]:
    """Sign the head of every record that has grown; return the new heads, and how many mails each was sent in.

    Coordinators get the head of each of their studies. A mail that fails is logged.
    """
    before = set(TreeHead.objects.values_list("log", "size"))
    signed = [sign_head(code, at=at) for code in Log.objects.order_by("code").values_list("code", flat=True)]
    new = [head for head in signed if head and (head.log, head.size) not in before]
    return [(head, _mail(head, language=language)) for head in new]


def _mail(head: TreeHead, *, language: str) -> int:
    study = Study.objects.filter(code=head.log, is_rehearsal=False).first()
    addresses = _coordinators(study) if study and settings.SENDS_MAIL else []
    if not addresses:
        return 0
    with override(language):
        context = {"study": study, "head": head, "code": short_code(head)}
        body = render_to_string("invitations/tree_head.txt", context)
        subject = _("Tree head of the study %(code)s") % {"code": head.log}
    mail = EmailMessage(subject, body.strip() + "\n", bcc=addresses)
    mail.attach(f"{head.log}-tree-head-{head.size}.jsonl", as_lines([head]), "application/json")
    try:
        mail.send()
    except NOT_SENT as error:
        log.error("The tree head of %s was not sent: %s", head.log, error)
        return 0
    return len(addresses)


def _coordinators(study: Study) -> Sequence[str]:
    members = members_of(study).filter(role=Role.COORDINATOR.value, person__is_active=True).exclude(person__email="")
    return list(members.values_list("person__email", flat=True))
