"""Answering texts: one short text in the language of whom it goes to, or none.

An answer waits in a table of its own, written with what it confirms, and the worker
sends it: never twice, never after five minutes, never two to one number within five
minutes, and only a few a day, so that two machines cannot talk to each other for long.
It is an answer to what somebody just sent, so it passes no gate: STOP is confirmed to
a number that nothing else reaches any more.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from delivery import transports
from delivery.channels.outcomes import OutcomeKind
from delivery.channels.transport import Composition, Transport
from delivery.models import AnswerKind, AnswerState, Inbound, TextAnswer
from delivery.sms_text import is_gsm
from profiles.addresses import ParsedAddress
from profiles.channels import Channel
from profiles.models import Profile

VALID_FOR: Final = timedelta(minutes=5)
APART: Final = timedelta(minutes=5)
MOST_A_DAY: Final = 3
# Help is the same text each time.
HELP_APART: Final = timedelta(days=1)
TRY_AGAIN_AFTER: Final = timedelta(seconds=30)
# Whoever had it in hand for so long is dead.
LOST_AFTER: Final = timedelta(minutes=2)
MOST_AT_ONCE: Final = 100
_LONGEST_NAME: Final = 30
# Where nothing else tells the language of a number.
_LANGUAGES: Final = {
    "+46": "sv",
    "+49": "de",
    "+43": "de",
    "+33": "fr",
    "+34": "es",
    "+358": "fi",
    "+47": "nb",
    "+45": "da",
}
_BEGUN: Final = (AnswerState.SENDING, AnswerState.SENT, AnswerState.UNKNOWN)
_ENDS: Final = {
    OutcomeKind.SENT: AnswerState.SENT,
    OutcomeKind.AMBIGUOUS: AnswerState.UNKNOWN,
    OutcomeKind.HARD: AnswerState.FAILED,
    OutcomeKind.REFUSED: AnswerState.FAILED,
}

logger = logging.getLogger(__name__)


def queue(
    kind: AnswerKind,
    number: ParsedAddress,
    inbound: Inbound,
    *,
    language: str,
    now: datetime,
) -> bool:
    """Write an answer to be sent, unless it would be one too many; tells whether.

    It takes the place of one that still waits. Called while the number is held.
    """
    waiting = TextAnswer.objects.filter(digest=number.digest, state=AnswerState.WAITING)
    waiting.update(state=AnswerState.DROPPED)
    expires_at = inbound.received_at + VALID_FOR
    if expires_at <= now or _is_too_much(kind, number.digest, now=now):
        return False
    TextAnswer.objects.create(
        inbound=inbound,
        kind=kind,
        digest=number.digest,
        number=number.canonical,
        language=language or language_of(number),
        made_at=now,
        due_at=now,
        expires_at=expires_at,
    )
    return True


def send_due(
    *,
    open_transport: Callable[[int], Transport] = transports.open_transport,
    clock: Callable[[], datetime] = timezone.now,
) -> int:
    """Send the answers that wait; gives how many the gateway took.

    Ends at the first sign that the gateway is not there: the rest waits.
    """
    _drop_late(now=clock())
    due = TextAnswer.objects.filter(state=AnswerState.WAITING, due_at__lte=clock())
    found = list(due.order_by("due_at", "pk")[:MOST_AT_ONCE])
    if not found:
        return 0
    transport = open_transport(Channel.SMS)
    try:
        return _send_all(found, transport, clock=clock)
    finally:
        transport.close()


def text_of(kind: str, language: str) -> str:
    """Give what an answer says, in one of our languages, after the sender's name."""
    with translation.override(language):
        if kind == AnswerKind.STOP:
            text = _(
                "You get no more texts on this number. To get them again, reply START."
            )
        elif kind == AnswerKind.START:
            text = _(
                "You can get texts on this number again. To stop them, reply STOP."
            )
        else:
            url = settings.PUBLIC_BASE_URL + reverse("stop_by_address")
            text = _(
                "To get no more texts on this number, reply STOP. Or say so here:"
                " %(url)s"
            ) % {"url": url}
    name = parseaddr(settings.DEFAULT_SENDER)[0][:_LONGEST_NAME].strip()
    return f"{name}: {text}" if name and is_gsm(name) else text


def language_of(number: ParsedAddress) -> str:
    """Guess the language of a number: of who carries it, else of its country."""
    carrying = Profile.objects.filter(
        addresses__channel=number.channel, addresses__digest=number.digest
    )
    known = dict(settings.LANGUAGES)
    for language in carrying.order_by("pk").values_list("language", flat=True)[:10]:
        code = language.lower().split("-")[0].split("_")[0]
        if code in known:
            return code
    for prefix, language in _LANGUAGES.items():
        if number.canonical.startswith(prefix):
            return language
    return settings.LANGUAGE_CODE


def forget(digests: Iterable[UUID]) -> None:
    """Take the numbers of an erased person out of the answers, and send them none."""
    of_them = TextAnswer.objects.filter(digest__in=list(digests))
    of_them.filter(state=AnswerState.WAITING).update(state=AnswerState.DROPPED)
    of_them.update(number="")


def _is_too_much(kind: AnswerKind, digest: UUID, *, now: datetime) -> bool:
    begun = TextAnswer.objects.filter(digest=digest, state__in=_BEGUN)
    if begun.filter(claimed_at__gt=now - APART).exists():
        return True
    if begun.filter(claimed_at__gt=now - timedelta(days=1)).count() >= MOST_A_DAY:
        return True
    of_help = begun.filter(kind=AnswerKind.HELP, claimed_at__gt=now - HELP_APART)
    return kind == AnswerKind.HELP and of_help.exists()


def _drop_late(*, now: datetime) -> None:
    """Drop what is too late, and give up on what a dead worker had in hand."""
    TextAnswer.objects.filter(state=AnswerState.WAITING, expires_at__lte=now).update(
        state=AnswerState.DROPPED
    )
    TextAnswer.objects.filter(
        state=AnswerState.SENDING, claimed_at__lte=now - LOST_AFTER
    ).update(state=AnswerState.UNKNOWN)


def _send_all(
    answers: Iterable[TextAnswer],
    transport: Transport,
    *,
    clock: Callable[[], datetime],
) -> int:
    sent = 0
    for answer in answers:
        trouble = transport.ready()
        if trouble is not None:
            logger.warning("Answers wait: %s.", trouble.code or trouble.reply)
            break
        if not _claim(answer, now=clock()):
            continue
        kind = _send(answer, transport, clock=clock)
        sent += kind == OutcomeKind.SENT
        if kind in {OutcomeKind.UNREACHABLE, OutcomeKind.AMBIGUOUS}:
            break
    return sent


def _claim(answer: TextAnswer, *, now: datetime) -> bool:
    waiting = TextAnswer.objects.filter(
        ~Q(number=""), pk=answer.pk, state=AnswerState.WAITING, expires_at__gt=now
    )
    return bool(waiting.update(state=AnswerState.SENDING, claimed_at=now))


def _send(
    answer: TextAnswer, transport: Transport, *, clock: Callable[[], datetime]
) -> OutcomeKind:
    """Hand one answer over, and record what came of it."""
    text = text_of(answer.kind, answer.language)
    # The same at every attempt, and never the id of a delivery's message.
    composition = Composition(f"answer-{answer.pk}", answer.number, text.encode())
    outcome = transport.send(composition)
    mine = TextAnswer.objects.filter(pk=answer.pk, state=AnswerState.SENDING)
    end = _ENDS.get(outcome.kind)
    if end is not None:
        mine.update(state=end)
    else:
        mine.update(
            state=AnswerState.WAITING,
            claimed_at=None,
            due_at=clock() + TRY_AGAIN_AFTER,
        )
    return outcome.kind
