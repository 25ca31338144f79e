"""How many connections carry mail to one domain at once, over all senders."""

from collections import Counter
from datetime import timedelta
from threading import Event, Lock, Thread
from time import monotonic, sleep

import pytest
from django.db import connection, connections
from django.utils import timezone

from delivery import parts, places, working
from delivery.models import Message, Part
from delivery.places import Places
from delivery.sending import Sender
from delivery.states import MessageStatus
from tests import factories
from tests.delivery.sending_stage import Wire, make_sending, send_once, status_of

NOW = timezone.now()


def take(domain: str, *, limits: dict[str, int]) -> Places | None:
    """Take a place on another connection to the database; None without one."""
    taken = Places(limits)
    return taken if taken.full_until(domain, now=NOW) is None else None


class Elsewhere:
    """Another process: a connection of its own, kept until it is closed."""

    def __init__(self, domain: str, *, limits: dict[str, int]) -> None:
        self._end, began = Event(), Event()
        self.has_place = False

        def hold() -> None:
            self.has_place = take(domain, limits=limits) is not None
            began.set()
            self._end.wait(10)
            # Killed: nothing is given back by itself.
            connections.close_all()

        self._thread = Thread(target=hold)
        self._thread.start()
        began.wait(10)

    def close(self) -> None:
        self._end.set()
        self._thread.join()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_domain_has_as_many_places_as_its_limit():
    limits = {"example.com": 2}
    others = [Elsewhere("example.com", limits=limits) for _ in range(2)]
    own = Places(limits)

    try:
        assert [other.has_place for other in others] == [True, True]
        assert own.full_until("example.com", now=NOW) == NOW + places.FULL_FOR
        assert own.full_until("example.org", now=NOW) is None
    finally:
        for other in others:
            other.close()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_place_of_a_connection_that_is_gone_is_free():
    own = Places({"*": 1})
    other = Elsewhere("example.com", limits={"*": 1})
    until = own.full_until("example.com", now=NOW)
    other.close()

    assert until is not None
    for _try in range(100):
        # The server sees the end of a connection a moment later.
        if own.full_until("example.com", now=until) is None:
            break
        until += places.FULL_FOR
        sleep(0.02)
    assert own.full_until("example.com", now=until) is None
    own.leave()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_place_is_left_when_mail_goes_to_another_domain():
    own = Places({"*": 1, "example.org": 0})
    assert own.full_until("example.com", now=NOW) is None
    assert own.full_until("example.org", now=NOW) is None

    other = Elsewhere("example.com", limits={"*": 1})

    assert other.has_place
    other.close()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_full_domain_is_not_asked_for_again_and_again(django_assert_num_queries):
    other = Elsewhere("example.com", limits={"*": 1})
    own = Places({"*": 1})
    own.full_until("example.com", now=NOW)

    with django_assert_num_queries(0):
        again = own.full_until("example.com", now=NOW + timedelta(seconds=1))

    assert again == NOW + places.FULL_FOR
    other.close()


@pytest.mark.django_db
def test_without_a_limit_no_place_is_needed(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert Places({}).full_until("example.com", now=NOW) is None
        assert Places({"*": 2}).full_until("", now=NOW) is None


@pytest.mark.django_db
def test_one_sender_always_has_a_place(settings):
    settings.SENDING_CONNECTIONS = {"*": 1}
    for n in range(4):
        factories.make_profile(email=f"p{n}@example{n % 2}.com")
    make_sending()

    assert send_once(Wire()).tally.sent == 4


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_message_without_a_place_is_put_off_and_others_go_on(settings, monkeypatch):
    monkeypatch.setattr(working, "_REST", 0.01)
    settings.SENDING_CONNECTIONS = {"example.com": 1}
    full = factories.make_profile(email="a@example.com")
    free = factories.make_profile(email="b@example.org")
    delivery = make_sending()
    other = Elsewhere("example.com", limits=settings.SENDING_CONNECTIONS)

    sender = send_once(Wire())
    other.close()

    assert status_of(delivery, free) == MessageStatus.SENT
    assert status_of(delivery, full) == MessageStatus.READY
    message = Message.objects.get(profile_id=full.pk)
    assert message.attempt_count == 0
    assert timedelta() < message.due_at - timezone.now() < places.FULL_FOR
    assert (sender.tally.sent, sender.tally.failed) == (1, 0)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_sender_rests_when_it_finds_no_place_at_all(settings, monkeypatch):
    """Else it would go round through all parts, writing each of them."""
    monkeypatch.setattr(parts, "MESSAGES_PER_PART", 1)
    monkeypatch.setattr(working, "_REST", 0.2)
    settings.SENDING_CONNECTIONS = {"example.com": 1}
    for n in range(3):
        factories.make_profile(email=f"p{n}@example.com")
    make_sending()
    other = Elsewhere("example.com", limits=settings.SENDING_CONNECTIONS)

    began = monotonic()
    send_once(Wire())
    other.close()

    assert monotonic() - began > 3 * 0.2
    assert Part.objects.filter(slot=None, due_at__gt=timezone.now()).count() == 3


class Crowd:
    """A wire that counts how many are on it to the same domain."""

    def __init__(self, count: int) -> None:
        self.most: Counter[str] = Counter()
        self.taken: Counter[str] = Counter()
        self.all_sent = Event()
        self._count, self._now, self._lock = count, Counter[str](), Lock()

    def wire(self) -> Wire:
        return Wire(before_each=self.pass_by)

    def pass_by(self, message) -> None:
        domain = message.recipient.partition("@")[2]
        with self._lock:
            self._now[domain] += 1
            self.most[domain] = max(self.most[domain], self._now[domain])
        sleep(0.02)
        with self._lock:
            self._now[domain] -= 1
            self.taken[domain] += 1
            if self.taken.total() == self._count:
                self.all_sent.set()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("limit", "most"), [(1, 1), (0, 2)], ids=["limit", "none"])
def test_two_senders_keep_to_the_limit_and_send_all(settings, monkeypatch, limit, most):
    monkeypatch.setattr(parts, "MESSAGES_PER_PART", 5)
    monkeypatch.setattr(places, "FULL_FOR", timedelta(seconds=0.05))
    monkeypatch.setattr(working, "_REST", 0.01)
    settings.SENDING_CONNECTIONS = {"example.com": limit}
    for n in range(30):
        domain = "example.org" if n % 5 == 0 else "example.com"
        factories.make_profile(email=f"p{n}@{domain}")
    make_sending()
    crowd, stopping = Crowd(30), Event()
    senders = [Sender(lambda channel: crowd.wire(), stopping) for _ in range(2)]

    def work(sender: Sender) -> None:
        sender.run(is_once=False)
        connection.close()

    threads = [Thread(target=work, args=[sender]) for sender in senders]
    for thread in threads:
        thread.start()
    finished = crowd.all_sent.wait(20)
    stopping.set()
    for thread in threads:
        thread.join()

    assert finished
    assert crowd.taken == {"example.com": 24, "example.org": 6}
    assert crowd.most["example.com"] == most
    assert all(sender.tally.sent for sender in senders)
