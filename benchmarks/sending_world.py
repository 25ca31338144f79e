"""The people and the delivery that a benchmark of sending sends.

Usage: python -m benchmarks.sending_world MESSAGES [SHARE_UNKNOWN [listed] [begun]]
    python -m benchmarks.sending_world begin WORKERS

SHARE_UNKNOWN of the recipients are ones that the mail server does not know; with
`listed` those are in quarantine, as earlier bounces would have put them there; with
`begun` the delivery is confirmed. Prints
how many are to be sent to, and the size of one mail. With `begin` it confirms that
delivery as soon as so many workers wait for work, and ends when all is sent.
"""

import json
import random
import sys
import time

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from delivery import analysis, composing, lifecycle, scheduling  # noqa: E402
from delivery.lifecycle import DeliveryEvent  # noqa: E402
from delivery.models import Audience, Delivery, DeliveryContent, Slot  # noqa: E402
from delivery.parts import Leased  # noqa: E402
from delivery.sending import IDLE  # noqa: E402
from delivery.states import DeliveryStatus  # noqa: E402
from profiles.addresses import parse  # noqa: E402
from profiles.channels import Channel  # noqa: E402
from profiles.models import Address, Profile  # noqa: E402
from quarantine.models import QuarantinedAddress  # noqa: E402
from quarantine.reasons import Reason, Source, Status  # noqa: E402

HTML = (
    "<p>Hello {{ profile.first_name }}</p>"
    + "<p>Spring is here, and with it all that you were waiting for.</p>" * 12
    + '<p><a href="{{ unsubscribe_url }}">Unsubscribe</a></p>'
)


def main() -> None:
    messages = int(sys.argv[1])
    share = float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
    call_command("migrate", verbosity=0)
    Profile.objects.bulk_create(
        [Profile(external_id=f"S{n:06}", first_name="Anna") for n in range(messages)],
        batch_size=5_000,
    )
    make_addresses(share, is_listed="listed" in sys.argv)
    delivery = Delivery.objects.create(
        label="Benchmark", channel=Channel.EMAIL, audience=Audience.objects.create()
    )
    DeliveryContent.objects.create(delivery=delivery, subject="Spring", html=HTML)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    now = timezone.now()
    run = analysis.prepare(delivery, by="benchmark", now=now)
    if "begun" in sys.argv:
        confirm(delivery)
    print(json.dumps({"to_send": run.to_send_count, "bytes": size_of(delivery)}))


def confirm(delivery: Delivery) -> None:
    now = timezone.now()
    lifecycle.move(delivery, DeliveryEvent.CONFIRM, contact_at=now)
    scheduling.start(delivery, now=now)


def begin(workers: int) -> None:
    """Confirm the delivery when the workers are there, and wait until all is sent."""
    while Slot.objects.filter(ended_at=None).count() < workers:
        time.sleep(0.05)
    time.sleep(2 * IDLE)
    delivery = Delivery.objects.get()
    confirm(delivery)
    while delivery.status != DeliveryStatus.FINISHED:
        time.sleep(0.2)
        delivery.refresh_from_db()


def make_addresses(share: float, *, is_listed: bool) -> None:
    lots = random.Random(1)
    parsed = [
        (pk, parse(Channel.EMAIL, f"{name}{pk}@example.com"), name)
        for pk in Profile.objects.values_list("pk", flat=True)
        for name in ["unknown" if lots.random() < share else "p"]
    ]
    Address.objects.bulk_create(
        [
            Address(
                profile_id=pk,
                channel=Channel.EMAIL,
                value=each.value,
                digest=each.digest,
                domain=each.domain,
            )
            for pk, each, _name in parsed
        ],
        batch_size=5_000,
    )
    if is_listed:
        QuarantinedAddress.objects.bulk_create(
            QuarantinedAddress(
                channel=Channel.EMAIL,
                digest=each.digest,
                status=Status.QUARANTINE,
                reason=Reason.USER_UNKNOWN,
                source=Source.IMPORT,
            )
            for _pk, each, name in parsed
            if name == "unknown"
        )


def size_of(delivery: Delivery) -> int:
    composer = composing.composer_of(delivery)
    digest = Address.objects.values_list("digest", flat=True)[0]
    message = Leased(1, digest, "p1@example.com", 0)
    return len(composer.compose(message, {"first_name": "Anna"}).content)


if __name__ == "__main__":
    begin(int(sys.argv[2])) if sys.argv[1] == "begin" else main()
