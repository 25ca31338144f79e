"""The life of a delivery: one table of (state x event), and its only door.

A change is one conditional UPDATE, so of two who change a delivery at once one is told
that it changed meanwhile. What is confirmed is what was analysed: a change of content,
audience or schedule makes a draft of it again.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any, Final

from django.db.models import F
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from delivery.models import Delivery
from delivery.states import DeliveryStatus


class LifecycleError(Exception):
    """Something that cannot be done to a delivery now; the text is a sentence."""


class DeliveryEvent(Enum):
    """What happens to a delivery; the text says what somebody wanted to do."""

    CHANGE = gettext_lazy("be changed")
    ANALYSE = gettext_lazy("be analysed")
    ANALYSED = gettext_lazy("take the result of an analysis")
    ANALYSIS_LOST = gettext_lazy("go back to a draft")
    ANALYSIS_KEPT = gettext_lazy("go back to the analysis before")
    CONFIRM = gettext_lazy("be confirmed")
    WITHDRAW = gettext_lazy("be taken back")
    START = gettext_lazy("be started")
    HOLD = gettext_lazy("wait for a person")
    PAUSE = gettext_lazy("be paused")
    RESUME = gettext_lazy("be resumed")
    CANCEL = gettext_lazy("be cancelled")
    FINISH = gettext_lazy("be finished")
    FAIL = gettext_lazy("fail")


_S = DeliveryStatus
_E = DeliveryEvent

# What leads where; what is not here cannot be.
TABLE: Final[Mapping[DeliveryStatus, Mapping[DeliveryEvent, DeliveryStatus]]] = {
    _S.DRAFT: {
        _E.CHANGE: _S.DRAFT,
        _E.ANALYSE: _S.ANALYSING,
        _E.CANCEL: _S.CANCELLED,
    },
    # A run whose process died leaves this state behind: only its lock tells, which
    # the next run asks for.
    _S.ANALYSING: {
        _E.ANALYSE: _S.ANALYSING,
        _E.ANALYSED: _S.ANALYSED,
        _E.ANALYSIS_LOST: _S.DRAFT,
        _E.ANALYSIS_KEPT: _S.ANALYSED,
    },
    _S.ANALYSED: {
        _E.CHANGE: _S.DRAFT,
        _E.ANALYSE: _S.ANALYSING,
        _E.CONFIRM: _S.CONFIRMED,
        _E.CANCEL: _S.CANCELLED,
    },
    _S.CONFIRMED: {
        _E.CHANGE: _S.DRAFT,
        _E.ANALYSE: _S.ANALYSING,
        _E.WITHDRAW: _S.ANALYSED,
        _E.START: _S.SENDING,
        _E.HOLD: _S.ANALYSED,
        _E.CANCEL: _S.CANCELLED,
        _E.FAIL: _S.FAILED,
    },
    _S.SENDING: {
        _E.PAUSE: _S.PAUSED,
        _E.CANCEL: _S.CANCELLED,
        _E.FINISH: _S.FINISHED,
        _E.FAIL: _S.FAILED,
    },
    _S.PAUSED: {
        _E.RESUME: _S.SENDING,
        _E.CANCEL: _S.CANCELLED,
        _E.FINISH: _S.FINISHED,
    },
    # Its cause mended, it goes on where it stood.
    _S.FAILED: {
        _E.RESUME: _S.SENDING,
        _E.CANCEL: _S.CANCELLED,
        _E.FINISH: _S.FINISHED,
    },
    _S.FINISHED: {},
    _S.CANCELLED: {},
}

_WHY: Final[Mapping[DeliveryStatus, str | Promise]] = {
    _S.DRAFT: gettext_lazy("it is a draft. Analyse it first."),
    _S.ANALYSING: gettext_lazy("it is being analysed. Wait until that is done."),
    _S.ANALYSED: gettext_lazy("it is analysed and not confirmed. Confirm it first."),
    _S.CONFIRMED: gettext_lazy("it is confirmed already. Take that back first."),
    _S.SENDING: gettext_lazy("it is being sent. Pause or cancel it."),
    _S.PAUSED: gettext_lazy("its sending is paused. Resume or cancel it."),
    _S.FINISHED: gettext_lazy("it is finished. Make a new delivery."),
    _S.CANCELLED: gettext_lazy("it is cancelled. Make a new delivery."),
    _S.FAILED: gettext_lazy("it failed. Resume it once the cause is mended."),
}


def can(delivery: Delivery, event: DeliveryEvent) -> bool:
    """Say whether an event may happen to a delivery in the state we know of."""
    return event in TABLE[DeliveryStatus(delivery.status)]


def check_can(delivery: Delivery, event: DeliveryEvent) -> None:
    """Raise LifecycleError with a sentence when an event may not happen now."""
    if not can(delivery, event):
        raise LifecycleError(
            _("Delivery ‘%(delivery)s’ cannot %(event)s: %(why)s")
            % {
                "delivery": delivery,
                "event": event.value,
                "why": _WHY[DeliveryStatus(delivery.status)],
            }
        )


def move(delivery: Delivery, event: DeliveryEvent, **fields: Any) -> None:
    """Let an event happen to a delivery, and write fields with it.

    One conditional UPDATE, from the state that `delivery` has in memory; `delivery`
    then is as the database has it. Raises LifecycleError with a sentence.
    """
    if not try_to_move(delivery, event, **fields):
        check_can(delivery, event)
        raise LifecycleError(
            _(
                "Delivery ‘%(delivery)s’ cannot %(event)s: somebody changed it"
                " meanwhile. Look at it again."
            )
            % {"delivery": delivery, "event": event.value}
        )


def try_to_move(delivery: Delivery, event: DeliveryEvent, **fields: Any) -> bool:
    """Let an event happen to a delivery if it may, and tell whether it did."""
    delivery.refresh_from_db(fields=["status", "version", "current_analysis"])
    before = DeliveryStatus(delivery.status)
    after = TABLE[before].get(event)
    if after is None:
        return False
    same = Delivery.objects.filter(
        pk=delivery.pk, status=before, version=delivery.version
    )
    if event is DeliveryEvent.CHANGE:
        fields["version"] = F("version") + 1
    if not same.update(status=after, **fields):
        return False
    delivery.refresh_from_db(fields=["status", *fields])
    return True


def change(delivery: Delivery) -> None:
    """Note that content, audience or schedule changed: it needs a new analysis.

    Raises LifecycleError with a sentence when nothing may change now.
    """
    move(
        delivery,
        DeliveryEvent.CHANGE,
        confirmed_at=None,
        confirmed_by="",
    )


def withdraw(delivery: Delivery) -> None:
    """Take back the confirmation of a delivery that has not begun."""
    move(delivery, DeliveryEvent.WITHDRAW, confirmed_at=None, confirmed_by="")


def pause(delivery: Delivery) -> None:
    """Pause a delivery: no message that starts from now on is of it."""
    move(delivery, DeliveryEvent.PAUSE, stop_note="")


def resume(delivery: Delivery) -> None:
    """Go on with a delivery that was paused or failed."""
    move(delivery, DeliveryEvent.RESUME, stop_note="")


def cancel(delivery: Delivery, *, now: datetime) -> None:
    """Cancel a delivery for good: no message that starts from now on is of it."""
    move(delivery, DeliveryEvent.CANCEL, finished_at=now)
