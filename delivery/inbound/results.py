"""What was made of something that came in: what it is, and what it changed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from delivery.inbound.identity import Found, Reported
from delivery.models import InboundState

# Of several, the one that most needs to be seen stands for all.
_ORDER: Final = (
    InboundState.APPLIED,
    InboundState.TRIAGE,
    InboundState.FAILED,
    InboundState.RECORDED,
    InboundState.FORGED,
    InboundState.FOREIGN,
)


@dataclass(frozen=True, slots=True)
class Result:
    """The state of one report after it was read; `note` is a sentence for people."""

    state: InboundState
    meaning: str
    note: str = ""
    delivery_id: int | None = None
    profile_id: int | None = None
    digest: UUID | None = None
    # For a person to read, who is told how soon.
    is_suspected_stop: bool = False


def of_stranger(found: Found, meaning: str) -> Result:
    """Give the result of a report without an authentic token: nothing changes."""
    state = InboundState.FORGED if found.is_forged else InboundState.FOREIGN
    return Result(state, meaning)


def of_message(
    reported: Reported, meaning: str, *, has_changed: bool, note: str = ""
) -> Result:
    """Give the result of a report about a message of ours."""
    return Result(
        InboundState.APPLIED if has_changed else InboundState.RECORDED,
        meaning,
        note,
        reported.delivery.pk,
        reported.profile_id,
        reported.address.digest,
    )


def unclear(result: Result) -> Result:
    """Let a person read a bounce that does not say why it is one."""
    note = _("It does not say why it could not be delivered.")
    return replace(result, state=InboundState.TRIAGE, note=note)


def of_many(results: Sequence[Result]) -> Result:
    """Give the result of a report that holds several."""
    if len(results) == 1:
        return results[0]
    if not results:
        return Result(InboundState.RECORDED, "other")
    chief = min(results, key=lambda each: _ORDER.index(each.state))
    counts = dict.fromkeys(_ORDER, 0)
    for each in results:
        counts[each.state] += 1
    told = [f"{state.label}: {count}" for state, count in counts.items() if count]
    meanings = {each.meaning for each in results}
    return Result(
        chief.state,
        meanings.pop() if len(meanings) == 1 else "several",
        _("%(count)s reports in one. %(states)s.")
        % {"count": len(results), "states": ", ".join(told)},
    )
