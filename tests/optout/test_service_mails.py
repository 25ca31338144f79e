"""Who came or went by their own act is told, where the service says so."""

from datetime import timedelta
from smtplib import SMTPRecipientsRefused

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from delivery import erasure
from optout import (
    notices,
    page_submission,
    pages,
    preferences,
    service_mails,
    stopping,
    subscriptions,
    tasks_subscribing,
    tokens,
)
from optout.models import Service, ServiceText, Subscription
from optout.models.ledger import ConsentSource
from optout.models.pages import PageType
from optout.models.subscribing import ConfirmationMode
from optout.page_content import Access, After
from optout.page_submission import Sent
from optout.planned_changes import Submission
from optout.tokens import Link, Purpose
from profiles.channels import ANY_CHANNEL, Channel
from quarantine.reasons import Reason, Status
from tests import factories

NOW = timezone.now()
pytestmark = pytest.mark.django_db


@pytest.fixture
def news() -> Service:
    return factories.make_service(
        name="news",
        public_name="News",
        is_open=True,
        unsubscribe_confirmation=ConfirmationMode.DEFAULT,
    )


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    """Do something, commit it, and give how many tasks that left."""

    def act(story, *args, **kwargs) -> int:
        before = DBTaskResult.objects.count()
        with django_capture_on_commit_callbacks(execute=True):
            story(*args, **kwargs)
        return DBTaskResult.objects.count() - before

    return act


def subscribe(profile, service, *, source=ConsentSource.LANDING_PAGE, by="") -> None:
    subscriptions.subscribe(profile, service, by=by, source=source, now=NOW)


def unsubscribe(profile, service, *, source=ConsentSource.LANDING_PAGE, at=NOW) -> None:
    subscriptions.unsubscribe(profile, service, by="", source=source, now=at)


def tell(profile, service, *, has_begun: bool = True, at=NOW, language="") -> bool:
    return service_mails.tell(
        profile.pk, service.pk, has_begun=has_begun, language=language, now=at
    )


def test_who_subscribes_on_a_page_is_told_with_the_way_out(profile, news):
    subscribe(profile, news)

    assert tell(profile, news)

    [message] = mail.outbox
    assert message.to == ["jane@example.org"]
    assert message.subject == "You subscribe to News"
    assert "From now on you get News at this address." in message.body
    assert message.extra_headers["Auto-Submitted"] == "auto-generated"
    url = message.body.split()[-1]
    link = tokens.read(url.rpartition("/")[2], Purpose.STOP, now=NOW)
    assert (link.profile_id, link.service_id) == (profile.pk, news.pk)


def test_who_unsubscribes_is_told_with_the_way_back(profile, news):
    subscribe(profile, news)
    unsubscribe(profile, news)

    assert tell(profile, news, has_begun=False)

    [message] = mail.outbox
    assert message.subject == "You no longer subscribe to News"
    assert message.body.split()[-1] == "http://localhost:8000/join/news"


def test_private_service_offers_no_way_back(profile, news):
    Service.objects.update(is_open=False)
    subscribe(profile, news)
    unsubscribe(profile, news)

    tell(profile, news, has_begun=False)

    assert "http" not in mail.outbox[0].body


def test_service_speaks_in_its_own_words(profile, news):
    Service.objects.update(subscribe_confirmation=ConfirmationMode.OWN)
    ServiceText.objects.update(
        subscribed_subject="Nice to have you", subscribed_body="Every Friday <here>."
    )
    subscribe(profile, news)

    tell(profile, news)

    [message] = mail.outbox
    assert message.subject == "Nice to have you"
    assert message.body.startswith("Every Friday <here>.\n\nTo unsubscribe,")


@pytest.mark.parametrize(
    ("language", "subject"),
    [("sv", "Du prenumererar på News"), ("", "You subscribe to News")],
    ids=["of-the-page", "of-the-profile"],
)
def test_mail_is_in_the_language_of_the_choice(profile, news, language, subject):
    subscribe(profile, news)

    tell(profile, news, language=language)

    assert mail.outbox[0].subject == subject


@pytest.mark.parametrize(
    ("source", "count"),
    [
        (ConsentSource.LANDING_PAGE, 1),
        (ConsentSource.OPERATOR, 0),
        (ConsentSource.IMPORT, 0),
        (ConsentSource.API, 0),
    ],
)
def test_only_the_person_s_own_act_is_told(profile, news, committed, source, count):
    assert committed(subscribe, profile, news, source=source, by="op") == count


def test_one_click_is_told_once_and_its_repeat_is_not(profile, news, committed):
    subscribe(profile, news)

    first = committed(unsubscribe, profile, news, source=ConsentSource.ONE_CLICK)
    again = committed(unsubscribe, profile, news, source=ConsentSource.ONE_CLICK)

    assert (first, again) == (1, 0)


def test_who_never_subscribed_is_not_told_of_an_end(profile, news, committed):
    assert committed(unsubscribe, profile, news) == 0


def test_service_that_says_nothing_leaves_no_task(profile, news, committed):
    Service.objects.update(
        subscribe_confirmation=ConfirmationMode.NONE,
        unsubscribe_confirmation=ConfirmationMode.NONE,
    )
    news.refresh_from_db()

    assert committed(subscribe, profile, news) == 0
    assert committed(unsubscribe, profile, news) == 0


def test_service_on_another_channel_mails_nothing(profile, committed):
    alerts = factories.make_service(channel=Channel.SMS)

    assert committed(subscribe, profile, alerts) == 0


def test_undo_tells_nothing(profile, news, committed):
    factories.make_subscription(profile=profile, service=news)
    link = Link(profile.pk, Channel.EMAIL, NOW, service_id=news.pk)
    event = stopping.stop(
        link, source=ConsentSource.LANDING_PAGE, language="en", now=NOW
    )
    nonce = stopping.undo_nonce(event)

    assert committed(stopping.undo, link, nonce, language="en", now=timezone.now()) == 0
    assert Subscription.objects.current(NOW).exists()
    # Nor does the mail of the stop, whose task comes too late.
    assert not tell(profile, news, has_begun=False)


def opt_out(channel):
    def story(profile) -> None:
        preferences.opt_out(
            profile, channel, by="", source=ConsentSource.LANDING_PAGE, now=NOW
        )

    return story


def quarantine(status):
    def story(profile) -> None:
        factories.make_quarantined_address(
            value="jane@example.org", status=status, reason=Reason.USER_UNKNOWN
        )

    return story


def erase(profile) -> None:
    erasure.erase(profile, reason="asked", by="op", now=NOW)


def lose_the_address(profile) -> None:
    profile.addresses.all().delete()


@pytest.mark.parametrize(
    "story",
    [
        opt_out(Channel.EMAIL),
        opt_out(ANY_CHANNEL),
        quarantine(Status.QUARANTINE),
        quarantine(Status.DENYLISTED),
        erase,
        lose_the_address,
    ],
    ids=["out", "out-of-all", "quarantined", "denylisted", "erased", "no-address"],
)
@pytest.mark.parametrize("has_begun", [True, False], ids=["begun", "ended"])
def test_who_must_get_no_mail_gets_none(profile, news, story, has_begun):
    subscribe(profile, news)
    if not has_begun:
        unsubscribe(profile, news)
    story(profile)

    assert not tell(profile, news, has_begun=has_begun)
    assert mail.outbox == []


def test_subscription_that_ended_meanwhile_is_not_told(profile, news):
    subscribe(profile, news)
    unsubscribe(profile, news)

    assert not tell(profile, news)


def test_expired_subscription_is_not_told(profile):
    short = factories.make_service(validity_days=1)
    subscribe(profile, short)

    assert not tell(profile, short, at=NOW + timedelta(days=1))


def test_changing_one_s_mind_all_day_brings_one_mail_each(profile, news):
    for _round in range(5):
        subscribe(profile, news)
        tell(profile, news)
        unsubscribe(profile, news)
        tell(profile, news, has_begun=False)

    assert len(mail.outbox) == 2
    subscribe(profile, news)
    assert tell(profile, news, at=NOW + timedelta(hours=24))


def test_service_that_is_gone_tells_nothing(profile, news):
    subscribe(profile, news)
    news.delete()

    tasks_subscribing.tell.call(profile.pk, 1, has_begun=True, language="en")

    assert mail.outbox == []


def test_own_page_is_the_way_out_while_it_is_published(profile, news):
    page = factories.make_landing_page(
        page_type=PageType.UNSUBSCRIBE, is_published=True, services=[news.pk]
    )
    Service.objects.update(unsubscribe_page=page)
    subscribe(profile, news)

    tell(profile, news)

    assert f"http://localhost:8000/page/{page.public_id}/" in mail.outbox[0].body


def test_refusal_of_the_mail_server_names_no_address(profile, news, monkeypatch):
    def refuse(message) -> None:
        raise SMTPRecipientsRefused({"jane@example.org": (550, b"no")})

    monkeypatch.setattr(EmailMessage, "send", refuse)
    subscribe(profile, news)

    with pytest.raises(notices.MailNotSent) as caught:
        tell(profile, news)

    assert str(caught.value) == "SMTPRecipientsRefused"


def test_task_carries_all_that_the_mail_needs(profile, news, committed):
    committed(subscribe, profile, news)

    task = DBTaskResult.objects.get()

    assert task.args_kwargs == {
        "args": [profile.pk, news.pk],
        "kwargs": {"has_begun": True, "language": ""},
    }
    tasks_subscribing.tell.call(profile.pk, news.pk, has_begun=True, language="")
    assert len(mail.outbox) == 1


def test_address_to_join_leads_to_the_service_s_own_page(client, news):
    page = factories.make_landing_page(
        page_type=PageType.SUBSCRIBE,
        is_published=True,
        services=[news.pk],
        access=Access.ANYBODY,
    )
    Service.objects.update(subscribe_page=page)

    answer = client.get("/join/news")

    assert (answer.status_code, answer["Location"]) == (302, f"/page/{page.public_id}")
    pages.close(page, by="tests", now=NOW)
    assert client.get("/join/news").status_code == 200


@pytest.mark.parametrize(
    ("after", "count"),
    [(After.SERVICE, 1), (After.MESSAGE, 0)],
    ids=["service-tells", "text-only"],
)
def test_page_decides_whether_the_service_tells(profile, news, committed, after, count):
    page = factories.make_landing_page(
        page_type=PageType.SUBSCRIBE,
        is_published=True,
        services=[news.pk],
        after=after,
    )
    link = Link(profile.pk, Channel.EMAIL, NOW)
    sent = Sent(page.published_version, Submission(), link, "en", NOW)

    assert committed(page_submission.carry_out, profile, sent) == count
    assert Subscription.objects.current(NOW).exists()
