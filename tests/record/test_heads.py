"""Tree heads are signed when something ends, and leave the server."""

import json

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils.timezone import now

from readerstudy.accounts.models import Role
from readerstudy.invitations.tree_heads import sign_all_heads
from readerstudy.record.heads import heads_file, public_key, read_heads, sign_head
from readerstudy.record.models import TreeHead
from readerstudy.record.verifier import is_head_signed
from readerstudy.studies.actions import pause_study
from tests import make


def test_a_move_of_the_study_signs_its_head(study, django_capture_on_commit_callbacks):
    connection.check_constraints()
    with django_capture_on_commit_callbacks(execute=True):
        pause_study(study=study, actor=None, reason="a holiday", at=make.MONDAY)
        connection.check_constraints()
    head = TreeHead.objects.get(log=study.code)
    assert [(row["log"], row["size"]) for row in read_heads(heads_file())] == [(study.code, head.size)]
    assert is_head_signed(read_heads(heads_file())[0], public_key())


def test_a_log_that_has_not_grown_keeps_its_head(study):
    connection.check_constraints()
    assert sign_head(study.code, at=make.MONDAY) == sign_head(study.code, at=now())
    assert sign_head("unknown", at=make.MONDAY) is None


def test_coordinators_get_the_head_of_their_study_once(study, settings, mailoutbox):
    settings.SENDS_MAIL, settings.DEFAULT_FROM_EMAIL = True, "study@example.org"
    make.user("clara", Role.COORDINATOR, email="clara@example.org")
    make.user("rosa", Role.RESEARCHER, email="rosa@example.org")
    connection.check_constraints()
    signed = {head.log: mails for head, mails in sign_all_heads(at=make.MONDAY)}
    assert signed == {"": 0, study.code: 1}
    [mail] = mailoutbox
    assert mail.bcc == ["clara@example.org"]
    [(name, attached, _kind)] = mail.attachments
    assert name.startswith("tiny-tree-head-")
    assert is_head_signed(json.loads(attached), public_key())
    assert public_key() in mail.body
    assert sign_all_heads(at=make.MONDAY) == []
    assert len(mailoutbox) == 1


@pytest.mark.parametrize(("arguments", "words"), [(["tiny"], "answer key"), ([], "tree heads outside")])
def test_the_command_prints_a_line_for_each_check(study, capsys, arguments, words):
    connection.check_constraints()
    call_command("verify_study", *arguments)
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith(words) for line in lines)
    assert all(line.endswith(" ok") for line in lines)
