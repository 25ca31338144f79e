"""Asking for a subscription: what somebody typed is kept, and its mailbox asked.

At most one mail in 24 hours goes to a mailbox, whoever asks from wherever, and none
once its owner said that it was somebody else. The answer is the same in every case,
and nothing is looked up that differs between people who are known and who are not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from optout import tasks
from optout.confirmation import ASK_EVERY, FIELDS, mailbox_of
from optout.models import Service, SignUp, SignUpMailbox
from profiles.addresses import parse
from profiles.channels import Channel


@dataclass(frozen=True)
class Request:
    """What somebody typed on a page, and which page it was."""

    address: str
    services: Sequence[Service]
    language: str
    origin: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    landing_page_version_id: int | None = None
    wording_hash: str = ""
    submission: Mapping[str, Any] = field(default_factory=dict)


def ask(request: Request, *, now: datetime) -> None:
    """Keep a sign-up, and have its mailbox asked to confirm it.

    Says nothing: what is known of an address is nobody's business. An address that
    nothing can be sent to is passed over.
    """
    address = parse(Channel.EMAIL, request.address)
    if not address.is_deliverable:
        return
    with transaction.atomic():
        if not _may_ask(mailbox_of(address), now=now):
            return
        sign_up = SignUp.objects.create(
            address=address.value,
            digest=address.digest,
            service_ids=sorted(service.pk for service in request.services),
            fields={name: request.fields[name] for name in FIELDS & {*request.fields}},
            language=request.language,
            origin=request.origin,
            landing_page_version_id=request.landing_page_version_id,
            wording_hash=request.wording_hash,
            submission=dict(request.submission),
            requested_at=now,
        )
        transaction.on_commit(lambda: tasks.ask_to_confirm.enqueue(sign_up.pk))


def _may_ask(mailbox: UUID, *, now: datetime) -> bool:
    """Take the turn of a mailbox; the database decides between many at once."""
    known = SignUpMailbox.objects.filter(mailbox=mailbox)
    due = known.filter(asked_at__lte=now - ASK_EVERY, blocked_at__isnull=True)
    if due.update(asked_at=now):
        return True
    _row, is_new = SignUpMailbox.objects.get_or_create(
        mailbox=mailbox, defaults={"asked_at": now}
    )
    return is_new
