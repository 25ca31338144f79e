"""The audit trail: who did what in the console, when, about what, with which outcome.

The door of the console writes it (campaign.door), so that no page can forget to. A
page may add counts to its notes; an address shown in full is counted by the one who
writes it (profiles.showing).
"""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, cast

from django.contrib.auth.models import AnonymousUser, User
from django.contrib.messages import constants, get_messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from delivery.models import ConsoleAction
from delivery.models.console import ActionOutcome
from optout.limiting import network_of
from optout.models.ledger import ConsentReason
from profiles import showing
from profiles.spreadsheets import spreadsheet_safe
from quarantine.reasons import Reason

COLUMNS: Final = (
    *("id", "at", "actor", "account", "action", "outcome"),
    *("about", "counts", "reason", "network"),
)
_NOTES: Final = "audit_notes"
_REASONS: Final = {*ConsentReason.values, *Reason.values} - {""}
_ROWS_AT_ONCE: Final = 2_000


@dataclass
class Notes:
    """What a page says of its own action: ids and counts, never texts."""

    about: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    # The work was done, though no other page follows the form.
    is_done: bool = False

    def count(self, name: str, number: int = 1) -> None:
        """Add to a count, such as the rows of a file while it is written."""
        self.counts[name] = self.counts.get(name, 0) + number


@dataclass(frozen=True)
class Actor:
    """Who is signed in, by name and number."""

    username: str
    pk: int


@dataclass(frozen=True)
class Act:
    """One request of somebody who is signed in: its name, and who asks."""

    name: str
    by: Actor
    about: dict[str, Any]


def actor_of(user: User | AnonymousUser) -> Actor | None:
    """Tell who is signed in; the name stays when they sign out meanwhile."""
    return Actor(user.get_username(), user.pk) if user.is_authenticated else None


def notes_of(request: HttpRequest) -> Notes:
    """Give the notes of this request, to add to."""
    return cast(Notes, request.__dict__.setdefault(_NOTES, Notes()))


def record(
    request: HttpRequest,
    act: Act,
    outcome: ActionOutcome,
    *,
    counts: dict[str, int] | None = None,
) -> ConsoleAction:
    """Add one row to the trail."""
    notes, shown = notes_of(request), showing.shown_count(request)
    return ConsoleAction.objects.create(
        at=timezone.now(),
        actor=act.by.username,
        actor_id=act.by.pk,
        action=act.name,
        outcome=outcome,
        about=act.about | notes.about,
        counts=notes.counts | ({"addresses": shown} if shown else {}) | (counts or {}),
        reason=_reason(request),
        network=network_of(request),
    )


def record_download(
    request: HttpRequest, act: Act, response: HttpResponseBase
) -> HttpResponseBase:
    """Record a file that leaves: before its first byte, and how much of it went."""
    if isinstance(response, StreamingHttpResponse):
        record(request, act, ActionOutcome.BEGUN)
        pieces = cast(Iterator[bytes], response.streaming_content)
        response.streaming_content = _watched(request, act, pieces)
    elif isinstance(response, HttpResponse):
        size = len(response.content)
        record(request, act, ActionOutcome.DONE, counts={"bytes": size})
    return response


def outcome_of(request: HttpRequest, response: HttpResponseBase) -> ActionOutcome:
    """Tell what became of a POST by its answer: where it leads, and what was said.

    A form that is shown again was refused.
    """
    if response.status_code == 403:
        return ActionOutcome.DENIED
    if response.status_code >= 400:
        return ActionOutcome.FAILED
    if response.status_code < 300 and not notes_of(request).is_done:
        return ActionOutcome.REFUSED
    levels = _levels(request)
    is_told_no = max(levels, default=0) >= constants.WARNING
    is_refused = is_told_no and constants.SUCCESS not in levels
    return ActionOutcome.REFUSED if is_refused else ActionOutcome.DONE


def filtered(
    *,
    actor: str = "",
    action: str = "",
    outcome: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[ConsoleAction]:
    """Keep the actions that meet every filter given; `until` is a whole day."""
    wanted = Q()
    if actor:
        wanted &= Q(actor=actor)
    if action:
        wanted &= Q(action__startswith=action)
    if outcome:
        wanted &= Q(outcome=outcome)
    if since is not None:
        wanted &= Q(at__gte=since)
    if until is not None:
        wanted &= Q(at__lt=until + timedelta(days=1))
    return ConsoleAction.objects.filter(wanted)


def csv_of(rows: QuerySet[ConsoleAction], notes: Notes) -> Iterator[str]:
    """Give actions as CSV that a spreadsheet can open safely, piece by piece."""
    yield _csv([COLUMNS])
    for row in rows.order_by("pk").iterator(chunk_size=_ROWS_AT_ONCE):
        notes.count("rows")
        yield _csv([map(spreadsheet_safe, map(str, _cells(row)))])


def _cells(row: ConsoleAction) -> tuple[object, ...]:
    return (
        *(row.pk, row.at.isoformat(), row.actor, row.actor_id, row.action),
        *(row.outcome, pairs(row.about), pairs(row.counts), row.reason, row.network),
    )


def pairs(values: dict[str, Any]) -> str:
    """Write ids or counts as a line for people."""
    return ", ".join(f"{name} {value}" for name, value in sorted(values.items()))


def _watched(
    request: HttpRequest, act: Act, pieces: Iterable[bytes]
) -> Iterator[bytes]:
    sent, is_whole = 0, False
    try:
        for piece in pieces:
            sent += len(piece)
            yield piece
        is_whole = True
    finally:
        outcome = ActionOutcome.DONE if is_whole else ActionOutcome.FAILED
        record(request, act, outcome, counts={"bytes": sent})


def _levels(request: HttpRequest) -> list[int]:
    storage = get_messages(request)
    levels = [message.level for message in storage]
    # They are still to be shown.
    storage.used = False  # type: ignore[union-attr]
    return levels


def _reason(request: HttpRequest) -> str:
    """Find the reason that was chosen; whatever is no code of ours is left out."""
    if request.method != "POST":
        return ""
    for name, value in request.POST.items():
        is_one = name == "reason" or name.endswith("-reason")
        if is_one and value in _REASONS:
            return str(value)
    return ""


def _csv(rows: Iterable[Iterable[object]]) -> str:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue()
