"""The analysis of a delivery: who will be reached, who will not, and why.

One run evaluates delivery.eligibility over the whole target, on the server, and
leaves one Message per targeted profile with every reason that excludes it. A new run
replaces the one before by moving the delivery's pointer, after the two were compared;
a run that is stopped leaves nothing behind.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from time import monotonic
from types import ModuleType

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from delivery import (
    audiences,
    figures,
    lifecycle,
    loading,
    loading_postgresql,
    loading_sqlite,
    locks,
)
from delivery.figures import Counts
from delivery.lifecycle import DeliveryEvent, LifecycleError
from delivery.models import Analysis, Delivery, Message
from delivery.states import AnalysisStatus
from delivery.watching import Progress, StopAsked, watched
from profiles.models import Profile

# A run that gave no sign of life for so long has lost its process.
SIGN_OF_LIFE = timedelta(minutes=2)
# From the moment that an erasure bears to its commit: it may wait for an import.
LONGEST_ERASURE = timedelta(hours=1)


class AnalysisError(Exception):
    """An analysis that cannot be, or did not end; the text is a sentence."""


class AudienceEmpty(AnalysisError):
    """Nobody is in the audience."""


class AnalysisRunning(AnalysisError):
    """Another analysis of this delivery is under way."""


class AnalysisRefused(AnalysisError):
    """The delivery is confirmed and begun, finished or cancelled."""


class AnalysisStopped(AnalysisError):
    """Somebody stopped the analysis; it left nothing behind."""


def prepare(
    delivery: Delivery,
    *,
    by: str,
    now: datetime,
    progress: Progress | None = None,
) -> Analysis:
    """Analyse a delivery and make the result its current analysis.

    1. Take the lock of this delivery, and close a run whose process died.
    2. Compute the target and every exclusion, on one snapshot.
    3. Count, compare with the current analysis, and move the pointer.
    4. Discard the rows that were replaced.

    Takes the name of who asked, the time, and a function that is told (profiles done,
    profiles in all) as it goes; what that function raises stops the analysis.
    Raises AnalysisRunning, AnalysisRefused, AudienceEmpty or AnalysisStopped.
    """
    with locks.held_for_analysis(delivery.pk) as is_held:
        if not is_held:
            raise AnalysisRunning(_sentence_of_running(delivery))
        _close_dead_runs(delivery, now=now)
        # Another run may have ended since the delivery was read.
        _begin(delivery)
        replaced = delivery.current_analysis_id
        with _recorded_run(delivery, by=by, now=now) as analysis:
            _run(analysis, progress=progress)
        if replaced is not None:
            _engine().discard(replaced)
        return analysis


def check_can_analyse(delivery: Delivery, *, now: datetime) -> None:
    """Raise AnalysisRunning when one is under way, AnalysisRefused when it is too late.

    Once a delivery began, its rows are the log of what was sent.
    """
    if is_running(delivery, now=now):
        raise AnalysisRunning(_sentence_of_running(delivery))
    try:
        lifecycle.check_can(delivery, DeliveryEvent.ANALYSE)
    except LifecycleError as refusal:
        raise AnalysisRefused(str(refusal)) from refusal


def can_analyse(delivery: Delivery, *, now: datetime) -> bool:
    """Say whether an analysis of this delivery can start now."""
    may = lifecycle.can(delivery, DeliveryEvent.ANALYSE)
    return may and not is_running(delivery, now=now)


def is_running(delivery: Delivery, *, now: datetime) -> bool:
    """Say whether an analysis of this delivery is under way and alive."""
    running = delivery.analyses.filter(
        status=AnalysisStatus.RUNNING, heartbeat_at__gt=now - SIGN_OF_LIFE
    )
    return running.exists()


def request_stop(delivery: Delivery, *, now: datetime) -> bool:
    """Ask the running analysis to stop; gives whether there was one."""
    running = delivery.analyses.filter(
        status=AnalysisStatus.RUNNING, stop_requested_at__isnull=True
    )
    return running.update(stop_requested_at=now) > 0


def last_run(delivery: Delivery) -> Analysis | None:
    """Give the newest analysis of a delivery, whatever became of it."""
    return delivery.analyses.order_by("-pk").first()


def _sentence_of_running(delivery: Delivery) -> str:
    return _(
        "Delivery ‘%(delivery)s’ is being analysed already. Wait until it is done, or"
        " stop it."
    ) % {"delivery": delivery}


def _begin(delivery: Delivery) -> None:
    try:
        lifecycle.move(
            delivery, DeliveryEvent.ANALYSE, confirmed_at=None, confirmed_by=""
        )
    except LifecycleError as refusal:
        raise AnalysisRefused(str(refusal)) from refusal


def _give_back(delivery: Delivery) -> None:
    """Let a delivery whose analysis did not end be what it was before."""
    delivery.refresh_from_db(fields=["version", "current_analysis"])
    current = delivery.current_analysis
    is_kept = current is not None and current.version == delivery.version
    lifecycle.try_to_move(
        delivery,
        DeliveryEvent.ANALYSIS_KEPT if is_kept else DeliveryEvent.ANALYSIS_LOST,
    )


def _engine() -> ModuleType:
    is_postgresql = connection.vendor == "postgresql"
    return loading_postgresql if is_postgresql else loading_sqlite


def _close_dead_runs(delivery: Delivery, *, now: datetime) -> None:
    """Close runs that say they are running although nobody holds the lock."""
    for dead in delivery.analyses.filter(status=AnalysisStatus.RUNNING):
        _engine().discard(dead.pk)
        _close(
            dead, AnalysisStatus.FAILED, now=now, error=_("Its process ended early.")
        )


def _close(
    analysis: Analysis, status: AnalysisStatus, *, now: datetime, error: str = ""
) -> None:
    analysis.status = status
    analysis.finished_at = now
    analysis.error = error
    analysis.save(update_fields=["status", "finished_at", "error"])


@contextmanager
def _recorded_run(delivery: Delivery, *, by: str, now: datetime) -> Iterator[Analysis]:
    """Keep the row of a run: failed with its sentence, or gone when stopped."""
    analysis = Analysis.objects.create(
        delivery=delivery,
        version=delivery.version,
        started_at=now,
        heartbeat_at=now,
        started_by=by,
    )
    error = _("It ended unexpectedly. Start it again.")
    is_stopped = False
    try:
        yield analysis
    except StopAsked as asked:
        is_stopped = True
        raise AnalysisStopped(
            _("The analysis of ‘%(delivery)s’ was stopped. Nothing was kept of it.")
            % {"delivery": delivery}
        ) from asked
    except (AnalysisStopped, KeyboardInterrupt):
        is_stopped = True
        raise
    except AnalysisError as refusal:
        error = str(refusal)
        raise
    finally:
        if analysis.status == AnalysisStatus.RUNNING:
            _engine().discard(analysis.pk)
            _give_back(delivery)
            if is_stopped:
                analysis.delete()
            else:
                _close(analysis, AnalysisStatus.FAILED, now=timezone.now(), error=error)


def _run(analysis: Analysis, *, progress: Progress | None) -> None:
    started = monotonic()
    delivery = analysis.delivery
    target = loading.measure(delivery)
    if target is None:
        raise AudienceEmpty(
            _(
                "Delivery ‘%(delivery)s’ has nobody in its audience. Import profiles,"
                " or widen the audience."
            )
            % {"delivery": delivery}
        )

    with watched(analysis, target.size, progress) as watch:
        table = _engine().fill(analysis, target, watch=watch)
        counts = figures.count(table, analysis)
        watch.report(counts.targeted)
    _finish(analysis, table, counts, started=started)


def _finish(analysis: Analysis, table: str, counts: Counts, *, started: float) -> None:
    delivery = analysis.delivery
    changes = figures.compare(
        delivery.current_analysis, analysis, table=table, counts=counts
    )
    with transaction.atomic():
        # Erasures lock it too: each sees what the other did, whichever comes first.
        Analysis.objects.select_for_update().get(pk=analysis.pk)
        _engine().publish(analysis)
        _forget_the_erased(analysis)
        analysis.status = AnalysisStatus.FINISHED
        analysis.finished_at = timezone.now()
        analysis.profiles_done = analysis.profiles_total = counts.targeted
        analysis.targeted_count = counts.targeted
        analysis.to_send_count = counts.to_send
        analysis.unknown_count = audiences.unknown_count(delivery.audience)
        analysis.excluded_counts = counts.excluded
        analysis.all_reason_counts = counts.all_reasons
        analysis.changes = None if changes is None else vars(changes)
        analysis.seconds = round(monotonic() - started, 3)
        analysis.save()
        lifecycle.move(delivery, DeliveryEvent.ANALYSED, current_analysis=analysis)


def _forget_the_erased(analysis: Analysis) -> None:
    """Blank the addresses of people who were erased while the analysis ran.

    The erasure could not see these rows; the snapshot could not see the erasure.
    """
    since = analysis.started_at - LONGEST_ERASURE
    emptied = Profile.objects.filter(erased_at__gte=since)
    erased = list(emptied.filter(merged_into__isnull=True).values_list("pk", flat=True))
    # What was merged into somebody is erased with them, and no sooner.
    gone = Profile.objects.filter(merged_into__in=erased).values_list("pk", flat=True)
    messages = Message.objects.filter(
        analysis=analysis, profile_id__in=[*erased, *gone]
    )
    messages.update(address="")
