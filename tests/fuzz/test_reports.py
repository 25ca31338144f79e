"""Three seconds of mails made by chance, and proof that a fault would be seen."""

import itertools
from random import Random

from delivery.inbound import plain_reports
from tests.fuzz import mutations, reports


def test_mails_made_by_chance_are_read():
    found = reports.run(reports.endless(20260302, reports.seeds()), seconds=3)

    assert found.troubles == []
    assert found.count > 50


def test_what_raises_is_found(monkeypatch):
    def fail(mail: object) -> str:
        raise ZeroDivisionError("by chance")

    monkeypatch.setattr(plain_reports, "notice", fail)
    found = reports.run(iter([b"Subject: x\n\ny"]), seconds=3)

    assert [trouble for _, trouble in found.troubles] == [
        "ZeroDivisionError('by chance')"
    ]


def test_what_takes_long_is_found(monkeypatch):
    monkeypatch.setattr(reports, "MOST_SECONDS", -1.0)
    found = reports.run(iter([b""]), seconds=3)

    assert [trouble for _, trouble in found.troubles] == ["It took 0.00 s."]


def test_every_mutation_changes_something():
    random = Random(1)
    seeds = reports.seeds()

    for mutation in mutations.MUTATIONS:
        made = {mutation(seeds[0], random, seeds) for _ in range(20)}
        assert made != {seeds[0]}, mutation


def test_seed_gives_the_same_mails_again():
    first, second = (
        list(itertools.islice(reports.endless(7, reports.seeds()), 20))
        for _ in range(2)
    )

    assert first == second
