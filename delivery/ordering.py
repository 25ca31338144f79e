"""What operators order in the console: a new delivery, and its analysis.

The analysis itself runs in the worker; the order is a task, which is only a nudge.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_tasks_db.models import DBTaskResult

from delivery import analysis, tasks
from delivery.analysis import AnalysisRunning
from delivery.models import Audience, Delivery
from optout.models import Service


@transaction.atomic
def create(
    *,
    label: str,
    channel: int,
    make_audience: Callable[[], Audience],
    excludes_shared_opt_outs: bool,
    service: Service | None = None,
    by: User,
    now: datetime,
) -> Delivery:
    """Make a delivery with its audience, or neither.

    Raises what `make_audience` raises: AudienceError or FileError.
    """
    return Delivery.objects.create(
        label=label,
        channel=channel,
        audience=make_audience(),
        service=service,
        excludes_shared_opt_outs=excludes_shared_opt_outs,
        created_by=by,
        created_at=now,
    )


def order_analysis(delivery: Delivery, *, by: str, now: datetime) -> None:
    """Have the worker analyse a delivery.

    Raises AnalysisRunning when an analysis is under way or ordered already.
    """
    analysis.check_can_analyse(delivery, now=now)
    if is_ordered(delivery):
        raise AnalysisRunning(
            _("The analysis of ‘%(delivery)s’ waits for the worker already.")
            % {"delivery": delivery}
        )
    transaction.on_commit(lambda: tasks.analyse.enqueue(delivery.pk, by))


def is_ordered(delivery: Delivery) -> bool:
    """Tell whether an analysis of the delivery waits for the worker."""
    return _orders(delivery).exists()


def cancel_order(delivery: Delivery) -> bool:
    """Take back an analysis that no worker has begun; tell whether there was one."""
    return _orders(delivery).delete()[0] > 0


def _orders(delivery: Delivery) -> "QuerySet[DBTaskResult[Any, Any]]":
    return DBTaskResult.objects.ready().filter(
        task_path=tasks.analyse.module_path, args_kwargs__args__0=delivery.pk
    )
