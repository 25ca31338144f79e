"""Looking at a delivery before it is sent: previews, and proofs to test addresses.

Both are made as for a real profile, but their links are about nobody: whoever presses
one, or whatever mail scanner does, stops nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import make_msgid
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from delivery.channels.outcomes import Outcome
from delivery.composing import (
    CompositionError,
    MailComposer,
    TextComposer,
    composer_of,
    read_fields,
)
from delivery.models import Delivery, Message, Proof
from delivery.parts import Leased
from delivery.transports import open_transport
from profiles.addresses import parse
from profiles.channels import Channel
from profiles.models import Profile
from profiles.showing import Writer
from quarantine.models import QuarantinedAddress

PREFIX: Final = "[Proof] "
MOST: Final = 10
_NOBODY: Final = 0
_NO_DIGEST: Final = UUID(int=0)


class ProofError(Exception):
    """A preview or proof that cannot be made; the text is a sentence."""


@dataclass(frozen=True)
class Preview:
    """One message as its recipient would get it, but for its links."""

    profile: Profile
    address: str
    subject: str
    html: str
    text: str


def preview(delivery: Delivery, external_id: str = "", *, write: Writer) -> Preview:
    """Make the message of a targeted profile; of the first to be sent to by default.

    `write` writes its address as the reader may see it. Raises ProofError.
    """
    profile, address = _recipient(delivery, external_id)
    composer = _composer(delivery)
    message = Leased(_NOBODY, _NO_DIGEST, address, 0)
    shown = write(delivery.channel, address)
    fields = {**read_fields([profile.pk])[profile.pk], "email": shown}
    try:
        subject, html, text = composer.render(composer.link_of(message), fields)
    except CompositionError as error:
        raise ProofError(str(error)) from error
    return Preview(profile, address, subject, html, text)


def send_proofs(
    delivery: Delivery,
    addresses: Sequence[str],
    *,
    external_id: str = "",
    by: str,
    now: datetime,
) -> list[Proof]:
    """Send the message of a profile to test addresses, at most ten; gives what came.

    Not through the gate, and never counted: nobody of the audience gets one. An
    address in quarantine gets none either. Raises ProofError before the first is sent.
    """
    checked = _checked(addresses)
    profile, _address = _recipient(delivery, external_id)
    composer = _composer(delivery)
    if not isinstance(composer, MailComposer):
        raise ProofError(_("Proofs go out by email only. Look at the preview."))
    fields = read_fields([profile.pk])[profile.pk]
    proofs = []
    transport = open_transport(delivery.channel)
    try:
        for address in checked:
            message = Leased(_NOBODY, _NO_DIGEST, address, 0)
            composition = composer.compose(
                message,
                {**fields, "email": address},
                prefix=PREFIX,
                message_id=make_msgid(domain=composer.domain).strip("<>"),
            )
            outcome = transport.ready() or transport.send(composition)
            proof = Proof(delivery=delivery, address=address, sent_at=now, sent_by=by)
            proofs.append(_logged(proof, profile, outcome))
    except CompositionError as error:
        raise ProofError(str(error)) from error
    finally:
        transport.close()
    return proofs


def _composer(delivery: Delivery) -> MailComposer | TextComposer:
    try:
        return composer_of(delivery)
    except CompositionError as error:
        raise ProofError(str(error)) from error


def _recipient(delivery: Delivery, external_id: str) -> tuple[Profile, str]:
    messages = Message.objects.filter(
        analysis_id=delivery.current_analysis_id or 0
    ).select_related("profile")
    if "\0" in external_id:  # PostgreSQL refuses to look for it.
        messages = messages.none()
    elif external_id:
        messages = messages.filter(profile__external_id=external_id)
    message = messages.exclude(address="").order_by("profile_id").first()
    if message is None:
        raise ProofError(
            _("Nobody with that external id is targeted. Copy it from the log.")
            if external_id
            else _("Nobody is targeted yet. Analyse the delivery first.")
        )
    return message.profile, message.address


def _checked(addresses: Sequence[str]) -> list[str]:
    if not 1 <= len(addresses) <= MOST:
        raise ProofError(_("Give 1 to %(most)s addresses for proofs.") % {"most": MOST})
    checked = []
    for address in addresses:
        parsed = parse(Channel.EMAIL, address)
        listed = QuarantinedAddress.objects.excluding().filter(
            channel=Channel.EMAIL, digest=parsed.digest
        )
        if not parsed.is_deliverable or listed.exists():
            raise ProofError(
                _("“%(address)s” gets no proof: it is no address, or in quarantine.")
                % {"address": address}
            )
        checked.append(parsed.value)
    return checked


def _logged(proof: Proof, profile: Profile, outcome: Outcome) -> Proof:
    proof.profile_id, proof.outcome = profile.pk, outcome.kind
    proof.reply = outcome.reply or outcome.code
    proof.save()
    return proof
