"""Example services: two of them, with people who came and a few who left again."""

from datetime import datetime, timedelta

from optout import subscriptions
from optout.models import Service, ServiceText
from optout.models.ledger import ConsentSource
from profiles.channels import Channel
from profiles.models import Profile

SUBSCRIBERS = 240
_TEXTS = {
    "news": {
        "en": ("News from the garden", "What to sow and to harvest, once a month."),
        "sv": ("Nytt från trädgården", "Vad man sår och skördar, en gång i månaden."),
    },
    "evenings": {
        "en": ("Evenings for members", "A text message when we open after hours."),
        "sv": ("Kvällar för medlemmar", "Ett sms när vi har kvällsöppet."),
    },
}


def make_services(*, now: datetime) -> list[Service]:
    """Make the services with their texts, and let people come and go."""
    news = _make("news", Channel.EMAIL, is_open=True, now=now)
    evenings = _make("evenings", Channel.SMS, is_open=False, validity_days=365, now=now)
    people = list(
        Profile.objects.not_erased()
        .filter(external_id__startswith="EX-")
        .order_by("external_id")[:SUBSCRIBERS]
    )
    for number, profile in enumerate(people):
        _come_and_go(profile, news, number, now=now)
        if number % 4 == 0:
            _come_and_go(profile, evenings, number + 1, now=now)
    return [news, evenings]


def _make(name: str, channel: Channel, *, now: datetime, **fields: object) -> Service:
    texts = _TEXTS[name]
    service = Service.objects.create(
        name=name, label=texts["en"][0], channel=channel, created_at=now, **fields
    )
    for language, (public_name, description) in texts.items():
        ServiceText.objects.create(
            service=service,
            language=language,
            public_name=public_name,
            description=description,
        )
    return service


def _come_and_go(
    profile: Profile, service: Service, number: int, *, now: datetime
) -> None:
    # Spread over two months, more of them on some days than on others.
    came = now - timedelta(days=number * number % 59, hours=number % 20)
    source = ConsentSource.LANDING_PAGE
    subscriptions.subscribe(profile, service, by="", source=source, now=came)
    if number % 11 == 3:
        left = came + (now - came) / 2
        subscriptions.unsubscribe(
            profile, service, by="", source=ConsentSource.ONE_CLICK, now=left
        )
