"""The timeline of a person: everything, in order, by the page, and in few queries."""

import io
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from delivery import merging, timeline
from delivery.channels.outcomes import OutcomeKind, Phase
from delivery.models import Attempt, Message
from delivery.states import MessageStatus
from delivery.timeline import Kind
from optout import ledger, preferences, subscriptions
from optout.models import ConsentEvent
from optout.models.ledger import ConsentSource, Direction
from profiles.channels import Channel
from profiles.models import Profile
from quarantine import importing as quarantine_importing
from quarantine.models import QuarantineEvent
from quarantine.reasons import Source, Status
from tests import factories

LIST = "/console/profiles/"
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

page_of = partial(
    timeline.page_of, write=lambda channel, value: value, shows_evidence=True
)


@pytest.fixture
def console(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


@pytest.fixture
def anna(db: None) -> Profile:
    profile = factories.make_profile(external_id="A", email="anna@example.com")
    profile.addresses.update(created_at=profile.created_at)
    return profile


def whats(profile: Profile, *kinds: str) -> list[str]:
    page = page_of(profile, kinds=kinds or Kind.values)
    return [entry.what for entry in page.entries]


def live_through_everything(anna: Profile) -> None:
    how = {"by": "bo", "source": ConsentSource.OPERATOR}
    service = factories.make_service(name="news")
    subscriptions.subscribe(anna, service, now=NOW, **how)
    preferences.opt_out(anna, Channel.SMS, now=NOW + HOUR, **how)
    preferences.opt_out(
        anna, Channel.FAX, by="", source=ConsentSource.IMPORT, now=NOW + 2 * HOUR
    )
    QuarantineEvent.objects.create(
        channel=Channel.EMAIL,
        digest=anna.addresses.get().digest,
        at=NOW + 3 * HOUR,
        event="import_quarantine",
        to_status=Status.QUARANTINE,
        source=Source.IMPORT,
    )
    other = factories.make_profile(external_id="B", email=None)
    merging.merge(anna, other, by="bo", reason="Same", now=NOW + 4 * HOUR)


def test_everything_is_on_one_line_newest_first(anna):
    sent = factories.make_analysed_delivery(label="Sent")
    message = Message.objects.filter(analysis=sent.current_analysis_id)
    message.update(status=MessageStatus.SENT, attempt_count=1)
    Attempt.objects.create(
        analysis_id=sent.current_analysis_id,
        profile_id=anna.pk,
        number=1,
        slot_id=1,
        started_at=NOW + HOUR / 2,
        ended_at=NOW + HOUR / 2,
        outcome=OutcomeKind.SENT,
        phase=Phase.DATA,
        reply="250 2.0.0 queued",
    )
    live_through_everything(anna)
    factories.make_analysed_delivery(label="Not", channel=Channel.SMS)

    assert whats(anna) == [
        "Delivery “Not”: Excluded",
        "Merged with another profile",
        "Address: Imported as quarantined",
        "Opted out: Fax",
        "Opted out: SMS",
        "Delivery “Sent”: Sent",
        "Subscribed: News",
        "Profile created",
        "Profile created",
    ]
    page = page_of(anna, kinds=[Kind.MESSAGE])
    assert page.entries[0].details == [
        "anna@example.com",
        "1 attempt",
        "250 2.0.0 queued",
    ]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Kind.PROFILE, ["Profile created", "Profile created"]),
        (
            Kind.CONSENT,
            ["Merged with another profile", "Opted out: Fax", "Opted out: SMS"],
        ),
        (Kind.SUBSCRIPTION, ["Subscribed: News"]),
        (Kind.QUARANTINE, ["Address: Imported as quarantined"]),
        (Kind.MESSAGE, []),
        (Kind.EXCLUSION, []),
        (Kind.IMPORT, ["Address: Imported as quarantined", "Opted out: Fax"]),
    ],
)
def test_kind_is_filtered(anna, kind, expected):
    live_through_everything(anna)
    assert whats(anna, kind) == expected


def test_pages_together_are_the_whole_line_also_of_one_moment(anna):
    events = [
        ConsentEvent(
            at=NOW + (number // 7) * HOUR,
            profile_id=anna.pk,
            direction=Direction.OUT,
            channel=number % 5,
            source=ConsentSource.OPERATOR,
            actor=str(number),
        )
        for number in range(60)
    ]
    ledger.record_many(events)
    digest = anna.addresses.get().digest
    QuarantineEvent.objects.bulk_create(
        QuarantineEvent(
            channel=0,
            digest=digest,
            at=NOW + (number // 7) * HOUR,
            event="hard_error",
            to_status=Status.QUARANTINE,
            source=Source.BOUNCE,
            actor=f"q{number}",
        )
        for number in range(60)
    )

    seen, after = [], ""
    while True:
        page = page_of(anna, after=after, size=11)
        seen += page.entries
        if not (after := page.older):
            break

    whole = page_of(anna, size=1000).entries
    assert seen == whole and len(seen) == 121
    assert [each.at for each in seen] == sorted(
        (each.at for each in seen), reverse=True
    )


@pytest.mark.parametrize(
    "place", ["x", "1~2~3", "2026-01-01~0~1", "2026-01-01T00:00:00+00:00~0~" + "9" * 30]
)
def test_place_that_cannot_be_read_gives_the_first_page(console, anna, place):
    page = console.get(f"{LIST}{anna.pk}/timeline/", {"after": place})
    assert [entry.what for entry in page.context["timeline"].entries] == [
        "Profile created"
    ]


def test_page_of_thousands_of_events_is_few_queries(
    console, anna, django_assert_max_num_queries
):
    service = factories.make_service()
    ledger.record_many(
        ConsentEvent(
            at=NOW + timedelta(seconds=number),
            profile_id=anna.pk,
            direction=Direction.IN,
            service_id=service.pk,
            source=ConsentSource.IMPORT,
            delivery_id=number,
        )
        for number in range(5_000)
    )
    for _number in range(3):
        factories.make_analysed_delivery()
    with django_assert_max_num_queries(20):
        page = console.get(f"{LIST}{anna.pk}/timeline/")
    older = page.context["older_url"]
    assert len(page.context["timeline"].entries) == 50
    with django_assert_max_num_queries(20):
        assert (
            len(
                console.get(f"{LIST}{anna.pk}/timeline/{older}")
                .context["timeline"]
                .entries
            )
            == 50
        )


def test_messages_need_their_right(client, onlooker, anna):
    onlooker.user_permissions.add(Permission.objects.get(codename="view_profile"))
    client.force_login(onlooker)
    factories.make_analysed_delivery(label="Secret")

    whole = client.get(f"{LIST}{anna.pk}/timeline/").content.decode()
    asked = client.get(f"{LIST}{anna.pk}/timeline/", {"kind": "message"})

    assert "Secret" not in whole and "Secret" not in asked.content.decode()
    assert "Secret" not in client.get(f"{LIST}{anna.pk}/").content.decode()


def test_file_of_quarantine_shows_as_by_a_file(anna):
    rows = b"channel,address,status,reason\nemail,anna@example.com,quarantine,\n"
    quarantine_importing.import_file(io.BytesIO(rows), now=NOW)
    assert len(whats(anna, Kind.IMPORT)) == 1
