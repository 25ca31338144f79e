"""A delivery to a server that bounces at the wire and afterwards, as a whole."""

import pytest
from django.core.management import call_command
from django.utils import timezone

from delivery import transports
from delivery.models import Message
from delivery.sending import Sender
from delivery.states import MessageStatus
from profiles.models import Address
from quarantine.models import QuarantinedAddress
from quarantine.reasons import EXCLUDING, Reason, Status
from tests import factories, sink
from tests.delivery.inbound.report_mails import arf, dsn
from tests.delivery.inbound.test_collecting import make_maildir
from tests.delivery.sending_stage import make_sending

pytestmark = pytest.mark.django_db
Q, E, D = Status.QUARANTINE, Status.ERRONEOUS, Status.DENYLISTED

# What the server says at the wire, by the beginning of the address.
AT_THE_WIRE = {
    "550-a": (Q, Reason.USER_UNKNOWN),
    "452-a": (E, Reason.MAILBOX_FULL),
    "451-a": None,
    "552-a": (E, Reason.MAILBOX_FULL),
    "571-a": None,
    "multi-a": None,
}
# What comes back after the server took it: status, and what it makes of the address.
AFTERWARDS = {
    "gone": ("5.1.1", (Q, Reason.USER_UNKNOWN)),
    "moved": ("5.7.17", (Q, Reason.OWNER_CHANGED)),
    "full": ("5.2.2", (E, Reason.MAILBOX_FULL)),
    "slow": ("4.4.7", (E, Reason.UNREACHABLE)),
    "spam": ("5.7.1", None),
}
FINE = ["fine", "quiet"]
ANGRY = "angry"


@pytest.fixture
def server(tmp_path, settings):
    process, port = sink.start(tmp_path / "log", "--keep")
    settings.SMTP_SERVER = {
        "host": "127.0.0.1",
        "port": port,
        "username": "",
        "password": "",
        "use_tls": False,
        "use_ssl": False,
    }
    yield tmp_path / "log"
    process.kill()
    process.communicate()


def address(name: str) -> str:
    return f"{name}@{name}.example.com"


def names() -> list[str]:
    return [*AT_THE_WIRE, *AFTERWARDS, *FINE, ANGRY]


def known() -> dict[str, tuple[int, str]]:
    rows = QuarantinedAddress.objects.values_list("address", "status", "reason")
    return {value.partition("@")[0]: (status, reason) for value, status, reason in rows}


def expected() -> dict[str, tuple[int, str]]:
    table = AT_THE_WIRE | {name: end for name, (_, end) in AFTERWARDS.items()}
    table[ANGRY] = (D, Reason.COMPLAINT)
    return {name: end for name, end in table.items() if end is not None}


def test_quarantine_is_exactly_what_the_server_said(server, tmp_path):
    for name in names():
        factories.make_profile(email=address(name))
    make_sending()
    Sender(transports.open_transport).run(is_once=True)
    taken = {line["recipient"]: line for line in sink.read_log(server)}
    assert set(taken) == {address(n) for n in [*AFTERWARDS, *FINE, ANGRY]}

    mails = [
        dsn(taken[address(name)]["sender"], address(name), status=status)
        for name, (status, _) in AFTERWARDS.items()
    ]
    mails += [
        dsn(taken[address("fine")]["sender"], "victim@example.org", action="delayed"),
        dsn(taken[address("quiet")]["sender"], address("gone"), action="delivered"),
        dsn("bounces@example.com", address("fine")),
        arf(f"Return-Path: <{taken[address(ANGRY)]['sender']}>"),
    ]
    call_command("collect_bounces", maildir=make_maildir(tmp_path / "box", mails))

    assert known() == expected()
    delivery = factories.make_analysed_delivery(now=timezone.now())
    ready = Message.objects.filter(
        analysis_id=delivery.current_analysis_id, status=MessageStatus.READY
    )
    out = Address.objects.exclude(profile_id__in=ready.values("profile_id"))
    excluded = {
        value.partition("@")[0] for value in out.values_list("value", flat=True)
    }
    assert excluded == {
        name for name, (status, _) in expected().items() if status in EXCLUDING
    }
