"""Asking without a link: neutral answers, one mail a day, nothing before its button."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from smtplib import SMTPRecipientsRefused
from threading import Barrier

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from django_tasks_db.models import DBTaskResult

from delivery import erasure
from optout import asking, link_mail, notices, public_asking, stopping, tokens
from optout.asking import Answer
from optout.link_urls import preferences_url
from optout.models import ConsentEvent, Limit, OptOut, StopRequest
from optout.tokens import Link, Purpose
from profiles.channels import Channel
from profiles.models import Profile
from quarantine.reasons import Reason, Status
from tests import factories

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(hours=24)
KINDS = {"/stop": "stop_by_address", "/link": "mail_me_my_link"}
BOTH = {Channel.EMAIL, Channel.SMS}


@pytest.fixture
def jane() -> Profile:
    return factories.make_profile(
        email="Jane@example.org", sms="+46701234567", first_name="Jane", language="sv"
    )


def ask(typed: str, *, network: str = "n", now: datetime = NOW) -> Answer:
    return asking.ask(typed, network=network, channels=BOTH, now=now)


def work(now: datetime = NOW) -> int:
    """Do what the worker would, at this time; return how many requests waited."""
    waiting = list(DBTaskResult.objects.all())
    for each in waiting:
        channel, digest = each.args_kwargs["args"]
        link_mail.answer(Channel(channel), digest, now=now)
        each.delete()
    return len(waiting)


def pressed(visitor: Client, monkeypatch, url: str, **fields: str):
    nonce = stopping.form_nonce(KINDS[url])
    now = datetime.now(UTC) + timedelta(seconds=3)
    monkeypatch.setattr(public_asking.timezone, "now", lambda: now)
    return visitor.post(url, {"form": nonce, "leave_empty": ""} | fields)


def body_of(answer) -> str:
    return re.sub(r'name="form" value="[^"]+"', "", answer.content.decode())


def test_mail_has_the_links_and_nothing_typed(jane):
    assert ask("JANE@example.ORG") is Answer.TAKEN
    work()
    [message] = mail.outbox
    assert message.to == ["Jane@example.org"]
    assert message.extra_headers["Auto-Submitted"] == "auto-generated"
    assert "Jane" not in message.body
    assert "JANE" not in str(message.message())
    paths = re.findall(r"http://localhost:8000/(stop|p)/(\S+)", message.body)
    purposes = {"stop": Purpose.STOP, "p": Purpose.PREFERENCES}
    for path, token in paths:
        link = tokens.read(token, purposes[path], now=NOW)
        assert (link.profile_id, link.channel) == (jane.pk, Channel.EMAIL)
    assert [path for path, _token in paths] == ["stop", "p"]


def test_asking_stops_nothing_before_the_button_of_the_mail(jane, visitor, monkeypatch):
    pressed(visitor, monkeypatch, "/stop", address="jane@example.org")
    work(datetime.now(UTC))
    assert not OptOut.objects.exists()
    assert not ConsentEvent.objects.exists()
    url = re.search(r"http://localhost:8000(/stop/\S+)", mail.outbox[0].body).group(1)
    nonce = stopping.form_nonce(url.removeprefix("/stop/"))
    visitor.post(url, {"form": nonce})
    assert OptOut.objects.filter(profile=jane, channel=Channel.EMAIL).exists()


@pytest.mark.parametrize("url", KINDS)
def test_answers_to_known_and_unknown_addresses_are_the_same(
    jane, visitor, monkeypatch, url
):
    factories.make_profile(email="gone@example.org")
    factories.make_quarantined_address(value="gone@example.org")
    factories.make_opt_out(profile=factories.make_profile(email="out@example.org"))
    answers = [
        pressed(visitor, monkeypatch, url, address=f"{name}@example.org")
        for name in ("jane", "nobody", "gone", "out")
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert DBTaskResult.objects.count() == 4


def test_known_and_unknown_addresses_cost_the_same_queries(
    jane, django_assert_num_queries
):
    ask("jane@example.org")
    for typed in ("nobody@example.org", "+46701234567", "+46709999999"):
        with django_assert_num_queries(3):
            ask(typed)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (Status.QUARANTINE, Reason.USER_UNKNOWN),
        (Status.DENYLISTED, Reason.COMPLAINT),
    ],
)
def test_protected_address_gets_no_mail(jane, status, reason):
    factories.make_quarantined_address(
        value="jane@example.org", status=status, reason=reason
    )
    ask("jane@example.org")
    assert (work(), mail.outbox) == (1, [])


def test_blocked_domain_and_erased_person_get_no_mail(jane):
    factories.make_blocked_domain(domain="example.net")
    factories.make_profile(email="joe@mail.example.net")
    erasure.erase(jane, by="ola", reason="asked", now=NOW)
    ask("joe@mail.example.net")
    ask("jane@example.org")
    assert (work(), mail.outbox) == (2, [])


@pytest.mark.parametrize(
    ("after", "mails"), [(DAY - timedelta(seconds=1), 1), (DAY, 2)]
)
def test_a_mailbox_gets_one_mail_a_day(jane, after, mails):
    for moment in (NOW, NOW + after):
        ask("jane@example.org", now=moment)
        work(moment)
    assert len(mail.outbox) == mails


def test_ten_thousand_requests_from_a_thousand_networks_send_one_mail(jane):
    for number in range(10_000):
        moment = NOW + timedelta(seconds=number * 8)
        ask("jane@example.org", network=f"net {number % 1000}", now=moment)
        if number % 2_000 == 0:
            work(moment)
    work(NOW + DAY - timedelta(seconds=1))
    assert len(mail.outbox) == 1


def test_addresses_that_differ_by_their_tag_share_one_mail():
    for number in range(1, 1000):
        profile = factories.make_profile(email=None)
        factories.make_address(profile=profile, value=f"v+{number}@gmail.com")
    for number in range(1, 1000):
        ask(f"v+{number}@gmail.com", network=f"net {number // 10}")
    assert (work(), len(mail.outbox)) == (5, 1)


def test_two_workers_with_one_request_send_one_mail(jane):
    ask("jane@example.org")
    [task] = DBTaskResult.objects.all()
    _channel, digest = task.args_kwargs["args"]
    assert link_mail.mail_links(digest, now=NOW)
    assert not link_mail.mail_links(digest, now=NOW)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_workers_at_the_same_moment_send_one_mail(jane):
    digest = asking.read("jane@example.org").digest
    barrier = Barrier(6)

    def mail_links(_number):
        try:
            barrier.wait(timeout=10)
            return link_mail.mail_links(digest, now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        sent = list(pool.map(mail_links, range(6)))
    assert (sum(sent), len(mail.outbox)) == (1, 1)


def test_failure_of_the_mail_server_names_no_address(jane, monkeypatch):
    def refuse(message):
        raise SMTPRecipientsRefused({"jane@example.org": (550, b"jane is unknown")})

    monkeypatch.setattr(EmailMessage, "send", refuse)
    with pytest.raises(notices.MailNotSent) as caught:
        link_mail.mail_links(asking.read("jane@example.org").digest, now=NOW)
    assert str(caught.value) == "SMTPRecipientsRefused"
    assert caught.value.__suppress_context__


def test_links_of_five_profiles_fit_in_one_mail_stopped_ones_last():
    profiles = [factories.make_profile(email="us@example.org") for _ in range(7)]
    factories.make_opt_out(profile=profiles[0], channel=Channel.EMAIL)
    ask("us@example.org")
    work()
    found = re.findall(r"/stop/(\S+)", mail.outbox[0].body)
    linked = [tokens.read(each, Purpose.STOP, now=NOW).profile_id for each in found]
    assert linked == [profile.pk for profile in profiles[1:6]]


def test_request_of_a_network_too_many_is_told(jane, visitor, monkeypatch):
    for _ in range(20):
        ask("x@example.org", network="127.0.0.0/24", now=datetime.now(UTC))
    answer = pressed(visitor, monkeypatch, "/stop", address="jane@example.org")
    assert answer.status_code == 429
    assert 'value="jane@example.org"' in answer.content.decode()


def test_authentic_token_is_never_counted(jane, visitor, monkeypatch):
    link = Link(jane.pk, Channel.EMAIL, NOW)
    one_click = tokens.make(link, Purpose.ONE_CLICK)
    for _ in range(25):
        visitor.post(f"/u/{one_click}", {"List-Unsubscribe": "One-Click"})
        visitor.get(f"/stop/{tokens.make(link, Purpose.STOP)}")
    assert not Limit.objects.exists()


@pytest.mark.parametrize("url", KINDS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_opening_a_page_for_asking_writes_nothing(
    visitor, url, method, django_assert_num_queries
):
    with django_assert_num_queries(0):
        answer = visitor.generic(method, url)
    assert (answer.status_code, answer.cookies) == (200, {})


@pytest.mark.parametrize(
    "nonce",
    ["", "x", stopping.form_nonce("another"), stopping.form_nonce("/stop")],
    ids=["empty", "odd", "of another page", "of an address"],
)
def test_form_without_its_nonce_is_shown_again_with_what_was_typed(visitor, nonce):
    answer = visitor.post("/stop", {"form": nonce, "address": "jane@example.org"})
    assert answer.status_code == 200
    assert "once more" in answer.content.decode()
    assert 'value="jane@example.org"' in answer.content.decode()
    assert not Limit.objects.exists()


@pytest.mark.parametrize(
    ("after", "is_taken"),
    [(0, False), (1, True), (24 * 3600 - 1, True), (24 * 3600 + 2, False)],
)
def test_form_for_asking_is_good_for_a_day(visitor, monkeypatch, after, is_taken):
    nonce = stopping.form_nonce("stop_by_address")
    now = datetime.now(UTC) + timedelta(seconds=after)
    monkeypatch.setattr(public_asking.timezone, "now", lambda: now)
    visitor.post("/stop", {"form": nonce, "address": "a@example.org"})
    assert Limit.objects.exists() is is_taken


def test_field_for_machines_is_hidden_from_everybody_and_told(
    visitor, monkeypatch, jane
):
    text = visitor.get("/stop").content.decode()
    assert 'class="unseen" aria-hidden="true"' in text
    assert 'tabindex="-1" autocomplete="off"' in text
    answer = pressed(
        visitor, monkeypatch, "/stop", address="jane@example.org", leave_empty="x"
    )
    assert "Leave the last field empty" in answer.content.decode()
    assert not DBTaskResult.objects.exists()


@pytest.mark.parametrize(
    ("url", "typed"),
    [
        ("/stop", ""),
        ("/stop", "no address"),
        ("/stop", "a\0@example.org"),
        ("/stop", "0701234567"),
        ("/stop", "\ud800@example.org"),
        ("/link", "+46701234567"),
        ("/link", "<script>@"),
    ],
)
def test_what_is_no_address_is_told(url, typed):
    channels = BOTH if url == "/stop" else {Channel.EMAIL}
    answer = asking.ask(typed, network="n", channels=channels, now=NOW)
    assert answer is Answer.NOT_AN_ADDRESS
    assert not DBTaskResult.objects.exists()


def test_typed_text_is_shown_as_text_only(visitor, monkeypatch):
    answer = pressed(visitor, monkeypatch, "/link", address='"><script>@x')
    assert "This is no email address" in answer.content.decode()
    assert "<script" not in answer.content.decode()


def test_long_body_is_not_read(visitor):
    answer = visitor.post("/stop", {"address": "a" * 5000})
    assert (answer.status_code, b"aaaa" in answer.content) == (200, False)


def test_number_is_noted_for_operators_once_if_it_is_known(jane):
    for typed in ("+46701234567", "+46 70 123 45 67", "+46709999999"):
        ask(typed)
    work()
    [request] = StopRequest.objects.all()
    assert (request.channel, request.closed_at) == (Channel.SMS, None)
    assert (mail.outbox, OptOut.objects.count()) == ([], 0)


def test_number_that_is_out_already_is_not_noted(jane):
    factories.make_opt_out(profile=jane, channel=Channel.SMS)
    ask("+46701234567")
    work()
    assert not StopRequest.objects.exists()


@pytest.mark.parametrize("path", ["/stop/x", "/stop/", "/u/x", "/u/"])
def test_unknown_link_offers_a_form_that_works(visitor, monkeypatch, jane, path):
    answer = visitor.get(path)
    assert answer.status_code == 404
    text = answer.content.decode()
    assert 'action="/stop"' in text
    nonce = re.search(r'name="form" value="([^"]+)"', text).group(1)
    now = datetime.now(UTC) + timedelta(seconds=3)
    monkeypatch.setattr(public_asking.timezone, "now", lambda: now)
    visitor.post("/stop", {"form": nonce, "address": "jane@example.org"})
    assert DBTaskResult.objects.count() == 1


def test_unknown_links_are_answered_alike(visitor):
    bodies = {body_of(visitor.get(f"/u/{token}")) for token in ("x", "1.AA", "é" * 99)}
    assert len(bodies) == 1


def test_preferences_link_is_whole(jane):
    url = preferences_url(Link(jane.pk, Channel.EMAIL, NOW))
    assert url.startswith("http://localhost:8000/p/1.")
