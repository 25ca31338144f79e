"""Editing what a delivery says and when it is sent: it is a draft again afterwards."""

from collections.abc import Mapping

from django.db import transaction

from delivery import lifecycle
from delivery.models import Delivery, DeliveryContent


@transaction.atomic
def save(
    delivery: Delivery, content: DeliveryContent, *, schedule: Mapping[str, object]
) -> None:
    """Save content and schedule of a delivery that has not begun.

    Raises LifecycleError with a sentence, and then saves nothing.
    """
    lifecycle.change(delivery)
    for name, value in schedule.items():
        setattr(delivery, name, value)
    delivery.save(update_fields=list(schedule))
    content.delivery = delivery
    content.save()
