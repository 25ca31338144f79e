"""Double opt-in: nothing changes before the owner of the mailbox pressed a button."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from optout import confirmation, mails, preferences, public, signing_up, subscriptions
from optout.models import (
    ConsentEvent,
    ConsentEvidence,
    OptOut,
    Service,
    SignUp,
    SignUpMailbox,
    Subscription,
)
from optout.models.ledger import ConsentSource
from profiles.channels import ANY_CHANNEL, Channel
from profiles.models import Address, Profile
from quarantine.reasons import Reason, Status
from tests import factories

ANNA = "Anna.Berg@example.com"
pytestmark = pytest.mark.django_db


@pytest.fixture
def news() -> Service:
    return factories.make_service(name="news", public_name="News", is_open=True)


def ask(service: Service, address: str = ANNA, *, at=None, **fields) -> None:
    request = signing_up.Request(
        address=address, services=[service], language="en", origin="Footer", **fields
    )
    signing_up.ask(request, now=at or timezone.now())
    # As the worker does it, after the commit.
    for sign_up in SignUp.objects.filter(mailed_at=None):
        mails.ask_to_confirm(sign_up.pk)


def link_in(message) -> str:
    return re.search(r"http://localhost:8000(/c/\S+)", message.body).group(1)


def pressed(visitor, url: str, monkeypatch, do: str = "confirm") -> str:
    page = visitor.get(url).content.decode()
    nonce = re.search(r'name="form" value="([^"]+)"', page)
    later = timezone.now() + timedelta(seconds=3)
    monkeypatch.setattr(public.timezone, "now", lambda: later)
    fields = {"do": do, "form": nonce.group(1) if nonce else ""}
    return visitor.post(url, fields).content.decode()


def everything() -> list[object]:
    models = (Profile, Address, OptOut, Subscription, ConsentEvent)
    return [list(model.objects.order_by("pk").values()) for model in models]


def test_mail_says_what_it_is_about_and_nothing_that_was_typed(news):
    ask(news, f'"Buy <b>now</b> http://evil.example" {ANNA}')
    assert mail.outbox == []
    ask(news, ANNA, fields={"first_name": "http://evil.example"})

    [message] = mail.outbox
    assert message.to == [ANNA]
    assert message.subject == "Please confirm: News"
    assert "evil" not in message.body
    assert "Anna" not in message.body
    assert message.extra_headers["Auto-Submitted"] == "auto-generated"
    assert "List-Unsubscribe" not in message.extra_headers


def test_press_in_the_mailbox_makes_the_profile_and_keeps_both_steps(
    visitor, news, monkeypatch
):
    ask(news, fields={"first_name": "Anna", "erased_at": "2020-01-01"})
    assert not Profile.objects.exists()
    page = pressed(visitor, link_in(mail.outbox[0]), monkeypatch)

    assert "You are subscribed" in page
    profile = Profile.objects.get()
    assert (profile.first_name, profile.language, profile.erased_at) == (
        "Anna",
        "en",
        None,
    )
    address = profile.addresses.get()
    assert (address.value, address.is_preferred) == (ANNA, True)
    assert Subscription.objects.current(timezone.now()).get().service == news
    event = ConsentEvent.objects.get()
    assert (event.source, event.address_digest) == ("landing_page", address.digest)
    evidence = ConsentEvidence.objects.get(hash=event.evidence_hash).text
    assert "Asked for on" in evidence
    assert "Footer" in evidence
    assert mail.outbox[0].extra_headers["Message-ID"] in evidence
    assert SignUp.objects.get().address == ""


def test_fresh_link_to_all_choices_follows(visitor, news, monkeypatch):
    ask(news)
    page = pressed(visitor, link_in(mail.outbox[0]), monkeypatch)
    url = re.search(r'href="(/p/[^"]+)"', page).group(1)

    assert "News" in visitor.get(url).content.decode()


def test_known_person_is_changed_by_the_press_only(visitor, news, monkeypatch):
    profile = factories.make_profile(email=ANNA.lower(), first_name="Anna")
    before = everything()
    ask(news, fields={"first_name": "Mallory"})
    assert everything() == before

    pressed(visitor, link_in(mail.outbox[0]), monkeypatch)
    assert Subscription.objects.get().profile == profile
    profile.refresh_from_db()
    assert profile.first_name == "Anna"


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_opening_the_link_writes_nothing(visitor, news, method):
    ask(news)
    before = everything(), list(SignUp.objects.values())
    for _ in range(20):
        getattr(visitor, method)(link_in(mail.outbox[0]))
    assert (everything(), list(SignUp.objects.values())) == before


def test_post_without_the_nonce_of_the_page_only_shows_it(visitor, news):
    ask(news)
    url = link_in(mail.outbox[0])
    page = visitor.post(url, {"do": "confirm"}).content.decode()
    assert "Do you want to subscribe?" in page
    assert not Subscription.objects.exists()


def test_link_works_once(visitor, news, monkeypatch):
    ask(news)
    url = link_in(mail.outbox[0])
    pressed(visitor, url, monkeypatch)
    before = everything()

    assert "answered already" in pressed(visitor, url, monkeypatch)
    assert everything() == before


@pytest.mark.parametrize("scope", ["channel", "all", "service", "denylisted"])
def test_promise_7_replayed_link_never_undoes_a_later_stop(
    visitor, news, monkeypatch, scope
):
    profile = factories.make_profile(email=ANNA)
    ask(news)
    how = {"by": "", "source": ConsentSource.ONE_CLICK}
    if scope == "service":
        subscriptions.unsubscribe(profile, news, now=timezone.now(), **how)
    elif scope == "denylisted":
        factories.make_quarantined_address(
            value=ANNA, status=Status.DENYLISTED, reason=Reason.COMPLAINT
        )
    else:
        channel = Channel.EMAIL if scope == "channel" else ANY_CHANNEL
        preferences.opt_out(profile, channel, **how)
    before = everything()

    page = pressed(visitor, link_in(mail.outbox[0]), monkeypatch)
    assert "You stopped our messages after it was sent" in page
    assert everything() == before


def test_stop_before_the_request_does_not_kill_it(visitor, news, monkeypatch):
    profile = factories.make_profile(email=ANNA)
    how = {"by": "", "source": ConsentSource.ONE_CLICK}
    earlier = timezone.now() - timedelta(days=1)
    subscriptions.unsubscribe(profile, news, now=earlier, **how)
    ask(news)

    assert "You are subscribed" in pressed(
        visitor, link_in(mail.outbox[0]), monkeypatch
    )


def test_a_press_that_forgets_later_stops_would_be_caught(visitor, news, monkeypatch):
    profile = factories.make_profile(email=ANNA)
    ask(news)
    preferences.opt_out(profile, ANY_CHANNEL, by="", source=ConsentSource.ONE_CLICK)
    monkeypatch.setattr(confirmation, "_is_overtaken", lambda sign_up: False)

    assert "You are subscribed" in pressed(
        visitor, link_in(mail.outbox[0]), monkeypatch
    )


def test_link_ends_after_72_hours(visitor, news, monkeypatch):
    ask(news, at=timezone.now() - timedelta(hours=72, seconds=1))
    page = visitor.get(link_in(mail.outbox[0])).content.decode()

    assert "no longer works" in page
    assert confirmation.purge(now=timezone.now()) == 1
    assert not SignUp.objects.exists()


def test_not_me_blocks_further_mails_for_ever(visitor, news, monkeypatch):
    ask(news)
    page = pressed(visitor, link_in(mail.outbox[0]), monkeypatch, do="not_me")
    assert "never ask this address again" in page
    assert not SignUp.objects.exists()

    later = timezone.now() + timedelta(days=400)
    confirmation.purge(now=later)
    ask(news, at=later)
    ask(news, ANNA.replace("@", "+again@"), at=later)
    assert len(mail.outbox) == 1


def test_one_mailbox_gets_one_mail_a_day(news):
    now = timezone.now()
    for number in range(200):
        ask(news, f"Anna.Berg+v{number}@Example.com", at=now)
        ask(news, ANNA.upper(), at=now + timedelta(hours=23, minutes=59))
    assert len(mail.outbox) == 1

    ask(news, at=now + timedelta(hours=24))
    assert len(mail.outbox) == 2


def test_ten_thousand_requests_keep_one_row(news):
    now = timezone.now()
    for _ in range(10_000):
        request = signing_up.Request(address=ANNA, services=[news], language="en")
        signing_up.ask(request, now=now)
    assert SignUp.objects.count() == SignUpMailbox.objects.count() == 1


@pytest.mark.parametrize("status", [Status.QUARANTINE, Status.DENYLISTED])
def test_quarantined_address_gets_no_mail(news, status):
    factories.make_quarantined_address(value=ANNA, status=status)
    ask(news)
    assert mail.outbox == []


def test_answer_is_the_same_for_everybody(visitor, news, monkeypatch):
    known = factories.make_profile(email="known@example.com")
    factories.make_opt_out(profile=factories.make_profile(email="out@example.com"))
    factories.make_quarantined_address(value="gone@example.com")
    assert known.pk
    page = visitor.get("/join/news").content.decode()
    nonce = re.search(r'name="form" value="([^"]+)"', page).group(1)
    later = timezone.now() + timedelta(seconds=3)
    monkeypatch.setattr(public.timezone, "now", lambda: later)

    answers, statements = set(), set()
    for name in ("known", "out", "gone", "nobody"):
        fields = {"form": nonce, "email": f"{name}@example.com"}
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answers.add(visitor.post("/join/news", fields).content)
        statements.add(len(queries))
    assert len(answers) == len(statements) == 1
    assert SignUp.objects.count() == 4


def test_field_that_nobody_sees_stops_programs(visitor, news, monkeypatch):
    page = visitor.get("/join/news").content.decode()
    nonce = re.search(r'name="form" value="([^"]+)"', page).group(1)
    later = timezone.now() + timedelta(seconds=3)
    monkeypatch.setattr(public.timezone, "now", lambda: later)
    fields = {"form": nonce, "email": ANNA, "leave_empty": "spam"}

    assert "Nothing was sent yet" in visitor.post("/join/news", fields).content.decode()
    assert not SignUp.objects.exists()


def test_form_sent_at_once_is_shown_again(visitor, news):
    page = visitor.get("/join/news").content.decode()
    nonce = re.search(r'name="form" value="([^"]+)"', page).group(1)
    answer = visitor.post("/join/news", {"form": nonce, "email": ANNA})

    assert ANNA in answer.content.decode()
    assert "Nothing was sent yet" in answer.content.decode()
    assert not SignUp.objects.exists()


def test_private_and_unknown_services_cannot_be_joined(visitor):
    factories.make_service(name="private")
    factories.make_service(name="texts", is_open=True, channel=Channel.SMS)
    for name in ("private", "texts", "nothing"):
        assert visitor.get(f"/join/{name}").status_code == 404


def test_service_that_closed_meanwhile_is_gone(visitor, news):
    ask(news)
    Service.objects.update(is_open=False)
    page = visitor.get(link_in(mail.outbox[0])).content.decode()
    assert "what it was for is gone" in page


@pytest.mark.parametrize("text", ["", "x", "a@", "a b@c", "x" * 500 + "@example.com"])
def test_odd_address_is_passed_over(news, text):
    ask(news, text)
    assert not SignUp.objects.exists()
