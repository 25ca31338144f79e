"""Which transport takes the messages of a channel, by the settings."""

from django.conf import settings

from delivery.channels.extraction import ExtractionTransport
from delivery.channels.folder import FolderTransport
from delivery.channels.sms import SmsGateway
from delivery.channels.smtp import SmtpSettings, SmtpTransport
from delivery.channels.transport import BY_FILE, Transport
from profiles.channels import Channel


def open_transport(channel: int) -> Transport:
    """Give the transport of a channel; nothing is connected yet.

    Without a server or gateway messages stay here, in a folder.
    """
    if channel in BY_FILE:
        return ExtractionTransport()
    if channel == Channel.EMAIL and settings.SMTP_SERVER is not None:
        return SmtpTransport(SmtpSettings(**settings.SMTP_SERVER))
    if channel == Channel.SMS and settings.SMS_GATEWAY_URL:
        return SmsGateway(settings.SMS_GATEWAY_URL, settings.SMS_GATEWAY_SECRET)
    return FolderTransport(settings.MAIL_DIR / Channel(channel).code)
