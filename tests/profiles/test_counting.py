"""Counting: exact while rows are few, the planner's word where they are very many."""

import pytest
from django.db import connection

from profiles import counting
from profiles.counting import Count
from profiles.models import Address, Profile
from tests import factories

pytestmark = pytest.mark.django_db


def test_several_are_counted_in_one_query(django_assert_num_queries):
    for number in range(3):
        factories.make_profile(
            external_id=f"P-{number}", email=f"p{number}@example.com"
        )
    several = [
        Profile.objects.order_by("external_id"),
        Address.objects.filter(value="p1@example.com"),
        Profile.objects.filter(external_id="nobody"),
    ]

    with django_assert_num_queries(1):
        counts = counting.count_each(several)

    assert counts == [Count(3, False), Count(1, False), Count(0, False)]


@pytest.mark.postgres
def test_very_many_are_estimated(monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(counting, "EXACT_UP_TO", 100)
    for number in range(123):
        factories.make_profile(external_id=f"P-{number}")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE profiles_profile")
    one = Profile.objects.filter(external_id="P-1")
    named = Profile.objects.exclude(external_id="P-1")

    with django_assert_num_queries(2):
        counts = counting.count_each([Profile.objects.all(), one, named])

    assert counts == [Count(120, True), Count(1, False), Count(120, True)]
