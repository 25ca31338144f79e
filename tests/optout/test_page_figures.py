"""What people did on a landing page, as figures and a picture."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from optout import ledger, page_figures, pages
from optout.models import LandingPage, SignUp
from optout.models.ledger import ConsentSource, Direction
from profiles.channels import Channel
from tests import factories

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
numbers = count(1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def page() -> LandingPage:
    return factories.make_landing_page(is_published=True)


def record(page: LandingPage, direction: Direction, *, at: datetime = NOW) -> None:
    ledger.record(
        next(numbers),
        Channel.EMAIL,
        direction,
        source=ConsentSource.LANDING_PAGE,
        by="",
        landing_page_version_id=page.published_version_id,
        now=at,
    )


def test_starts_and_stops_are_counted_by_day(page):
    record(page, Direction.OUT)
    record(page, Direction.OUT, at=NOW - timedelta(days=1))
    record(page, Direction.IN)

    found = page_figures.figures(page, now=NOW)

    assert (found.gained, found.lost, len(found.days)) == (1, 2, 30)
    assert [(day.gained, day.lost) for day in found.days[-2:]] == [(0, 1), (1, 1)]
    assert not found.is_empty


def test_every_version_counts_and_no_other_page(page):
    record(page, Direction.OUT)
    pages.edit_draft(page, pages.editable_content(page), by="op", now=NOW)
    pages.publish(page, by="op", now=NOW)
    page.refresh_from_db()
    record(page, Direction.OUT)
    record(factories.make_landing_page(is_published=True), Direction.OUT)

    assert page_figures.figures(page, now=NOW).lost == 2


def test_only_the_last_thirty_days_count(page):
    record(page, Direction.OUT, at=NOW - timedelta(days=29))
    record(page, Direction.OUT, at=NOW - timedelta(days=30))

    assert page_figures.figures(page, now=NOW).lost == 1


@pytest.mark.parametrize(("confirmed_at", "waiting"), [(None, 1), (NOW, 0)])
def test_sign_ups_wait_until_they_are_confirmed(page, confirmed_at, waiting):
    SignUp.objects.create(
        address="jane@example.org",
        digest="0" * 32,
        language="en",
        landing_page_version_id=page.published_version_id,
        requested_at=NOW,
        confirmed_at=confirmed_at,
    )

    assert page_figures.figures(page, now=NOW).waiting == waiting


def test_page_in_the_console_shows_the_picture_and_the_table(
    client: Client, operator: User, page: LandingPage
):
    client.force_login(operator)
    url = f"/console/pages/{page.pk}/"
    assert "Nobody changed anything here" in client.get(url).content.decode()

    record(page, Direction.OUT, at=timezone.now())

    text = client.get(url).content.decode()
    assert 'class="days-lost"' in text
    assert '<td class="number">1</td>' in text


def test_page_that_was_never_online_shows_no_figures(client: Client, operator: User):
    client.force_login(operator)
    draft = factories.make_landing_page()

    assert client.get(f"/console/pages/{draft.pk}/").context["figures"] is None
