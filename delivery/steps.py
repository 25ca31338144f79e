"""The steps of a delivery from content to the end, and whose turn it is.

Each step says how it stands and why. The first that is not done decides what is next:
one act, and the right that it needs. Who lacks the right is told whose turn it is.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import takewhile
from typing import Final

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from delivery import extraction
from delivery.control_rules import Finding, Level
from delivery.models import Delivery
from delivery.overview import Overview, State
from delivery.sending_figures import SendingFigures
from delivery.states import DeliveryStatus

# Of the installation: nobody mends it in the content.
OF_THE_INSTALLATION: Final = frozenset({"base_url_not_https", "not_signed"})
_EMPTY: Final = frozenset({"empty_subject", "empty_content"})
_OPEN: Final = {
    DeliveryStatus.DRAFT,
    DeliveryStatus.ANALYSING,
    DeliveryStatus.ANALYSED,
}


class StepName(StrEnum):
    CONTENT = "content"
    ANALYSIS = "analysis"
    CHECK = "check"
    CONFIRM = "confirm"
    SENDING = "sending"
    FINISHED = "finished"


class StepState(StrEnum):
    """How a step stands; `open` needs a person, `blocked` cannot go on as it is."""

    DONE = "done"
    OPEN = "open"
    RUNNING = "running"
    BLOCKED = "blocked"
    LATER = "later"


class Act(StrEnum):
    """What can be next."""

    WRITE = "write"
    MEND = "mend"
    ANALYSE = "analyse"
    SEE = "see"
    CONFIRM = "confirm"
    RESUME = "resume"
    DOWNLOAD = "download"


# The right that an act needs, and whose turn it is for those who lack it.
_NEEDS: Final[dict[Act, tuple[str, Promise]]] = {
    Act.WRITE: (
        "delivery.change_delivery",
        gettext_lazy("A marketer writes the content."),
    ),
    Act.MEND: (
        "delivery.change_delivery",
        gettext_lazy("A marketer mends the content."),
    ),
    Act.ANALYSE: (
        "delivery.analyse_delivery",
        gettext_lazy("A marketer analyses it."),
    ),
    Act.SEE: (
        "delivery.view_message",
        gettext_lazy("A marketer sees who is excluded, and why."),
    ),
    Act.CONFIRM: ("delivery.confirm_delivery", gettext_lazy("A sender confirms it.")),
    Act.RESUME: (
        "delivery.confirm_delivery",
        gettext_lazy("A sender resumes or cancels it."),
    ),
    Act.DOWNLOAD: (
        "delivery.download_extraction",
        gettext_lazy("Compliance downloads the file."),
    ),
}


@dataclass(frozen=True)
class Step:
    """One step, how it stands, and in a sentence why; `act` is what it waits for."""

    name: StepName
    state: StepState
    note: str = ""
    act: Act | None = None

    @property
    def label(self) -> str:
        return str(_LABELS[self.name])


_LABELS: Final[dict[StepName, Promise]] = {
    StepName.CONTENT: gettext_lazy("Content"),
    StepName.ANALYSIS: gettext_lazy("Analysis"),
    StepName.CHECK: pgettext_lazy("step", "Check"),
    StepName.CONFIRM: gettext_lazy("Confirm"),
    StepName.SENDING: pgettext_lazy("delivery", "Sending"),
    StepName.FINISHED: pgettext_lazy("delivery", "Finished"),
}


@dataclass(frozen=True)
class Turn:
    """What is next for one person: their act, or in a sentence whose turn it is."""

    step: Step
    act: Act | None
    whose: str


@dataclass(frozen=True)
class Standing:
    """What the steps are read off: all that the page knows of a delivery."""

    delivery: Delivery
    overview: Overview
    findings: Sequence[Finding]
    sending: SendingFigures
    file: extraction.Overview | None

    @property
    def is_open(self) -> bool:
        return is_open(self.delivery)

    @property
    def is_analysed(self) -> bool:
        current = self.delivery.current_analysis
        return current is not None and current.version == self.delivery.version

    @property
    def is_confirmed(self) -> bool:
        is_over = self.delivery.status == DeliveryStatus.CANCELLED
        return self.delivery.confirmed_at is not None or not (self.is_open or is_over)

    @property
    def errors(self) -> list[Finding]:
        return [each for each in self.findings if each.level == Level.ERROR]


def is_open(delivery: Delivery) -> bool:
    """Say whether a delivery is still being prepared."""
    return delivery.status in _OPEN


def of(standing: Standing) -> list[Step]:
    """Tell how each step of a delivery stands; a later one waits for those before."""
    steps = list(_each(standing))
    if standing.delivery.status == DeliveryStatus.CANCELLED:
        reached = [each.name == StepName.SENDING for each in steps]
    else:
        done = len(list(takewhile(lambda each: each.state == StepState.DONE, steps)))
        reached = [number <= done for number in range(len(steps))]
    return [
        step
        if is_reached or step.state == StepState.DONE
        else Step(step.name, StepState.LATER)
        for step, is_reached in zip(steps, reached, strict=True)
    ]


def turn_of(steps: Sequence[Step], may: Callable[[str], bool]) -> Turn:
    """Tell what is next for a person; `may` says whether they have a right."""
    passed = {StepState.DONE, StepState.LATER}
    step = next((each for each in steps if each.state not in passed), steps[-1])
    if step.act is None:
        return Turn(step, None, _without_act(step))
    right, whose = _NEEDS[step.act]
    return Turn(step, step.act, "") if may(right) else Turn(step, None, str(whose))


def _without_act(step: Step) -> str:
    if step.state == StepState.RUNNING:
        return _("It goes on by itself.")
    if step.state == StepState.DONE:
        return _("Nothing is left to do.")
    if step.name == StepName.CHECK:
        return _("Whoever runs the server mends it.")
    return ""


def _each(standing: Standing) -> Iterator[Step]:
    yield _content(standing)
    yield _analysis(standing)
    yield _check(standing)
    yield _confirm(standing)
    yield _sending(standing)
    yield _finished(standing)


def _content(standing: Standing) -> Step:
    name = StepName.CONTENT
    errors = [each for each in standing.errors if each.code not in OF_THE_INSTALLATION]
    if not standing.is_open or not errors:
        return Step(name, StepState.DONE)
    if {each.code for each in errors} & _EMPTY:
        return Step(name, StepState.OPEN, _("It is not written yet."), Act.WRITE)
    note = ngettext(
        "%(count)d error stops the confirmation.",
        "%(count)d errors stop the confirmation.",
        len(errors),
    ) % {"count": len(errors)}
    return Step(name, StepState.BLOCKED, note, Act.MEND)


def _analysis(standing: Standing) -> Step:
    name, state = StepName.ANALYSIS, standing.overview.state
    if state == State.ORDERED:
        return Step(name, StepState.RUNNING, _("It waits for the worker."))
    if state == State.RUNNING:
        note = _("%(percent)d %% of the profiles are done.")
        return Step(
            name, StepState.RUNNING, note % {"percent": standing.overview.percent}
        )
    if standing.is_open and state in {State.FAILED, State.INTERRUPTED}:
        note = _("The last analysis did not finish.")
        return Step(name, StepState.BLOCKED, note, Act.ANALYSE)
    current = standing.delivery.current_analysis
    if current is None:
        note = _("Nobody knows yet whom it reaches.")
        return Step(name, StepState.OPEN, note, Act.ANALYSE)
    if standing.is_open and not standing.is_analysed:
        note = _("It changed after the analysis.")
        return Step(name, StepState.OPEN, note, Act.ANALYSE)
    note = _("%(count)s to send") % {"count": intcomma(current.to_send_count)}
    return Step(name, StepState.DONE, note)


def _check(standing: Standing) -> Step:
    name, current = StepName.CHECK, standing.delivery.current_analysis
    if standing.is_confirmed:
        return Step(name, StepState.DONE)
    if current is None or not standing.is_analysed or standing.overview.state.is_busy:
        return Step(name, StepState.LATER)
    if current.to_send_count == 0:
        note = _("The analysis left nobody to send to.")
        return Step(name, StepState.BLOCKED, note, Act.SEE)
    if standing.errors:
        return Step(name, StepState.BLOCKED, standing.errors[0].sentence)
    count = len({each.code for each in standing.findings})
    note = ngettext("%(count)d warning", "%(count)d warnings", count)
    return Step(
        name, StepState.DONE, note % {"count": count} if count else _("no warnings")
    )


def _confirm(standing: Standing) -> Step:
    delivery = standing.delivery
    if standing.is_confirmed:
        when = _when(delivery.confirmed_at) if delivery.confirmed_at else ""
        return Step(StepName.CONFIRM, StepState.DONE, when)
    note = delivery.stop_note or _("It is analysed, and nothing stops it.")
    return Step(StepName.CONFIRM, StepState.OPEN, note, Act.CONFIRM)


def _sending(standing: Standing) -> Step:
    name, delivery = StepName.SENDING, standing.delivery
    percent = _("%(percent)d %%") % {"percent": standing.sending.percent}
    match DeliveryStatus(delivery.status):
        case DeliveryStatus.FINISHED:
            return Step(name, StepState.DONE, percent)
        case DeliveryStatus.SENDING:
            return Step(name, StepState.RUNNING, percent)
        case DeliveryStatus.PAUSED:
            note = _("It is paused at %(percent)d %%.")
            note %= {"percent": standing.sending.percent}
            return Step(name, StepState.OPEN, note, Act.RESUME)
        case DeliveryStatus.FAILED:
            note = delivery.stop_note or _("The sending failed.")
            return Step(name, StepState.BLOCKED, note, Act.RESUME)
        case DeliveryStatus.CANCELLED:
            note = _("It is cancelled for good. Make a new delivery.")
            return Step(name, StepState.BLOCKED, note)
        case _:
            when = _when(delivery.contact_at) if delivery.contact_at else ""
            note = _("It begins %(when)s, as soon as a worker is free.")
            return Step(name, StepState.RUNNING, note % {"when": when})


def _finished(standing: Standing) -> Step:
    name, delivery, file = StepName.FINISHED, standing.delivery, standing.file
    if delivery.status != DeliveryStatus.FINISHED:
        return Step(name, StepState.LATER)
    if file is not None and file.state == extraction.State.READY:
        note = _("The file is ready, and nobody has it yet.")
        return Step(name, StepState.OPEN, note, Act.DOWNLOAD)
    return Step(
        name,
        StepState.DONE,
        _when(delivery.finished_at) if delivery.finished_at else "",
    )


def _when(moment: datetime) -> str:
    return date_format(localtime(moment), "Y-m-d H:i")
