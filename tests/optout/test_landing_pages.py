"""Landing pages over HTTP: what is sent is what is written, with its proof."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from delivery import erasure
from optout import confirmation, mails, pages, preferences, public, tokens
from optout.models import ConsentEvent, OptOut, SignUp, Subscription
from optout.models.ledger import ConsentSource
from optout.models.pages import PageType
from optout.page_content import Access, FieldName, OfferedField, OnSeveral, StopScope
from optout.tokens import Link, Purpose
from profiles.channels import ANY_CHANNEL, Channel
from profiles.models import Address, Profile
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def profile() -> Profile:
    return factories.make_profile(
        email="jane@example.org", sms="+46701740605", language="en"
    )


def make_page(page_type, **content):
    return factories.make_landing_page(
        page_type=page_type, is_published=True, **content
    )


def own(page, profile, **fields) -> str:
    about = {"channel": Channel.EMAIL, "made_at": timezone.now()} | fields
    token = tokens.make(Link(profile_id=profile.pk, **about), Purpose.PREFERENCES)
    return f"/page/{page.public_id}/{token}"


def sent(visitor, url, monkeypatch, **fields):
    page = visitor.get(url).content.decode()
    hidden = {}
    for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page):
        hidden.setdefault(name, []).append(value)
    later = timezone.now() + timedelta(seconds=3)
    monkeypatch.setattr(public.timezone, "now", lambda: later)
    return visitor.post(url, hidden | fields)


def confirmation_page(sign_up: SignUp) -> str:
    return confirmation.url_of(sign_up).removeprefix("http://localhost:8000")


def flags(profile) -> set[int]:
    return set(profile.opt_outs.values_list("channel", flat=True))


def test_way_out_stops_everything_by_one_press_with_its_proof(
    visitor, profile, monkeypatch
):
    page = make_page(PageType.DENYLIST)
    answer = sent(visitor, own(page, profile, delivery_id=9), monkeypatch)

    assert answer.status_code == 200
    assert "You get no more messages from us." in answer.content.decode()
    assert flags(profile) == {ANY_CHANNEL}
    version = page.published_version
    event = ConsentEvent.objects.get()
    assert event.landing_page_version_id == version.pk
    assert event.wording_hash == version.wording_hashes["en"] != ""
    assert (event.language, event.delivery_id) == ("en", 9)


def test_opening_any_page_writes_nothing(visitor, profile):
    page = make_page(PageType.DENYLIST, access=Access.ANYBODY)
    for url in (own(page, profile), f"/page/{page.public_id}"):
        for method in ("get", "head", "options"):
            assert getattr(visitor, method)(url).status_code == 200
    assert not OptOut.objects.exists()


def test_boxes_of_preferences_do_what_they_say_and_can_be_taken_back(
    visitor, profile, monkeypatch
):
    service = factories.make_service(is_open=True)
    factories.make_subscription(profile=profile, service=service)
    page = make_page(
        PageType.PREFERENCES,
        channels=(Channel.EMAIL, Channel.SMS),
        services=(service.pk,),
    )
    url = own(page, profile)
    shown = {"shown_channel": ["0", "1"], "shown_service": [service.pk]}
    answer = sent(visitor, url, monkeypatch, channel="0", **shown)

    assert flags(profile) == {Channel.SMS}
    assert not Subscription.objects.current(timezone.now()).exists()
    undo = re.search(r'name="undo" value="([^"]+)"', answer.content.decode()).group(1)
    assert "Taken back" in visitor.post(url, {"undo": undo}).content.decode()
    assert flags(profile) == set()
    assert Subscription.objects.current(timezone.now()).exists()


def test_wider_scope_stops_the_other_profile_of_the_address(
    visitor, profile, monkeypatch
):
    other = factories.make_profile(email="JANE@example.org")
    page = make_page(PageType.DENYLIST, scope=StopScope.SHARED_ADDRESS)
    sent(visitor, own(page, profile), monkeypatch)

    assert flags(other) == flags(profile) == {ANY_CHANNEL}


def test_promise_7_older_link_never_starts_what_was_stopped(
    visitor, profile, monkeypatch
):
    page = make_page(PageType.PREFERENCES, channels=(Channel.EMAIL,))
    url = own(page, profile, made_at=timezone.now() - timedelta(hours=1))
    how = {"by": "", "source": ConsentSource.ONE_CLICK}
    preferences.opt_out(profile, Channel.EMAIL, **how)
    sent(visitor, url, monkeypatch, channel="0", shown_channel="0")

    assert flags(profile) == {Channel.EMAIL}


def test_fields_are_written_and_the_postal_address_follows(
    visitor, profile, monkeypatch
):
    asked = tuple(
        OfferedField(name)
        for name in (FieldName.STREET, FieldName.CITY, FieldName.BIRTH_DATE)
    )
    page = make_page(PageType.PREFERENCES, channels=(Channel.EMAIL,), fields=asked)
    sent(
        visitor,
        own(page, profile),
        monkeypatch,
        street="Storgatan 1",
        city="Umeå",
        birth_date="1990-05-31",
        channel="0",
    )
    profile.refresh_from_db()
    assert (profile.street, str(profile.birth_date)) == ("Storgatan 1", "1990-05-31")
    postal = Address.objects.get(profile=profile, channel=Channel.DIRECT_MAIL)
    assert (postal.value, postal.is_preferred) == ("Storgatan 1, Umeå", True)


@pytest.mark.parametrize("text", ["yesterday", "1990-02-31", "0001-01-01"])
def test_unreadable_field_is_marked_and_nothing_is_written(
    visitor, profile, monkeypatch, text
):
    page = make_page(
        PageType.PREFERENCES,
        channels=(Channel.EMAIL,),
        fields=(OfferedField(FieldName.BIRTH_DATE),),
    )
    answer = sent(
        visitor,
        own(page, profile),
        monkeypatch,
        birth_date=text,
        shown_channel="0",
    )
    assert "Nothing is saved yet" in answer.content.decode()
    assert flags(profile) == set()


def test_stranger_on_a_way_out_gets_a_mail_and_stops_nothing(
    visitor, profile, monkeypatch
):
    page = make_page(PageType.DENYLIST, access=Access.ANYBODY)
    url = f"/page/{page.public_id}"
    known = sent(visitor, url, monkeypatch, address="jane@example.org")
    unknown = sent(visitor, url, monkeypatch, address="nobody@example.org")

    assert known.content == unknown.content
    assert "press the button in it" in known.content.decode()
    assert flags(profile) == set()


def test_stranger_signs_up_by_the_mailbox_with_the_wording_of_the_page(
    visitor, monkeypatch
):
    service = factories.make_service(is_open=True, public_name="News")
    page = make_page(PageType.SUBSCRIBE, access=Access.ANYBODY, services=(service.pk,))
    url = f"/page/{page.public_id}"
    sent(visitor, url, monkeypatch, address="new@example.org")
    assert not Profile.objects.exists()
    sign_up = SignUp.objects.get()
    mails.ask_to_confirm(sign_up.pk)
    assert mail.outbox[0].subject == "Please confirm: News"

    sent(visitor, confirmation_page(sign_up), monkeypatch, do="confirm")
    row = Subscription.objects.get()
    assert (row.service, row.origin) == (service, page.name)
    event = ConsentEvent.objects.get()
    assert event.wording_hash == page.published_version.wording_hashes["en"]


@pytest.mark.parametrize(
    ("on_several", "reached"),
    [
        (OnSeveral.OLDEST, ["old"]),
        (OnSeveral.NEWEST, ["new"]),
        (OnSeveral.ALL, ["new", "old"]),
        (OnSeveral.NONE, []),
    ],
)
def test_page_says_who_is_meant_of_several_with_the_address(
    visitor, monkeypatch, on_several, reached
):
    address, day = "both@example.org", timedelta(days=1)
    for external_id, age in (("new", 1), ("old", 2)):
        made = factories.make_profile(external_id=external_id, email=address)
        created_at = factories.CREATED_AT - age * day
        Profile.objects.filter(pk=made.pk).update(created_at=created_at)
    service = factories.make_service(is_open=True)
    page = make_page(
        PageType.SUBSCRIBE,
        access=Access.ANYBODY,
        services=(service.pk,),
        on_several=on_several,
    )
    sent(visitor, f"/page/{page.public_id}", monkeypatch, address=address)
    url = confirmation_page(SignUp.objects.get())
    answer = sent(visitor, url, monkeypatch, do="confirm").content.decode()

    subscribed = Subscription.objects.values_list("profile__external_id", flat=True)
    assert sorted(subscribed) == reached
    assert ("You are subscribed" in answer) == bool(reached)
    assert ("we cannot tell which of them you are" in answer) != bool(reached)
    assert Profile.objects.count() == 2


def test_acquisition_makes_a_person_with_fields_and_empty_boxes_opted_out(
    visitor, monkeypatch
):
    page = make_page(
        PageType.ACQUISITION,
        access=Access.ANYBODY,
        channels=(Channel.EMAIL, Channel.SMS),
        fields=(OfferedField(FieldName.FIRST_NAME, is_mandatory=True),),
    )
    url = f"/page/{page.public_id}"
    shown = {"shown_channel": ["0", "1"], "channel": "0"}
    answer = sent(visitor, url, monkeypatch, address="new@example.org", **shown)
    assert "Nothing is saved yet" in answer.content.decode()
    sent(
        visitor,
        url,
        monkeypatch,
        address="new@example.org",
        first_name="Anna",
        **shown,
    )
    sign_up = SignUp.objects.get()
    confirm = confirmation_page(sign_up)
    assert page.published_version.read().texts_in("en").title in visitor.get(
        confirm
    ).content.decode().replace("&#x27;", "'")
    sent(visitor, confirm, monkeypatch, do="confirm")

    person = Profile.objects.get()
    assert (person.first_name, flags(person)) == ("Anna", {Channel.SMS})
    sign_up.refresh_from_db()
    assert (sign_up.address, sign_up.submission) == ("", {})


def test_page_without_confirmation_answers_alike_and_touches_nobody_known(
    visitor, profile, monkeypatch
):
    service = factories.make_service(is_open=True)
    page = make_page(
        PageType.SUBSCRIBE,
        access=Access.ANYBODY,
        services=(service.pk,),
        has_double_opt_in=False,
    )
    url = f"/page/{page.public_id}"
    known = sent(visitor, url, monkeypatch, address="jane@example.org")
    unknown = sent(visitor, url, monkeypatch, address="new@example.org")

    assert known.content == unknown.content
    people = Subscription.objects.values_list("profile__addresses__value", flat=True)
    assert list(people) == ["new@example.org"]
    assert SignUp.objects.get().digest == profile.addresses.get(channel=0).digest


def test_closed_page_says_so_and_its_links_still_stop(visitor, profile, monkeypatch):
    page = make_page(PageType.DENYLIST, access=Access.ANYBODY)
    url = own(page, profile)
    pages.close(page, by="ola", now=timezone.now())

    assert visitor.get(f"/page/{page.public_id}").status_code == 410
    assert 'action="/stop/' in visitor.get(url).content.decode()
    Profile.objects.update(language="de")
    assert "Nachrichten stoppen" in visitor.get(url).content.decode()
    page_of_nobody = url.replace(page.public_id, "gone")
    assert 'action="/stop/' in visitor.get(page_of_nobody).content.decode()


def test_erased_person_can_only_stop(visitor, profile, monkeypatch):
    page = make_page(PageType.PREFERENCES, channels=(Channel.EMAIL,))
    url = own(page, profile)
    erasure.erase(profile, by="ola", reason="Asked", now=timezone.now())
    sent(visitor, url, monkeypatch, channel="0", shown_channel="0", start_all="1")

    assert flags(profile) == {ANY_CHANNEL}


def test_deleted_service_is_passed_over(visitor, profile, monkeypatch):
    service = factories.make_service(is_open=True)
    page = make_page(PageType.SUBSCRIBE, services=(service.pk,))
    url = own(page, profile)
    service.delete()
    answer = sent(visitor, url, monkeypatch, service=service.pk or "1")

    assert answer.status_code == 200
    assert not Subscription.objects.exists()


@pytest.mark.parametrize("token", ["", "x", "1.AAAA", "A" * 1_000_000])
def test_broken_link_to_a_page_is_answered_kindly(visitor, profile, token):
    page = make_page(PageType.DENYLIST)
    answer = visitor.post(f"/page/{page.public_id}/{token}")
    assert answer.status_code == 404
    assert "which address should get no more" in answer.content.decode()
