"""Whether exclusions are usual: next to similar deliveries and earlier analyses."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from delivery import comparing
from delivery.comparing import Comparison
from delivery.models import Analysis, Delivery, DeliveryContent
from delivery.states import AnalysisStatus, ExclusionReason
from optout.models import Service
from profiles.channels import Channel
from tests import factories

pytestmark = pytest.mark.django_db
QUARANTINED = ExclusionReason.QUARANTINED_ADDRESS


def make_run(
    delivery: Delivery | None = None,
    *,
    targeted: int = 1_000,
    quarantined: int = 0,
    duplicates: int = 0,
    **fields: object,
) -> Analysis:
    """Make a delivery whose analysis has these figures, or give it another one."""
    delivery = delivery or factories.make_delivery(**fields)
    excluded = {"quarantined_address": quarantined, "duplicate_address": duplicates}
    run = Analysis.objects.create(
        delivery=delivery,
        status=AnalysisStatus.FINISHED,
        finished_at=timezone.now(),
        targeted_count=targeted,
        to_send_count=targeted - quarantined - duplicates,
        excluded_counts=excluded,
        all_reason_counts=excluded,
    )
    delivery.current_analysis = run
    delivery.save(update_fields=["current_analysis"])
    return run


def compared(run: Analysis, *, is_marketing: bool = True) -> Comparison | None:
    return comparing.with_similar(run.delivery, run, is_marketing=is_marketing)


def shares(comparison: Comparison | None, reason: ExclusionReason) -> list[float]:
    assert comparison is not None
    [trend] = [each for each in comparison.trends if each.reason == reason]
    return [bar.percent for bar in trend.bars]


def test_shares_of_the_last_eight_stand_before_the_one_at_hand() -> None:
    for number in range(10):
        make_run(quarantined=number * 10)

    found = compared(make_run(quarantined=41))

    assert shares(found, QUARANTINED) == [2, 3, 4, 5, 6, 7, 8, 9, 4.1]
    assert found is not None and len(found.rows) == 8
    assert found.rows[0].shares == [9.0, 9.0]


def test_bars_are_as_high_as_their_share_of_the_highest() -> None:
    make_run(quarantined=20)

    found = compared(make_run(quarantined=40))

    assert found is not None
    before, now = found.trends[1].bars
    assert (before.height, before.y, before.is_now) == (50.0, 50.0, False)
    assert (now.height, now.y, now.is_now) == (100.0, 0.0, True)
    assert (before.x, now.x, found.trends[1].width) == (70, 80, 88)


def test_cause_above_what_is_usual_stands_out() -> None:
    for quarantined in (11, 12, 12, 12, 13, 90):
        make_run(quarantined=quarantined, duplicates=20)

    found = compared(make_run(quarantined=41, duplicates=21))

    assert found is not None
    assert [each.reason for each in found.standing_out] == [QUARANTINED]
    assert (found.standing_out[0].now, found.standing_out[0].usual) == (4.1, 1.2)


def test_cause_far_below_what_is_usual_stands_out_too() -> None:
    for _number in range(3):
        make_run(quarantined=50)

    found = compared(make_run(quarantined=0))

    assert found is not None
    assert [each.reason for each in found.standing_out] == [QUARANTINED]


@pytest.mark.parametrize(
    ("before", "targeted", "now"),
    [
        ([12, 12], 1_000, 100),
        ([10, 10, 10], 1_000, 19),
        ([100, 100, 100], 1_000, 140),
        ([0, 0, 0], 90, 9),
    ],
    ids=["too few", "too little", "not 1.5 times", "too few people"],
)
def test_what_is_not_far_from_usual_does_not_stand_out(before, targeted, now) -> None:
    for quarantined in before:
        make_run(quarantined=quarantined)

    found = compared(make_run(targeted=targeted, quarantined=now))

    assert found is not None and found.standing_out == []


def test_only_the_same_channel_and_service_is_similar() -> None:
    service = factories.make_service()
    make_run(channel=Channel.SMS)
    make_run()
    make_run(service=factories.make_service())
    same = make_run(service=service)

    found = compared(make_run(service=service))

    assert found is not None and found.before == [same]


def test_without_a_service_only_the_same_kind_is_similar() -> None:
    marketing, notice = make_run(), make_run()
    DeliveryContent.objects.create(delivery=notice.delivery, is_marketing=False)
    make_run(service=Service.objects.first() or factories.make_service())

    of_marketing = compared(make_run())
    of_notices = compared(make_run(), is_marketing=False)

    assert of_marketing is not None and of_marketing.before == [marketing]
    assert of_notices is not None and of_notices.before == [notice]


def test_later_deliveries_and_those_never_analysed_are_not_compared() -> None:
    factories.make_delivery()
    first = make_run()
    make_run()

    assert compared(first) is None


def test_own_analyses_are_held_against_the_one_before() -> None:
    first = make_run(quarantined=10)
    make_run(first.delivery, quarantined=20)
    last = make_run(first.delivery, quarantined=50)
    history = list(first.delivery.analyses.order_by("-pk"))

    found = comparing.with_earlier(history, last)

    assert shares(found, QUARANTINED) == [1.0, 2.0, 5.0]
    assert found is not None and found.trends[1].usual == 2.0


def test_only_the_largest_causes_have_a_picture_and_all_that_stand_out() -> None:
    assert compared(make_run()) is None
    for _number in range(3):
        make_run()
    counts = {reason.code: 90 - reason for reason in ExclusionReason}
    run = make_run(targeted=10_000)
    run.excluded_counts = counts | {"size_limit": 0}
    few = compared(run)
    run.targeted_count = 1_000
    all_of_them = compared(run)

    assert few is not None and len(few.trends) == 1 + comparing.MOST_CAUSES
    assert all_of_them is not None and len(all_of_them.standing_out) == 13
    assert len(all_of_them.trends) == 1 + 13


def test_page_says_what_stands_out(client: Client, operator: User) -> None:
    client.force_login(operator)
    for _number in range(6):
        make_run(quarantined=12)
    run = make_run(quarantined=41)

    page = client.get(f"/console/deliveries/{run.delivery_id}/").text

    sentence = (
        "Quarantined address: 4.1 %, 1.2 % usual in the last 6 similar deliveries"
    )
    assert sentence in page
    assert "No delivery of this kind" not in page


def test_page_says_that_nothing_is_there_to_compare_with(
    client: Client, operator: User
) -> None:
    client.force_login(operator)
    run = make_run()
    of_service = make_run(service=factories.make_service(label="News"))

    page = client.get(f"/console/deliveries/{run.delivery_id}/").text
    other = client.get(f"/console/deliveries/{of_service.delivery_id}/").text

    assert "No delivery of this kind was analysed before." in page
    assert "No delivery of “News” was analysed before." in other
