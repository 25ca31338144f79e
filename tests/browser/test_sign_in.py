"""Second factor and password again, as a person without a mouse meets them."""

import re
import time

import pytest
from django.contrib.sessions.models import Session
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import Page, expect

from quarantine.models import BlockedDomain
from tests import factories
from tests.browser.conftest import findings, speak
from tests.browser.test_pages import CUT_OFF, WIDTHS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=["en", "sv"])
def language(request, page, live_server) -> str:
    speak(page, request.param, live_server)
    return str(request.param)


def code_now() -> str:
    totp = TOTP(TOTPDevice.objects.get().bin_key)
    totp.time = time.time()
    return f"{totp.token():06}"


def troubles(page: Page) -> list[str]:
    """List what axe finds, and what is cut off on any screen."""
    found = findings(page)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 740})
        cut = page.evaluate(CUT_OFF)
        found += [f"{page.url} at {width}: {cut}"] if cut else []
    return found


def test_second_factor_is_set_up_and_asked_for(signed_in, operator, language):
    signed_in.goto("/console/account/second-factor/set-up/")
    signed_in.locator("[name=code]").fill("000000")
    signed_in.locator("main .button-main").click()
    expect(signed_in.locator(".note-bad[role=alert]")).to_be_focused()
    found = troubles(signed_in)

    signed_in.locator("[name=code]").fill(code_now())
    time.sleep(1.1)  # one wrong code makes the next one wait a second
    signed_in.locator("main .button-main").click()
    expect(signed_in.locator("main li.code")).to_have_count(10)
    found += troubles(signed_in)
    recovery = signed_in.locator("main li.code").first.inner_text()

    session = Session.objects.get()
    store = session.get_decoded()
    del store["otp_device_id"]
    session.session_data = Session.objects.encode(store)
    session.save()
    signed_in.goto("/console/account/")
    expect(signed_in.locator("nav")).to_have_count(0)
    found += troubles(signed_in)

    signed_in.locator("[name=code]").fill(recovery)
    signed_in.locator("main .button-main").click()
    expect(signed_in).to_have_url(re.compile(r"/console/account/$"))
    found += troubles(signed_in)

    assert found == []


def test_password_is_asked_for_and_the_act_goes_on(signed_in, operator, language):
    factories.make_blocked_domain(domain="closed.example.net")
    session = Session.objects.get()
    store = session.get_decoded()
    store["confirmed_at"] = time.time() - 700
    session.session_data = Session.objects.encode(store)
    session.save()
    signed_in.goto("/console/quarantine/domains/")
    signed_in.locator("form[action*=remove] button").click()
    password = signed_in.locator("[name=identity_password]")
    expect(password).to_be_focused()
    found = troubles(signed_in)

    password.fill("wrong")
    signed_in.keyboard.press("Enter")
    expect(signed_in.locator(".field-error")).to_be_visible()
    found += troubles(signed_in)

    password.fill("a-long-passphrase")
    signed_in.keyboard.press("Enter")
    expect(signed_in).to_have_url(re.compile(r"/domains/$"))
    assert not BlockedDomain.objects.exists()
    assert found == []
