"""What comes in by the token of a profile that was merged reaches who lives on."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from delivery import erasure, figures, merging, proof
from delivery.inbound import triage
from delivery.models import (
    Decision,
    ExtractionRow,
    Inbound,
    InboundKind,
    InboundState,
    Message,
)
from optout import page_submission
from optout.models import ConsentEvent, OptOut, Subscription
from optout.models.ledger import ConsentSource
from optout.models.pages import PageType
from optout.page_submission import Sent
from optout.planned_changes import Submission
from optout.tokens import Link
from profiles.channels import Channel
from profiles.models import Address, Profile
from tests import factories
from tests.delivery.extraction_stage import (
    handed_over,
    make_file,
    make_person,
    people_in,
)
from tests.delivery.inbound.report_mails import dsn, take_in
from tests.delivery.inbound.test_replies import mail_of, mailto_of
from tests.delivery.sending_stage import Wire, make_sending, send_once
from tests.delivery.text_stage import NUMBER, ledger_rows, text_in

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def lose(keep: Profile) -> Profile:
    return factories.make_profile(external_id="L", email="l@example.com", sms=NUMBER)


def merge(keep: Profile, lose: Profile, *, now: datetime = NOW) -> None:
    merging.merge(keep, lose, by="ola", reason="One person", now=now)


def flags() -> list[tuple[int, int]]:
    return list(OptOut.objects.values_list("profile_id", "channel"))


def reply_of(profile: Profile) -> Inbound:
    return Inbound.objects.create(
        kind=InboundKind.MAIL,
        source="imap",
        key="m",
        raw=b"From: L <l@example.com>\n\nWhy?",
        received_at=NOW,
        profile_id=profile.pk,
    )


def test_mail_to_unsubscribe_stops_who_lives_on(keep, lose):
    to = mailto_of(lose)
    merge(keep, lose)

    row = take_in(mail_of(to, "Subject: unsubscribe"))

    assert row.state == InboundState.APPLIED
    assert flags() == [(keep.pk, Channel.EMAIL)]
    event = ConsentEvent.objects.get(source=ConsentSource.MAILTO)
    assert event.profile_id == keep.pk


def test_mail_to_unsubscribe_from_a_service_ends_the_subscription(keep, lose):
    service = factories.make_service()
    factories.make_subscription(profile=keep, service=service)
    to = mailto_of(lose, service_id=service.pk)
    merge(keep, lose)

    take_in(mail_of(to))

    ended = Subscription.objects.get(unsubscribed_at__isnull=False)
    assert ended.profile_id == keep.pk


def test_new_owner_of_a_mailbox_ends_the_consents_of_who_lives_on(keep, lose):
    make_sending()
    send_once(wire := Wire())
    senders = [each.sender for each in wire.taken]
    merge(keep, lose)

    for sender in senders:
        take_in(dsn(sender, "l@example.com", status="5.7.17"))

    assert flags() == [(keep.pk, Channel.EMAIL)]


def test_reply_for_a_person_to_read_is_about_who_lives_on(keep, lose):
    item = triage.add(reply_of(lose), is_suspected_stop=True, now=NOW)
    merge(keep, lose)

    people = triage.people_of(item)
    triage.decide(item.pk, Decision.CHANNEL, by="ola", now=LATER)

    assert people == [keep]
    assert flags() == [(keep.pk, Channel.EMAIL)]


def test_reply_that_nobody_reads_stops_who_lives_on(keep, lose):
    triage.add(reply_of(lose), is_suspected_stop=True, now=NOW)
    merge(keep, lose)

    assert triage.act_on_unread(now=NOW + timedelta(days=30)) == 1
    assert flags() == [(keep.pk, Channel.EMAIL)]


def test_stop_by_text_is_written_once_before_and_after_a_merge(keep, lose):
    text_in("STOP")
    merge(keep, lose)

    done = text_in("STOP", now=LATER)

    assert done.ledger_rows == 0
    assert ledger_rows() == [
        (lose.pk, "OUT", "keyword"),
        (lose.pk, "MERGE", "operator"),
    ]


def test_stop_by_text_after_a_merge_is_written_for_who_lives_on(keep, lose):
    merge(keep, lose)

    text_in("STOP")

    assert ledger_rows()[1:] == [(keep.pk, "OUT", "keyword")]


@pytest.mark.parametrize("is_after", [False, True])
def test_proof_agrees_when_a_number_was_stopped(keep, lose, is_after):
    if is_after:
        merge(keep, lose)
    text_in("STOP")
    if not is_after:
        merge(keep, lose)

    made = proof.of(keep, now=LATER)

    assert made.is_sound and made.standing == []
    assert len(made.rows) == 2


def test_erasure_takes_the_words_that_came_in_before_the_merge(keep, lose):
    reply_of(lose)
    Address.objects.filter(profile=lose, channel=Channel.EMAIL).delete()
    merge(keep, lose)

    erasure.erase(keep, by="ola", reason="asked", now=LATER)

    assert Inbound.objects.get().raw is None


def test_merge_takes_the_row_of_who_goes_at_once_while_nobody_has_the_file(db):
    keep, lose = make_person("P0"), make_person("P1")
    delivery = make_file()

    merge(keep, lose, now=timezone.now())

    assert list(ExtractionRow.objects.values_list("profile_id", flat=True)) == [keep.pk]
    assert people_in(handed_over(delivery)) == ["P0"]


def test_erasure_of_who_lives_on_takes_their_row_from_the_file(db):
    keep, lose = make_person("P0"), make_person("P1")
    merge(keep, lose, now=timezone.now())
    make_file()
    assert ExtractionRow.objects.count() == 1

    erasure.erase(lose, by="tests", reason="asked", now=timezone.now())

    assert not ExtractionRow.objects.exists()


def test_page_that_was_open_during_the_merge_ends_the_subscription(keep, lose):
    service = factories.make_service()
    factories.make_subscription(profile=keep, service=service)
    page = factories.make_landing_page(
        page_type=PageType.PREFERENCES, is_published=True, services=(service.pk,)
    )
    merge(keep, lose)

    link = Link(lose.pk, Channel.EMAIL, NOW)
    asked = Submission(shown_services=frozenset({service.pk}))
    sent = Sent(page.published_version, asked, link, "en", LATER)
    page_submission.carry_out(lose, sent)

    assert Subscription.objects.get().unsubscribed_at == LATER


@pytest.mark.parametrize(
    ("is_erased", "expected"),
    [(False, {"k@example.com", "l@example.com"}), (True, {""})],
)
def test_log_of_an_analysis_forgets_a_merged_profile_when_it_is_erased(
    keep, lose, monkeypatch, is_erased, expected
):
    compare = figures.compare

    def meanwhile(*args, **kwargs):
        merge(keep, lose, now=timezone.now())
        if is_erased:
            erasure.erase(keep, by="ola", reason="asked", now=timezone.now())
        return compare(*args, **kwargs)

    monkeypatch.setattr(figures, "compare", meanwhile)

    factories.make_analysed_delivery()

    assert set(Message.objects.values_list("address", flat=True)) == expected
