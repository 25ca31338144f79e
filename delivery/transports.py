"""Which transport takes the messages of a channel, by the settings."""

from django.conf import settings
from django.utils.module_loading import import_string

from delivery.channels.abreast import Abreast
from delivery.channels.extraction import ExtractionTransport
from delivery.channels.folder import FolderTransport
from delivery.channels.outcomes import Outcome, OutcomeKind, Phase
from delivery.channels.sms import SmsGateway
from delivery.channels.smtp import SmtpSettings, SmtpTransport
from delivery.channels.transport import BY_FILE, Composition, Transport
from profiles.channels import Channel

# Named, not imported: what it needs is an optional package.
PROVIDER_TRANSPORT = "delivery.channels.anymail.ProviderTransport"


def open_transport(channel: int) -> Transport:
    """Give the transport of a channel; nothing is connected yet.

    Without a server or gateway messages stay here, in a folder.
    """
    if channel in BY_FILE:
        return ExtractionTransport()
    if channel == Channel.EMAIL and settings.MAIL_PROVIDER:
        return _provider(settings.MAIL_PROVIDER)
    if channel == Channel.EMAIL and settings.SMTP_SERVER is not None:
        server = SmtpSettings(**settings.SMTP_SERVER)
        return Abreast([SmtpTransport(server) for _ in range(settings.SENDING_ABREAST)])
    if channel == Channel.SMS and settings.SMS_GATEWAY_URL:
        return SmsGateway(settings.SMS_GATEWAY_URL, settings.SMS_GATEWAY_SECRET)
    return FolderTransport(settings.MAIL_DIR / Channel(channel).code)


class MissingTransport(Transport):
    """Takes nothing: the package that it needs is not installed."""

    def ready(self) -> Outcome:
        """Say so."""
        return Outcome(
            OutcomeKind.UNREACHABLE, Phase.CONNECT, code="provider_not_installed"
        )

    def send(self, message: Composition) -> Outcome:
        """Say so."""
        return self.ready()

    def close(self) -> None:
        """Do nothing: there is no connection."""


def _provider(name: str) -> Transport:
    try:
        transport: Transport = import_string(PROVIDER_TRANSPORT)(name)
    except ImportError:
        return MissingTransport()
    return transport
