"""Every purpose of a link against every address that takes one."""

from typing import Final

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from optout import tokens, urls_public
from optout.models import LandingPage, SignUp
from optout.models.pages import PageType
from optout.tokens import Link, Purpose
from profiles.channels import Channel
from profiles.models import Profile
from tests import factories

PURPOSE_OF: Final = {
    "one_click": Purpose.ONE_CLICK,
    "stop": Purpose.STOP,
    "preferences": Purpose.PREFERENCES,
    "own_page": Purpose.PREFERENCES,
    "confirmation": Purpose.CONFIRMATION,
}
PAIR: Final = "List-Unsubscribe=One-Click"
FORM: Final = "application/x-www-form-urlencoded"
pytestmark = pytest.mark.django_db


@pytest.fixture
def profile() -> Profile:
    return factories.make_profile(email="jane@example.org")


@pytest.fixture
def page() -> LandingPage:
    return factories.make_landing_page(
        page_type=PageType.PREFERENCES, is_published=True
    )


def everything() -> list[object]:
    return [
        list(model.objects.order_by("pk").values())
        for model in apps.get_app_config("optout").get_models()
    ]


def test_every_address_that_takes_a_token_is_in_the_table():
    taking = {
        pattern.name
        for pattern in urls_public.urlpatterns
        if "token" in pattern.pattern.converters
    }

    assert taking == set(PURPOSE_OF)


@pytest.mark.parametrize("purpose", Purpose, ids=lambda purpose: purpose.name)
@pytest.mark.parametrize("name", PURPOSE_OF)
def test_each_address_takes_its_own_purpose_only(name, purpose, profile, page):
    visitor = Client(enforce_csrf_checks=True)
    digest = profile.addresses.get().digest
    SignUp.objects.create(
        pk=profile.pk, address="jane@example.org", digest=digest, language="en"
    )
    link = Link(profile.pk, Channel.EMAIL, timezone.now(), digest=digest)
    arguments = {"token": tokens.make(link, purpose)}
    if name == "own_page":
        arguments["public_id"] = page.public_id
    url = reverse(name, kwargs=arguments)
    before = everything()

    asked = visitor.get(url)
    posted = visitor.generic("POST", url, PAIR, content_type=FORM)

    is_own = purpose is PURPOSE_OF[name]
    assert asked.status_code == posted.status_code == (200 if is_own else 404)
    # Without the nonce of a form, one click is all that acts.
    assert (everything() != before) is (is_own and name == "one_click")
