"""Prepared statements give what the same querysets give, also after the connection was lost."""

import pytest
from django.db import connection, transaction
from django.db.models import Subquery

from readerstudy.accounts.models import Role, User
from readerstudy.prepared import Given, PreparedQuery, PreparedStatement
from readerstudy.studies.models import Enrollment, SessionPlan

_PLANS = PreparedQuery(
    lambda: (
        SessionPlan.objects.filter(study__code=Given("study"), number__gte=Given("first"), title__gt="A{b}%'")
        .select_related("study__cohort", "practice")
        .defer("study__plan")
        .annotate(newest=Subquery(User.objects.filter(role=Given("role")).order_by("-pk").values("username")[:1]))
        .order_by("number")
    )
)


def test_a_prepared_query_gives_the_rows_of_its_queryset(study, rita, django_assert_num_queries):
    assert study.session_plans.exists()
    for first in (1, 3, 99):
        plans = _PLANS.rows(study=study.code, first=first, role=Role.READER)
        expected = SessionPlan.objects.filter(study=study, number__gte=first).order_by("number")
        assert [(plan.pk, plan.rules, plan.title) for plan in plans] == [
            (plan.pk, plan.rules, plan.title) for plan in expected
        ]
        with django_assert_num_queries(0):
            assert all(plan.study == study and plan.study.cohort_id == study.cohort_id for plan in plans)
            assert all(plan.practice is None and vars(plan)["newest"] == rita.username for plan in plans)


def test_values_are_values_and_never_sql(study):
    assert _PLANS.first(study=f"{study.code}' OR ''='", first=1, role="reader") is None
    assert _PLANS.first(study="$1", first=1, role="%s") is None
    plan = _PLANS.first(study=study.code, first=2, role="x'; DROP TABLE studies_study; --")
    assert plan is not None
    assert plan.number == 2


def test_a_statement_is_prepared_once_in_each_connection(db, django_assert_num_queries):
    twice = PreparedStatement("SELECT {number}::int * 2", "number")
    with django_assert_num_queries(2):
        assert twice.rows(number=4) == [(8,)]
    with django_assert_num_queries(1):
        assert twice.rows(number=5) == [(10,)]


@pytest.mark.django_db(transaction=True)
def test_a_new_connection_prepares_again():
    twice = PreparedStatement("SELECT {number}::int * 3", "number")
    assert twice.rows(number=4) == [(12,)]
    connection.close()
    assert twice.rows(number=5) == [(15,)]


@pytest.mark.django_db(transaction=True)
def test_a_query_that_locks_needs_a_transaction():
    enrolled = PreparedQuery(lambda: Enrollment.objects.filter(code=Given("code")).select_for_update())
    with pytest.raises(Exception, match="transaction"):
        enrolled.rows(code="R1")
    with transaction.atomic():
        assert enrolled.rows(code="R1") == []
    with pytest.raises(AssertionError, match="locks"):
        enrolled.rows(code="R1")
