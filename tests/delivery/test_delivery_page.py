"""The page of a delivery: figures that add up, what came back, what it says."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from delivery import responses, sending_figures, waterfall
from delivery.channels.outcomes import Outcome, OutcomeKind, Phase
from delivery.channels.transport import Composition
from delivery.models import Analysis, Delivery, DeliveryContent, Message, Proof, Report
from delivery.states import ExclusionReason, MessageStatus
from optout import preferences
from optout.models import ConsentEvent
from optout.models.ledger import ConsentSource, Direction
from profiles.channels import Channel
from profiles.models import Profile
from tests import factories
from tests.delivery.sending_stage import HTML, SENT, Wire, make_sending, send_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def console(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def url(delivery: Delivery, page: str = "") -> str:
    return f"/console/deliveries/{delivery.pk}/{page}"


def words_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def make_people() -> None:
    """Ten people: 4 to send, and excluded 3 + 2 + 1, one of them for two reasons."""
    for number in range(4):
        factories.make_profile(external_id=f"P-{number}")
    for number in range(3):
        both = factories.make_profile(email=f"gone{number}@example.com")
        factories.make_opt_out(profile=both, channel=Channel.EMAIL)
    factories.make_quarantined_address(value="gone0@example.com")
    for number in range(2):
        factories.make_profile(email=f"lost{number}@example.com")
        factories.make_quarantined_address(value=f"lost{number}@example.com")
    factories.make_profile(email=None)


def test_first_causes_in_rule_order_lead_from_targeted_to_to_send() -> None:
    make_people()

    drawn = waterfall.of(analysis_of(factories.make_analysed_delivery()))

    assert (drawn.targeted, drawn.to_send, drawn.excluded) == (10, 4, 6)
    assert [
        (each.reason, each.first, each.all, each.left) for each in drawn.causes
    ] == [
        (ExclusionReason.ADDRESS_NOT_SPECIFIED, 1, 1, 9),
        (ExclusionReason.OPTED_OUT_CHANNEL, 3, 3, 6),
        (ExclusionReason.QUARANTINED_ADDRESS, 2, 3, 4),
    ]
    assert drawn.targeted - sum(each.first for each in drawn.causes) == drawn.to_send
    assert [(each.x, each.width) for each in drawn.causes] == [
        (90.0, 10.0),
        (60.0, 30.0),
        (40.0, 20.0),
    ]


def analysis_of(delivery: Delivery) -> Analysis:
    assert delivery.current_analysis is not None
    return delivery.current_analysis


def test_reason_that_is_never_the_first_is_told_apart() -> None:
    profile = factories.make_profile(email="gone@example.com")
    factories.make_opt_out(profile=profile)
    factories.make_quarantined_address(value="gone@example.com")

    drawn = waterfall.of(analysis_of(factories.make_analysed_delivery()))

    assert [each.reason for each in drawn.causes] == [ExclusionReason.OPTED_OUT_ANY]
    assert [each.reason for each in drawn.never_first] == [
        ExclusionReason.QUARANTINED_ADDRESS
    ]


def test_waterfall_on_the_page_links_each_cause_to_its_log(console: Client) -> None:
    make_people()
    delivery = factories.make_analysed_delivery()

    page = console.get(url(delivery)).text

    assert "10 targeted = 4 to send + 6 excluded, as of" in page
    assert 'x="60.0" width="30.0"' in page
    assert "Opted out of this channel − 3 30.0 % 3" in words_of(page)
    assert "Quarantined address − 2 20.0 % 3" in words_of(page)
    link = url(delivery, "log/?reason=quarantined_address&amp;counts=first")
    assert f'href="{link}"' in page
    rows = console.get(link.replace("&amp;", "&")).context["page"].rows
    assert len(rows) == 2


def test_whoever_may_not_see_logs_gets_figures_without_links(
    client: Client, onlooker: User
) -> None:
    give_rights(onlooker, "view_delivery")
    client.force_login(onlooker)
    make_people()
    delivery = factories.make_analysed_delivery()

    page = client.get(url(delivery)).text

    assert "Opted out of this channel − 3 30.0 % 3" in words_of(page)
    assert url(delivery, "log/") not in page and url(delivery, "preview/") not in page


def give_rights(user: User, *codenames: str) -> None:
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))


def refused_for(*external_ids: str) -> Wire:
    """Give a wire that refuses the addresses of these people for good."""
    refused = set(
        Profile.objects.filter(external_id__in=external_ids).values_list(
            "addresses__value", flat=True
        )
    )
    hard = Outcome(OutcomeKind.HARD, Phase.RCPT, 550, "5.1.1", "No such user")
    wire = Wire()

    def answer(message: Composition) -> None:
        wire.outcome = hard if message.recipient in refused else SENT

    wire.before_each = answer
    return wire


def test_what_became_of_those_to_send_adds_up(console: Client) -> None:
    make_people()
    delivery = make_sending()
    factories.make_opt_out(profile=Profile.objects.get(external_id="P-0"))
    send_once(refused_for("P-1"))

    page = console.get(url(delivery)).text

    delivery.refresh_from_db()
    figures = sending_figures.of(delivery, now=timezone.now())
    assert figures.reconciles and figures.to_send == figures.total == 4
    assert [(each.status, each.count) for each in figures.counts] == [
        (MessageStatus.SENT, 2),
        (MessageStatus.FAILED, 1),
        (MessageStatus.EXCLUDED_AFTER, 1),
    ]
    assert [(each.reason, each.count) for each in figures.late_causes] == [
        (ExclusionReason.OPTED_OUT_ANY, 1)
    ]
    sum_of_them = "4 to send = 2 sent + 1 failed + 1 excluded after the analysis"
    assert sum_of_them in words_of(page)
    assert "Opted out of every channel: 1" in page


def test_those_who_wait_are_part_of_the_sum(console: Client) -> None:
    make_people()
    delivery = make_sending()
    first = Message.objects.filter(status=MessageStatus.READY)[:1]
    Message.objects.filter(profile_id__in=first.values("profile_id")).update(
        status=MessageStatus.SENT
    )

    part = console.get(url(delivery, "sending/")).text

    assert "4 to send = 3 waiting + 1 sent" in words_of(part)


def test_figures_that_do_not_add_up_are_said_to(console: Client) -> None:
    make_people()
    delivery = make_sending()
    Message.objects.filter(status=MessageStatus.READY).first().delete()

    page = console.get(url(delivery)).text

    assert "the log has 3 messages, and the analysis counted 4 to send" in page


def test_what_came_back_counts_each_person_once(console: Client) -> None:
    make_people()
    delivery = make_sending()
    send_once(Wire())
    delivery.refresh_from_db()
    people = list(Profile.objects.filter(external_id__startswith="P-"))
    for kind, profile in (("bounce", people[0]), ("complaint", people[1])):
        Report.objects.create(
            analysis_id=delivery.current_analysis_id,
            profile_id=profile.pk,
            kind=kind,
            at=timezone.now(),
        )
    later = timezone.now() + responses.WITHIN + timedelta(days=1)
    for at, channel in ((None, Channel.EMAIL), (None, Channel.SMS), (later, None)):
        ConsentEvent.objects.create(
            at=at or timezone.now(),
            profile_id=people[2 if at is None else 3].pk,
            direction=Direction.OUT,
            channel=channel,
            source=ConsentSource.ONE_CLICK,
            delivery_id=delivery.pk,
        )

    found = responses.of(delivery, sent=4)
    page = words_of(console.get(url(delivery)).text)

    assert found is not None
    assert (found.stopped, found.bounces, found.complaints) == (1, 1, 1)
    assert "Stopped 1 25.00 % of those sent, within 30 days" in page


def test_nothing_came_back_of_what_has_not_begun() -> None:
    assert responses.of(factories.make_delivery(), sent=0) is None


def test_opt_out_by_an_operator_is_not_counted_as_an_answer() -> None:
    profile = factories.make_profile()
    delivery = make_sending()
    preferences.opt_out(
        profile,
        Channel.EMAIL,
        by="operator",
        source=ConsentSource.OPERATOR,
        now=timezone.now(),
    )

    found = responses.of(delivery, sent=1)

    assert found is not None and found.stopped == 0


def test_content_findings_and_proofs_are_on_the_page(console: Client) -> None:
    factories.make_profile()
    delivery = factories.make_analysed_delivery()
    DeliveryContent.objects.create(
        delivery=delivery, subject="Spring is here", html="<p>Hello you</p>"
    )
    Proof.objects.create(
        delivery=delivery,
        address="colleague@example.com",
        sent_at=timezone.now(),
        sent_by="marketer",
        outcome=OutcomeKind.SENT,
    )

    page = console.get(url(delivery)).text

    assert "Spring is here" in page and "Hello you" in page
    assert "The HTML has no unsubscribe link that everybody sees." in page
    assert f'href="{url(delivery, "content/")}#id_brand"' in page
    assert "Proofs" in page and "marketer" in page


def test_findings_are_not_asked_once_it_is_confirmed(console: Client) -> None:
    factories.make_profile()
    delivery = make_sending()

    page = console.get(url(delivery)).text

    assert "Control rules" not in page and "See the content" in page


def test_long_text_is_cut(console: Client) -> None:
    delivery = factories.make_delivery(channel=Channel.SMS)
    DeliveryContent.objects.create(delivery=delivery, text="a" * 401)

    page = console.get(url(delivery)).text

    assert "a" * 400 + " …" in page and "a" * 401 not in page


def test_page_is_small_and_takes_few_queries(
    console: Client, django_assert_max_num_queries: object
) -> None:
    make_people()
    for _number in range(9):
        delivery = make_sending(html=HTML + "<p>word</p>" * 2_000)

    with django_assert_max_num_queries(20):  # type: ignore[operator]
        page = console.get(url(delivery))

    assert page.status_code == 200 and len(page.content) < 100_000
