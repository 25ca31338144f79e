"""What tests of the console's landing pages share: addresses, texts and rights."""

from django.contrib.auth.models import Permission, User
from django.test import Client

LIST = "/console/pages/"
TEXTS = {
    "title": "Out",
    "intro": "It stops.\r\nAt once.",
    "button": "Stop",
    "confirmation": "Done",
    "error": "",
    "closed": "",
}


def only_with(user: User, *rights: str) -> None:
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))


def text_of(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()
