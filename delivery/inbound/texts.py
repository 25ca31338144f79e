"""Text messages that come in: STOP, START and HELP are done, people read all else.

1. What came is stored whole and committed, so that nothing is lost.
2. In one transaction it is read, done, written into the ledger, and its answer queued.
3. Only then is the gateway told that we have it; the answer goes out after that.

A crash between 1 and 2 leaves it stored, and the worker does it. A text that comes
twice (one id of the gateway) is done once.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import transaction
from django.utils.translation import gettext as _

from delivery.inbound import answers, numbers, storing, triage
from delivery.inbound.text_messages import IncomingText, TextError, read
from delivery.models import AnswerKind, Inbound, InboundKind, InboundState
from optout import keywords
from optout.keywords import Intent, Reading
from profiles.addresses import ParsedAddress, parse
from profiles.channels import Channel
from quarantine.reasons import Source

SOURCE: Final = "sms"
MOST_AT_ONCE: Final = 500

logger = logging.getLogger(__name__)


class Act(Enum):
    """What was made of a text."""

    STOPPED = "stop"
    STARTED = "start"
    HELPED = "help"
    # For a person to read.
    TRIAGED = "triage"
    # START where no STOP of that number stands.
    NOT_STARTED = "not_started"
    # It comes from one of our own numbers.
    OUR_OWN = "our_own"
    # It was done when it came the first time.
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class Done:
    """What was made of a text; how many ledger rows tell; whether it is answered."""

    act: Act
    is_news: bool = False
    ledger_rows: int = 0
    is_answered: bool = False


def receive(text: IncomingText, *, raw: bytes, now: datetime) -> Done:
    """Store a text, then do what it says. Raises DatabaseError when neither is sure."""
    storing.store(InboundKind.TEXT, raw, source=SOURCE, now=now, key=text.key)
    known = Inbound.objects.get(kind=InboundKind.TEXT, source=SOURCE, key=text.key)
    return handle(known, now=now)


@transaction.atomic
def handle(inbound: Inbound, *, now: datetime) -> Done:
    """Do what a stored text says, once, whoever else is about to."""
    row = Inbound.objects.select_for_update().get(pk=inbound.pk)
    if row.state != InboundState.STORED or row.raw is None:
        return Done(Act.KNOWN)
    row.read_at = now
    try:
        done = _do(read(bytes(row.raw)), row, now=now)
    except TextError as error:
        row.state, row.note = InboundState.FAILED, str(error)
        done = Done(Act.TRIAGED)
    row.save(update_fields=["state", "read_at", "meaning", "digest", "note"])
    return done


def handle_waiting(
    kind: InboundKind, handle_one: Callable[..., object], *, now: datetime
) -> None:
    """Do what was stored and not done, each alone: one that fails holds up no other."""
    waiting = Inbound.objects.filter(
        kind=kind, source=SOURCE, state=InboundState.STORED
    )
    for inbound in waiting.order_by("received_at", "pk")[:MOST_AT_ONCE]:
        try:
            handle_one(inbound, now=now)
        except DatabaseError as error:
            logger.warning(
                "Inbound report %s waits: %s", inbound.pk, type(error).__name__
            )


def _do(text: IncomingText, row: Inbound, *, now: datetime) -> Done:
    number = parse(Channel.SMS, text.sender, country=settings.SMS_GATEWAY_COUNTRY)
    if _is_our_own(text, number):
        return _record(row, Act.OUR_OWN, note=_("It comes from a number of ours."))
    reading = keywords.read(text.text)
    if not number.is_deliverable:
        return _to_triage(row, reading, now=now)
    row.digest = number.digest
    if reading.intent is Intent.STOP:
        return _stop(number, reading, row, now=now)
    if reading.intent is Intent.START:
        return _start(number, reading, row, now=now)
    if reading.intent is Intent.HELP:
        return _help(number, reading, row, now=now)
    return _to_triage(row, reading, now=now)


def _stop(
    number: ParsedAddress, reading: Reading, row: Inbound, *, now: datetime
) -> Done:
    change = numbers.stop(
        number, by="", source=Source.KEYWORD, now=now, language=reading.language
    )
    row.state, row.meaning = InboundState.APPLIED, Act.STOPPED.value
    is_answered = change.is_news and _answer(
        AnswerKind.STOP, number, row, language=reading.language, now=now
    )
    return Done(Act.STOPPED, change.is_news, change.ledger_rows, is_answered)


def _start(
    number: ParsedAddress, reading: Reading, row: Inbound, *, now: datetime
) -> Done:
    if _is_overtaken(row):
        note = _("STOP came later, so START changes nothing.")
        return _record(row, Act.NOT_STARTED, note=note)
    change = numbers.start(number, now=now, language=reading.language)
    if not change.is_news:
        note = _("No STOP of this number stands, so START changes nothing.")
        return _record(row, Act.NOT_STARTED, note=note)
    row.state, row.meaning = InboundState.APPLIED, Act.STARTED.value
    is_answered = _answer(
        AnswerKind.START, number, row, language=reading.language, now=now
    )
    return Done(Act.STARTED, True, change.ledger_rows, is_answered)


def _help(
    number: ParsedAddress, reading: Reading, row: Inbound, *, now: datetime
) -> Done:
    row.state, row.meaning = InboundState.RECORDED, Act.HELPED.value
    is_answered = _answer(
        AnswerKind.HELP, number, row, language=reading.language, now=now
    )
    return Done(Act.HELPED, is_answered=is_answered)


def _is_overtaken(row: Inbound) -> bool:
    """Say whether STOP came after a START that is only read now."""
    stops = Inbound.objects.filter(digest=row.digest, kind=InboundKind.TEXT)
    return stops.filter(
        meaning=Act.STOPPED.value, received_at__gte=row.received_at
    ).exists()


def _answer(
    kind: AnswerKind,
    number: ParsedAddress,
    row: Inbound,
    *,
    language: str,
    now: datetime,
) -> bool:
    numbers.hold(number)
    if numbers.is_erased(number.digest):
        return False
    return answers.queue(kind, number, row, language=language, now=now)


def _record(row: Inbound, act: Act, *, note: str) -> Done:
    row.state, row.meaning, row.note = InboundState.RECORDED, act.value, note
    return Done(act)


def _to_triage(row: Inbound, reading: Reading, *, now: datetime) -> Done:
    # A word for stopping from somebody whose number cannot be read is one, too.
    is_suspected = reading.intent in {Intent.STOP, Intent.MAYBE_STOP}
    row.meaning = reading.intent.value
    triage.add(row, is_suspected_stop=is_suspected, now=now)
    return Done(Act.TRIAGED)


def _is_our_own(text: IncomingText, number: ParsedAddress) -> bool:
    """Say whether a text comes from a number of ours, as an echo or a loop does."""
    country = settings.SMS_GATEWAY_COUNTRY
    ours = [
        each for each in (text.recipient, *settings.SMS_OWN_NUMBERS) if each.strip()
    ]
    return any(
        parse(Channel.SMS, each, country=country).digest == number.digest
        for each in ours
    )
