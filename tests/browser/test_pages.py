"""Every page of the console, for everybody: rules of accessibility, small screens."""

import pytest
from django.utils import timezone

from delivery import lifecycle
from delivery.channels.outcomes import Outcome, OutcomeKind, Phase
from delivery.lifecycle import DeliveryEvent
from delivery.models import Delivery, DeliveryContent
from optout.models import Upload
from optout.models.uploads import UploadKind, UploadStatus
from profiles.addresses import parse
from profiles.channels import Channel
from quarantine import transitions
from quarantine.models import BatchState, QuarantineBatch, QuarantinedAddress
from quarantine.reasons import Event, Reason, Source, Status
from tests import factories
from tests.browser.conftest import findings, speak
from tests.delivery.sending_stage import HTML, Wire, send_once

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LANGUAGES = ["en", "sv"]
# From a small telephone to a desk; 640 is a desk at 200 % zoom.
WIDTHS = [320, 360, 640, 768, 1024, 1152, 1280]
CUT_OFF = """() => [document.documentElement, ...document.querySelectorAll(".card")]
    .filter(each => each.scrollWidth > each.clientWidth)
    .map(each => each.className || each.tagName)"""
LONG = "a-name-without-any-space-that-goes-on-and-on-and-on-and-on@example.com"

# Shown whatever there is.
ALWAYS = [
    "/console/",
    "/console/account/",
    "/console/account/password/",
    "/console/account/second-factor/set-up/",
    "/console/account/actions/",
    "/console/account/actions/?actor=nobody",
    "/console/help/",
    "/console/help/glossary/",
]


def make_written(label: str, *, is_sent: bool) -> Delivery:
    """Make a delivery with content, analysed; or sent to a server that refuses all."""
    delivery = factories.make_analysed_delivery(label=label)
    DeliveryContent.objects.create(
        delivery=delivery,
        subject="LOUD SUBJECT",
        html=HTML,
        has_address_in_content=True,
    )
    if is_sent:
        now = timezone.now()
        lifecycle.move(delivery, DeliveryEvent.CONFIRM, contact_at=now)
        send_once(Wire(Outcome(OutcomeKind.HARD, Phase.RCPT, 550, "5.1.1", "No " * 60)))
    return delivery


def make_incidents() -> list[str]:
    """Hold an address as provisional, release another outage; list their pages."""
    now = timezone.now()
    held, released = [
        QuarantineBatch.objects.create(
            channel=0,
            domain=f"{state}.with-a-name-that-goes-on.example.net",
            began_at=now,
            ended_at=now,
            state=state,
            count=1,
            decided_at=now if state == BatchState.RELEASED else None,
        )
        for state in (BatchState.OPEN, BatchState.RELEASED)
    ]
    factories.make_quarantined_address(
        value="held@example.net", is_provisional=True, batch=held, last_error_at=now
    )
    transitions.apply(
        parse(Channel.EMAIL, LONG),
        Event.COMPLAINT,
        by="",
        source=Source.COMPLAINT,
        reason=Reason.COMPLAINT,
        now=now,
    )
    path = "/console/quarantine/incidents/"
    return [
        "/console/quarantine/domains/",
        path,
        f"{path}{held.pk}/",
        f"{path}{released.pk}/",
        f"{path}release/?domain=example.com"
        "&began_at=2024-01-01T00:00&ended_at=2034-01-01T00:00",
        "/console/quarantine/figures/?days=365&by=domain",
        "/console/quarantine/growth/",
    ]


@pytest.fixture
def pages(db, operator) -> list[str]:
    """Make something to show on every page, and list where it is shown."""
    profile = factories.make_profile(
        external_id="P-1", first_name="Åsa", email=LONG, attributes={"level": "gold"}
    )
    sharing = factories.make_profile(external_id="P-2", email=LONG)
    factories.make_opt_out(profile=sharing)
    factories.make_quarantined_address(value=LONG)
    factories.make_quarantined_address(
        value="angry@example.com", status=Status.DENYLISTED
    )
    factories.make_blocked_domain(domain="closed.example.net")
    delivery = factories.make_analysed_delivery(label="Spring")
    fresh = factories.make_delivery(label="Not analysed")
    sent = make_written("Sent", is_sent=True)
    written = make_written("Written", is_sent=False)
    upload = Upload.objects.create(
        kind=UploadKind.PROFILES,
        file_name="people.csv",
        status=UploadStatus.FINISHED,
        summary={"created": 3, "failed": 1},
        created_by=operator,
    )
    burst = factories.make_burst(count=24)
    service = factories.make_service(validity_days=30)
    factories.make_subscription(profile=profile, service=service)
    return [
        *ALWAYS,
        "/console/opt-outs/bursts/",
        f"/console/opt-outs/bursts/{burst.pk}/",
        "/console/opt-outs/requests/",
        "/console/profiles/",
        f"/console/profiles/?q={LONG}",
        f"/console/profiles/{profile.pk}/",
        f"/console/opt-outs/{sharing.pk}/",
        "/console/quarantine/",
        "/console/quarantine/?domain=nowhere.example.com",
        "/console/quarantine/add/",
        f"/console/quarantine/{QuarantinedAddress.objects.earliest('pk').pk}/",
        *make_incidents(),
        "/console/deliveries/",
        "/console/deliveries/new/",
        f"/console/deliveries/{delivery.pk}/",
        f"/console/deliveries/{fresh.pk}/",
        f"/console/deliveries/{delivery.pk}/log/",
        f"/console/deliveries/{delivery.pk}/explanation/?external_id=P-2",
        f"/console/deliveries/{written.pk}/content/",
        f"/console/deliveries/{written.pk}/preview/",
        f"/console/deliveries/{written.pk}/confirm/",
        f"/console/deliveries/{sent.pk}/",
        f"/console/deliveries/{sent.pk}/log/",
        f"/console/deliveries/{sent.pk}/messages/{profile.pk}/",
        "/console/services/",
        "/console/services/new/",
        f"/console/services/{service.pk}/",
        f"/console/services/{service.pk}/edit/",
        "/console/uploads/",
        "/console/uploads/new/",
        f"/console/uploads/{upload.pk}/",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_on_any_page(signed_in, pages, live_server, language):
    speak(signed_in, language, live_server)

    found = []
    for path in pages:
        response = signed_in.goto(path)
        assert response.status == 200, path
        found += findings(signed_in)

    assert found == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_before_sign_in(page, live_server, db, language):
    speak(page, language, live_server)
    page.goto("/console/sign-in/")

    assert findings(page) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_cut_off_on_any_screen(signed_in, pages, live_server, language):
    speak(signed_in, language, live_server)

    wide = []
    for path in pages:
        signed_in.goto(path)
        for width in WIDTHS:
            signed_in.set_viewport_size({"width": width, "height": 740})
            cut = signed_in.evaluate(CUT_OFF)
            wide += [f"{path} at {width}: {cut}"] if cut else []

    assert wide == []
