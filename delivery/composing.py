"""Composing: from the content of a delivery to one message, ready for the wire.

What is the same for everybody is prepared once per part; a message costs its merge
fields, its links and its headers. Links and Message-ID are the same at every attempt.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from delivery import extraction_rows
from delivery.channels import mail
from delivery.channels.extraction import return_code
from delivery.channels.mail import Assembler, Letter, MailError
from delivery.channels.transport import BY_FILE, Composition
from delivery.content import Content, ContentError, Recipient, RenderingError
from delivery.extraction_rows import RowError
from delivery.footer_words import footer_words
from delivery.models import Delivery, DeliveryContent
from delivery.parts import Leased
from delivery.rendering import CompiledContent, compile_content
from optout import link_mail, link_urls, list_headers
from optout.list_headers import HeaderRefused
from optout.mail_tokens import MailLink
from optout.tokens import Link
from profiles.channels import Channel
from profiles.models import Profile

# What merge fields may read of a profile; `email` is the address that is written to.
FIELDS: Final = (
    "external_id",
    "first_name",
    "last_name",
    "language",
    "country",
    "city",
    "postcode",
    "street",
    "time_zone",
    "birth_date",
    "attributes",
)

Fields = Mapping[str, object]


class CompositionError(Exception):
    """A message, or a whole content, that cannot be made; the text is a sentence."""


class Composer(Protocol):
    """Makes the messages of one delivery."""

    content: Content

    def recipients(self, messages: Sequence[Leased]) -> dict[int, Fields]:
        """Read what merge fields need of these people, by profile id."""

    def compose(self, message: Leased, fields: Fields) -> Composition:
        """Make one message. Raises CompositionError for that message alone."""


def composer_of(delivery: Delivery) -> "MailComposer | TextComposer | RowComposer":
    """Prepare what is the same in all messages of a delivery.

    Raises CompositionError when no message of it can be made.
    """
    if delivery.channel == Channel.EMAIL:
        return MailComposer(delivery)
    if delivery.channel in BY_FILE:
        return RowComposer(delivery)
    return TextComposer(delivery)


def content_of(delivery: Delivery) -> Content:
    """Give what a delivery says, and who says it; empty when nothing is written."""
    written = DeliveryContent.objects.filter(delivery=delivery)
    row = written.select_related("brand").first() or DeliveryContent()
    brand = row.brand
    return Content(
        channel=delivery.channel,
        subject=row.subject,
        html=row.html,
        text=row.text,
        sender=row.sender,
        reply_to=row.reply_to,
        is_marketing=row.is_marketing,
        has_address_in_content=row.has_address_in_content,
        postal_address=brand.postal_address if brand else "",
        sender_name=(brand.sender_name or brand.name) if brand else "",
        label=delivery.label,
        columns=row.columns,
    )


def compiled(content: Content, *, language: str = "") -> CompiledContent:
    """Compile a content with a footer in a recipient's language. Raises ContentError.

    `language` is one that we write in; empty for the usual one.
    """
    words = footer_words(language or settings.LANGUAGE_CODE)
    return compile_content(content, words=words, language=settings.LANGUAGE_CODE)


def read_fields(profile_ids: Sequence[int]) -> dict[int, dict[str, object]]:
    """Read what merge fields may use of profiles, by id, in one question."""
    rows = Profile.objects.filter(pk__in=profile_ids).values("pk", *FIELDS)
    return {row.pop("pk"): row for row in rows}


class _Composing:
    """What composers of all channels share."""

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        self.content = content_of(delivery)
        self._by_language: dict[str, CompiledContent] = {}
        self._compiled_in(settings.LANGUAGE_CODE)

    def _compiled_in(self, language: str) -> CompiledContent:
        if language not in self._by_language:
            try:
                self._by_language[language] = compiled(self.content, language=language)
            except ContentError as error:
                raise CompositionError(str(error)) from error
        return self._by_language[language]

    def recipients(self, messages: Sequence[Leased]) -> dict[int, Fields]:
        """Read what merge fields need of these people, by profile id."""
        fields = read_fields([message.profile_id for message in messages])
        return {
            message.profile_id: {
                **fields.get(message.profile_id, {}),
                "email": message.address,
            }
            for message in messages
        }

    def link_of(self, message: Leased) -> Link:
        """Give the link of a message; the same at every attempt."""
        return Link(
            message.profile_id,
            self.delivery.channel,
            self.made_at,
            self.delivery.service_id or 0,
            self.delivery.pk or 0,
            UUID(str(message.digest)),
        )

    @property
    def made_at(self) -> datetime:
        return self.delivery.started_at or timezone.now()

    def render(self, link: Link, fields: Fields) -> tuple[str, str, str]:
        """Give subject, HTML and text of one message. Raises CompositionError."""
        language = link_mail.supported(str(fields.get("language") or ""))
        made = self._compiled_in(language)
        used, service = made.fields, self.delivery.service
        recipient = Recipient(
            profile=fields,
            unsubscribe_url=link_urls.unsubscribe_url(link, service)
            if "unsubscribe_url" in used
            else "",
            preferences_url=link_urls.preferences_url(link)
            if "preferences_url" in used
            else "",
        )
        try:
            rendered = made.render(recipient)
        except RenderingError as error:
            raise CompositionError(str(error)) from error
        return rendered.subject, rendered.html, rendered.text


class MailComposer(_Composing):
    """Makes emails, with the headers that providers and programs look at."""

    def __init__(self, delivery: Delivery) -> None:
        super().__init__(delivery)
        sender = self.content.sender or settings.DEFAULT_SENDER
        try:
            self.domain = mail.mailbox(sender).domain
            self._assembler = Assembler(
                sender=sender,
                reply_to=self.content.reply_to,
                feedback_id=self._feedback_id(),
                date=self.made_at,
            )
        except MailError as error:
            raise CompositionError(str(error)) from error

    def compose(
        self,
        message: Leased,
        fields: Fields,
        *,
        prefix: str = "",
        message_id: str = "",
    ) -> Composition:
        """Make one email; a proof has a prefix and a Message-ID of its own.

        Raises CompositionError for that message alone.
        """
        link = self.link_of(message)
        subject, html, text = self.render(link, fields)
        try:
            letter = Letter(
                recipient=message.address,
                subject=f"{prefix}{subject}",
                text=text,
                html=html,
                message_id=message_id or self.message_id(message),
                list_headers=list_headers.for_message(
                    link,
                    service=self.delivery.service,
                    is_marketing=self.content.is_marketing,
                    domain=self.domain,
                ),
            )
            content = self._assembler.assemble(letter)
        except (MailError, HeaderRefused) as error:
            raise CompositionError(str(error)) from error
        return Composition(self._envelope_sender(link), message.address, content)

    def message_id(self, message: Leased) -> str:
        """Give the Message-ID of a message, the same at every attempt."""
        analysis_id = self.delivery.current_analysis_id or 0
        return mail.message_id(analysis_id, message.profile_id, self.domain)

    def _envelope_sender(self, link: Link) -> str:
        about = MailLink(
            link.profile_id, link.channel, link.service_id, link.delivery_id
        )
        return mail.verp_sender(about, self.domain)

    def _feedback_id(self) -> str:
        """Name the mail stream for complaint statistics: delivery, service, kind."""
        service = self.delivery.service
        kind = "marketing" if self.content.is_marketing else "service"
        name = service.name if service else "none"
        return f"{self.delivery.pk or 0}:{name}:{kind}:campaign"


class TextComposer(_Composing):
    """Makes the texts of channels that carry nothing but text."""

    def compose(self, message: Leased, fields: Fields) -> Composition:
        """Make one text. Raises CompositionError for that message alone."""
        _subject, _html, text = self.render(self.link_of(message), fields)
        # The same at every attempt: a gateway knows a message that it had before.
        client_id = f"{self.delivery.current_analysis_id}-{message.profile_id}"
        return Composition(client_id, message.address, text.encode())


class RowComposer(TextComposer):
    """Makes rows of a file: the person, the address, and the text if there is one."""

    def __init__(self, delivery: Delivery) -> None:
        super().__init__(delivery)
        self._columns = extraction_rows.header(self.content)

    def compose(self, message: Leased, fields: Fields) -> Composition:
        """Make one row. Raises CompositionError for that row alone."""
        text = super().compose(message, fields).content.decode()
        code = return_code(self.delivery.pk, message.profile_id)
        try:
            reached_by = extraction_rows.reached_by(
                Channel(self.delivery.channel),
                message.address,
                UUID(str(message.digest)),
                fields=fields,
            )
        except RowError as error:
            raise CompositionError(str(error)) from error
        cells = extraction_rows.cells(
            self._columns,
            fields,
            reached_by={**reached_by, "return_code": code},
            text=text,
        )
        line = extraction_rows.line(cells)
        return Composition(code, message.address, line.encode())
