"""No page of the console asks the database much, or weighs much, however full it is."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaign import acts
from delivery.roles import Role
from profiles import counting
from quarantine.models import QuarantinedAddress
from quarantine.reasons import Source
from tests import factories, test_roles
from tests.crowd import LONG, make_crowd
from tests.delivery.sending_stage import make_sending
from tests.test_roles import path_of

pytestmark = pytest.mark.django_db

MOST_QUERIES = 20
MOST_BYTES = 100_000
# Whole files, as long as what they hold; what takes posts only, or leads elsewhere.
NO_PAGES = {
    "second_factor",
    "set_language",
    "audit_trail_csv",
    "consent_proof_csv",
    "delivery_log_csv",
    "inbound_raw",
    "quarantine_figures_csv",
    "upload_report",
}
LOOKS = [
    name
    for name, door in acts.DOORS.items()
    if door.look is not None and name not in NO_PAGES
]
# Where one thing is found, or many, and where pages are longest.
MORE = [
    "/console/profiles/?q=Anna",
    "/console/quarantine/?text=example.com",
    "/console/quarantine/figures/?days=365&by=domain",
    "/console/quarantine/figures/?days=365&by=day",
]

world = test_roles.world


@pytest.fixture
def reader(operator: User) -> Client:
    operator.is_superuser = operator.is_staff = True
    operator.save()
    client = Client()
    client.force_login(operator, "django.contrib.auth.backends.ModelBackend")
    return client


def test_page_stays_light_however_much_there_is(
    reader: Client, world: dict[str, int | str]
) -> None:
    make_crowd(world, now=timezone.now())
    paths = [path_of(name, world) for name in LOOKS] + MORE

    figures = {path: figures_of(reader, path) for path in paths}

    heavy = {
        path: (queries, size)
        for path, (queries, size) in figures.items()
        if queries > MOST_QUERIES or size > MOST_BYTES
    }
    assert heavy == {}


def test_start_page_asks_little_for_an_account_with_every_role(
    world: dict[str, int | str], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With so many rows that they are estimated, an incident, a delivery on its way."""
    make_crowd(world, now=timezone.now())
    make_sending(label="On its way")
    monkeypatch.setattr(counting, "EXACT_UP_TO", 10)
    settings.QUARANTINE_OUTAGE_ERRORS = 3
    for number in range(30):
        factories.make_quarantined_address(
            value=f"p{number}@example.net", last_error_at=timezone.now()
        )
    QuarantinedAddress.objects.update(source=Source.BOUNCE)
    account = User.objects.create_user("all")
    account.groups.set(Group.objects.filter(name__in=[each.value for each in Role]))
    client = Client()
    client.force_login(account, "django.contrib.auth.backends.ModelBackend")

    queries, _size = figures_of(client, "/console/")

    page = client.get("/console/").text
    assert "Looks like an outage" in page and "On its way" in page
    assert 15 < queries <= MOST_QUERIES


def figures_of(client: Client, path: str) -> tuple[int, int]:
    """Give how many questions a page asks, and how many bytes it is."""
    with CaptureQueriesContext(connection) as queries:
        page = client.get(path)
    assert page.status_code == 200, path
    return len(queries), len(page.content)


def test_crowd_fills_the_lists(reader: Client, world: dict[str, int | str]) -> None:
    make_crowd(world, now=timezone.now())
    # Each is cut at a page, and leads to the next one.
    for name in ("profiles", "quarantine", "delivery_list", "inbound_list", "bursts"):
        page = reader.get(path_of(name, world))
        assert 'rel="next"' in page.text, name
    assert reader.get(path_of("profiles", world)).text.count(LONG) >= 50
