"""Mails made to cost: each is read in little time and 256 MB, and none breaks.

Reading one takes a tenth of a second or so; the bound only tells that from what it
takes in quadratic time, on any machine.
"""

import time
import tracemalloc

import pytest

from delivery.inbound.reading import Kind, read
from tests.delivery.inbound import hostile

MAILS = hostile.mails()
MOST_SECONDS = 1.5  # of CPU
MOST_MEMORY = 256 * 1024 * 1024


@pytest.mark.parametrize("name", MAILS)
def test_hostile_mail_is_read_in_time(name):
    began = time.process_time()
    found = read(MAILS[name])

    assert time.process_time() - began < MOST_SECONDS
    assert len(found.recipients) <= 200
    assert all("@" in each.recipient for each in found.recipients)


@pytest.mark.parametrize(
    "name",
    ["10 MB", "50,000 parts", "50,000 blocks", "500 levels", "empty lines in a report"],
)
def test_hostile_mail_takes_little_memory(name):
    tracemalloc.start()
    try:
        read(MAILS[name])
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert most < MOST_MEMORY


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("empty", Kind.OTHER),
        ("nothing but NULs", Kind.OTHER),
        ("500 levels", Kind.BOUNCE),
        ("50,000 parts", Kind.BOUNCE),
        ("50,000 blocks", Kind.BOUNCE),
        ("no final boundary", Kind.BOUNCE),
        ("UTF-16 without one", Kind.BOUNCE),
        ("10 MB", Kind.BOUNCE),
    ],
)
def test_hostile_mail_is_still_what_it_is(name, kind):
    assert read(MAILS[name]).kind == kind


def test_last_boundary_may_be_missing():
    raw = MAILS["no final boundary"] + b"\nAction: failed\nStatus: 5.1.1\n"

    (recipient,) = read(raw).recipients

    assert recipient.recipient == "a@b.example"
    assert recipient.qualification.error_type == "hard"
