"""How often a network or a mailbox may ask."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection

from optout import limiting
from optout.limiting import MAIL_TO_MAILBOX, REQUESTS_OF_NETWORK
from optout.models import Limit

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(hours=24)
MOMENT = timedelta(microseconds=1)


def mails(*after: timedelta) -> list[bool]:
    return [limiting.allow(MAIL_TO_MAILBOX, "jane", now=NOW + each) for each in after]


@pytest.mark.django_db
def test_each_time_counts_one_more():
    counts = [limiting.count(MAIL_TO_MAILBOX, "jane", now=NOW) for _ in range(3)]
    assert counts == [1, 2, 3]
    assert limiting.count(MAIL_TO_MAILBOX, "john", now=NOW) == 1
    assert limiting.count(REQUESTS_OF_NETWORK, "jane", now=NOW) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("after", "is_allowed"), [(DAY - MOMENT, False), (DAY, True), (DAY + MOMENT, True)]
)
def test_a_window_ends_at_its_very_moment(after, is_allowed):
    assert mails(timedelta(0), after) == [True, is_allowed]


@pytest.mark.django_db
def test_a_refusal_does_not_make_the_window_longer():
    hour = timedelta(hours=1)
    assert mails(timedelta(0), 23 * hour, DAY, 25 * hour) == [True, False, True, False]


@pytest.mark.django_db
def test_a_network_may_ask_as_often_as_the_rule_says():
    allowed = [limiting.allow(REQUESTS_OF_NETWORK, "net", now=NOW) for _ in range(21)]
    assert allowed == [True] * 20 + [False]


@pytest.mark.django_db
def test_no_network_or_address_is_stored_in_clear():
    limiting.count(REQUESTS_OF_NETWORK, "192.0.2.0/24", now=NOW)
    limiting.count(MAIL_TO_MAILBOX, "jane@example.org", now=NOW)
    stored = str(list(Limit.objects.values()))
    assert "jane" not in stored
    assert "192.0.2" not in stored


@pytest.mark.django_db
def test_what_no_rule_needs_is_pruned():
    mails(timedelta(0))
    limiting.count(REQUESTS_OF_NETWORK, "net", now=NOW + MOMENT)
    assert limiting.prune(now=NOW + DAY) == 1
    assert [limit.kind for limit in Limit.objects.all()] == ["network"]


@pytest.mark.parametrize(
    ("remote", "forwarded", "proxies", "network"),
    [
        ("192.0.2.77", "", 0, "192.0.2.0/24"),
        ("2001:db8:1:2::3", "", 0, "2001:db8:1::/48"),
        ("::ffff:192.0.2.77", "", 0, "192.0.2.0/24"),
        ("192.0.2.77", "198.51.100.1", 0, "192.0.2.0/24"),
        ("192.0.2.77", "203.0.113.9, 198.51.100.1", 1, "198.51.100.0/24"),
        ("192.0.2.77", "203.0.113.9, 198.51.100.1", 2, "203.0.113.0/24"),
        ("192.0.2.77", "198.51.100.1", 2, "192.0.2.0/24"),
        ("192.0.2.77", "nonsense", 1, "192.0.2.0/24"),
        ("192.0.2.77", "", 1, "192.0.2.0/24"),
        ("", "", 0, ""),
    ],
)
def test_a_request_belongs_to_one_network(
    rf, settings, remote, forwarded, proxies, network
):
    settings.TRUSTED_PROXIES = proxies
    request = rf.get("/stop", REMOTE_ADDR=remote, HTTP_X_FORWARDED_FOR=forwarded)
    assert limiting.network_of(request) == network


@pytest.mark.parametrize(
    ("canonical", "mailbox"),
    [
        ("jane@example.org", "jane@example.org"),
        ("jane+spring@example.org", "jane@example.org"),
        ("j.ane@example.org", "j.ane@example.org"),
        ("j.a.ne+1@googlemail.com", "jane@gmail.com"),
        ("+a@example.org", "+a@example.org"),
        ("+46701234567", "+46701234567"),
    ],
)
def test_tags_do_not_make_another_mailbox(canonical, mailbox):
    assert limiting.mailbox_of(canonical) == mailbox


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_requests_at_the_same_moment_get_different_numbers():
    workers, each = 8, 25
    barrier = Barrier(workers)

    def ask(_number):
        try:
            barrier.wait(timeout=10)
            return [
                limiting.count(MAIL_TO_MAILBOX, "jane", now=NOW) for _ in range(each)
            ]
        finally:
            connection.close()

    with ThreadPoolExecutor(workers) as pool:
        numbers = [
            number for found in pool.map(ask, range(workers)) for number in found
        ]

    assert sorted(numbers) == list(range(1, workers * each + 1))
