import os
from collections.abc import Iterator

import hypothesis
import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from delivery import audit_triggers
from optout import page_triggers, triggers
from profiles.models import Profile
from tests import factories

# The same examples every time: what fails, fails again. HYPOTHESIS_PROFILE=default
# searches anew.
hypothesis.settings.register_profile("repeatable", derandomize=True, database=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

OUR_APPS = ["profiles", "quarantine", "optout", "delivery"]


@pytest.fixture(autouse=True)
def ledger_can_be_flushed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Drop the ledger's triggers before a test database is flushed.

    Tests that commit end with a flush, which the triggers would refuse. The flush
    ends with post_migrate, which installs them again.
    """
    marker = request.node.get_closest_marker("django_db")
    commits = marker is not None and marker.kwargs.get("transaction", False)
    if not commits and "transactional_db" not in request.fixturenames:
        yield
        return

    request.getfixturevalue("transactional_db")
    yield
    triggers.LEDGER.drop()
    page_triggers.drop()
    audit_triggers.TRAIL.drop()


@pytest.fixture
def opted_in_profile(db: None) -> Profile:
    return factories.make_profile(external_id="opted-in")


@pytest.fixture
def opted_out_profile(db: None) -> Profile:
    profile = factories.make_profile(external_id="opted-out")
    factories.make_opt_out(profile=profile)
    return profile


@pytest.fixture
def quarantined_profile(db: None) -> Profile:
    profile = factories.make_profile(
        external_id="quarantined", email="gone@example.com"
    )
    factories.make_quarantined_address(value="gone@example.com")
    return profile


@pytest.fixture
def operator(db: None) -> User:
    """An operator with every right in our own apps."""
    user = User.objects.create_user("operator", password="a-long-passphrase")
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label__in=OUR_APPS)
    )
    return user


@pytest.fixture
def onlooker(db: None) -> User:
    """An operator without any right."""
    return User.objects.create_user("onlooker", password="a-long-passphrase")


@pytest.fixture
def console(client: Client, operator: User) -> Client:
    """The browser of an operator with every right, signed in."""
    client.force_login(operator)
    return client


@pytest.fixture
def visitor() -> Client:
    """A client that would fail CSRF checks, as a mail provider's does."""
    return Client(enforce_csrf_checks=True)
