"""Previews and proofs: as for a real person, with links about nobody."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from delivery import proofs
from delivery.models import Attempt, Message, Proof
from delivery.proofs import ProofError
from delivery.states import MessageStatus
from optout import tokens
from optout.tokens import Purpose
from tests import factories
from tests.delivery.sending_stage import HTML, Wire, make_confirmed

pytestmark = pytest.mark.django_db


@pytest.fixture
def delivery():
    factories.make_profile(external_id="A", first_name="Anna", email="a@example.com")
    factories.make_profile(external_id="B", first_name="Bo", email="b@example.com")
    return make_confirmed(html=HTML)


@pytest.fixture
def wire(monkeypatch) -> Wire:
    wire = Wire()
    monkeypatch.setattr(proofs, "open_transport", lambda channel: wire)
    return wire


def in_full(channel: int, value: str) -> str:
    return value


def send(delivery, *addresses, **how):
    return proofs.send_proofs(
        delivery, addresses, by="operator", now=timezone.now(), **how
    )


@pytest.mark.parametrize(("external_id", "name"), [("", "Anna"), ("B", "Bo")])
def test_preview_is_of_a_targeted_profile(delivery, external_id, name):
    shown = proofs.preview(delivery, external_id, write=in_full)

    assert f"Hello {name}" in shown.html and f"Hello {name}" in shown.text


def test_links_of_a_preview_are_about_nobody(delivery):
    html = proofs.preview(delivery, write=in_full).html

    token = re.search(r'/stop/([^"]+)"', html)[1]
    link = tokens.read(token, Purpose.STOP, now=timezone.now())
    assert link.profile_id == 0


def test_preview_of_somebody_else_is_refused(delivery):
    with pytest.raises(ProofError, match="targeted"):
        proofs.preview(delivery, "Z", write=in_full)


def test_proof_is_marked_logged_and_never_counted(delivery, wire):
    sent = send(delivery, "test@example.com", "boss@example.org", external_id="B")

    assert [each.address for each in sent] == ["test@example.com", "boss@example.org"]
    assert wire.recipients == ["test@example.com", "boss@example.org"]
    assert all(b"Subject: [Proof] Spring" in each.content for each in wire.taken)
    assert all(b"Hello Bo" in each.content for each in wire.taken)
    assert Proof.objects.count() == 2
    assert not Attempt.objects.exists()
    statuses = set(Message.objects.values_list("status", flat=True))
    assert statuses == {MessageStatus.READY}


def test_every_proof_has_a_message_id_of_its_own(delivery, wire):
    send(delivery, "test@example.com")
    send(delivery, "test@example.com")

    ids = {re.search(rb"Message-ID: (\S+)", each.content)[1] for each in wire.taken}
    assert len(ids) == 2


@pytest.mark.parametrize("address", ["nobody", "gone@example.com"])
def test_proof_goes_to_no_bad_or_quarantined_address(delivery, wire, address):
    factories.make_quarantined_address(value="gone@example.com")

    with pytest.raises(ProofError, match="quarantine"):
        send(delivery, "test@example.com", address)

    assert wire.taken == []


@pytest.mark.parametrize("count", [0, 11])
def test_number_of_proofs_is_limited(delivery, wire, count):
    with pytest.raises(ProofError, match="1 to 10"):
        send(delivery, *["test@example.com"] * count)


def test_console_shows_a_preview_and_sends_proofs(
    client: Client, operator: User, delivery, wire
) -> None:
    client.force_login(operator)
    url = f"/console/deliveries/{delivery.pk}"

    page = client.get(f"{url}/preview/?external_id=B").content.decode()
    frame = client.get(f"{url}/preview/frame/?external_id=B")
    proof = {"addresses": "test@example.com\n", "external_id": "B"}
    answer = client.post(f"{url}/proofs/", proof)

    assert "b@example.com" in page and "sandbox" in page
    assert "Hello Bo" in frame.content.decode()
    assert "script-src" not in frame["Content-Security-Policy"]
    assert frame["X-Frame-Options"] == "SAMEORIGIN"
    assert wire.recipients == ["test@example.com"]
    assert answer.url == f"{url}/preview/?external_id=B"
    assert "test@example.com" in client.get(f"{url}/preview/").content.decode()


@pytest.mark.parametrize("page", ["preview/", "preview/frame/"])
def test_pages_ask_for_rights(client, onlooker, delivery, page):
    client.force_login(onlooker)

    assert client.get(f"/console/deliveries/{delivery.pk}/{page}").status_code == 403
