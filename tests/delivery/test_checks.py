import pytest
from django.db import connection

from delivery.checks import (
    check_commits_are_durable,
    check_requests_are_not_atomic,
    check_some_go_abreast,
)


def test_our_requests_are_not_atomic():
    assert check_requests_are_not_atomic() == []


def test_atomic_requests_are_refused(settings, monkeypatch):
    monkeypatch.setitem(settings.DATABASES["default"], "ATOMIC_REQUESTS", True)

    (error,) = check_requests_are_not_atomic()

    assert error.id == "delivery.E001"
    assert "Take ATOMIC_REQUESTS out" in error.hint


@pytest.mark.django_db
def test_commits_of_this_database_are_durable():
    assert check_commits_are_durable(databases=["default"]) == []


@pytest.mark.postgres
@pytest.mark.django_db
def test_switching_off_durable_commits_is_refused():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit TO off")

    (error,) = check_commits_are_durable(databases=["default"])

    assert error.id == "delivery.E002"


@pytest.mark.parametrize(("count", "is_refused"), [(0, 1), (1, 0), (16, 0), (17, 1)])
def test_number_that_goes_abreast_is_checked(settings, count, is_refused):
    settings.SENDING_ABREAST = count

    errors = check_some_go_abreast()

    assert [each.id for each in errors] == ["delivery.E012"] * is_refused
