"""Closing a file while somebody stops: two connections, so PostgreSQL only."""

from threading import Thread

import pytest
from django.db import connection
from django.utils import timezone

from delivery import extraction
from delivery.models import Extraction
from optout import preferences
from optout.models.ledger import ConsentSource
from profiles import in_flight
from profiles.channels import Channel
from profiles.models import Profile
from tests.delivery.extraction_stage import (
    handed_over,
    make_file,
    make_person,
    people_in,
)

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


class Stopping(Thread):
    """Opts somebody out; notes whether the file was closed when that was answered."""

    def __init__(self, person: Profile) -> None:
        super().__init__()
        self.person = person
        self.was_closed: bool | None = None

    def run(self) -> None:
        preferences.opt_out(
            self.person,
            Channel.DIRECT_MAIL,
            by="tests",
            source=ConsentSource.OPERATOR,
            now=timezone.now(),
        )
        self.was_closed = Extraction.objects.get().closed_at is not None
        connection.close()


def closed_while_somebody_stops(monkeypatch) -> tuple[list[str], Stopping]:
    people = [make_person(f"P{number}") for number in range(2)]
    delivery = make_file()
    leave_out = extraction.leave_out
    stopping = Stopping(people[0])

    def stopped_meanwhile(*args):
        count = leave_out(*args)
        stopping.start()
        stopping.join(0.5)
        return count

    monkeypatch.setattr(extraction, "leave_out", stopped_meanwhile)
    content = handed_over(delivery)
    stopping.join()
    return people_in(content), stopping


def test_whoever_stops_while_a_file_is_closed_is_answered_afterwards(monkeypatch):
    people, stopping = closed_while_somebody_stops(monkeypatch)

    assert people == ["P0", "P1"]
    assert stopping.was_closed is True


def test_without_its_lock_the_answer_would_come_before(monkeypatch):
    monkeypatch.setattr(in_flight, "closing_file", lambda: None)

    people, stopping = closed_while_somebody_stops(monkeypatch)

    assert people == ["P0", "P1"]
    assert stopping.was_closed is False
