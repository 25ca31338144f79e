"""Public links over HTTP: who holds a link stops messages, and nothing else happens."""

from datetime import timedelta
from io import BytesIO
from uuid import uuid4

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.utils import timezone

from delivery import erasure
from delivery.models import Message
from delivery.states import ExclusionReason
from optout import public, stopping
from optout.models import ConsentEvent
from optout.models.ledger import ConsentSource, Direction
from optout.tokens import Purpose
from profiles.channels import ANY_CHANNEL, Channel
from profiles.models import Profile
from tests import factories
from tests.optout.public_links import (
    BOUNDARY,
    FORM,
    MULTIPART,
    PAIR,
    address,
    everything,
    is_out,
    pressed,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (PAIR, FORM),
        (PAIR, f"{FORM}; charset=utf-8"),
        (f"{PAIR}\r\n", FORM),
        (PAIR, ""),
        (PAIR, "text/plain"),
        (MULTIPART, f"multipart/form-data; boundary={BOUNDARY}"),
    ],
)
def test_one_click_stops_at_once(visitor, profile, body, kind) -> None:
    url = address(profile, Purpose.ONE_CLICK, delivery_id=77)
    answer = visitor.generic("POST", url, body, content_type=kind)
    assert (answer.status_code, answer.get("Location")) == (200, None)
    assert is_out(profile)
    [event] = ConsentEvent.objects.values(
        "direction", "channel", "source", "delivery_id", "language", "actor"
    )
    assert event == {
        "direction": Direction.OUT,
        "channel": Channel.EMAIL,
        "source": ConsentSource.ONE_CLICK,
        "delivery_id": 77,
        "language": "en",
        "actor": "",
    }


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("", FORM),
        ("List-Unsubscribe=one-click", FORM),
        (f"{PAIR}&more=1", FORM),
        (f"{PAIR}&{PAIR}", FORM),
        ("list-unsubscribe=One-Click", FORM),
        (PAIR + " " * 5000, FORM),
        (MULTIPART, "multipart/form-data"),
        (MULTIPART, "multipart/form-data; boundary=another"),
        (
            MULTIPART.replace("-Click", "-Click\0"),
            f"multipart/form-data; boundary={BOUNDARY}",
        ),
        (MULTIPART[:40], f"multipart/form-data; boundary={BOUNDARY}"),
        (
            MULTIPART.replace('"\r', '"; filename="a"\r', 1),
            f"multipart/form-data; boundary={BOUNDARY}",
        ),
        (b"\xff\xfe", FORM),
    ],
)
def test_any_other_body_only_shows_the_button(visitor, profile, body, kind) -> None:
    before = everything()
    url = address(profile, Purpose.ONE_CLICK)
    answer = visitor.generic("POST", url, body, content_type=kind)
    assert answer.status_code == 200
    assert b"<button" in answer.content
    assert everything() == before


def test_one_click_in_chunks_has_no_length(rf, profile) -> None:
    url = address(profile, Purpose.ONE_CLICK)
    made = rf.generic("POST", url, PAIR, content_type=FORM)
    environ = made.environ | {
        "wsgi.input": BytesIO(PAIR.encode()),
        "wsgi.input_terminated": True,
    }
    del environ["CONTENT_LENGTH"]
    answer = public.one_click(WSGIRequest(environ), url.removeprefix("/u/"))
    assert answer.status_code == 200
    assert is_out(profile)


def test_one_click_again_changes_nothing(visitor, profile) -> None:
    url = address(profile, Purpose.ONE_CLICK)
    first = visitor.generic("POST", url, PAIR, content_type=FORM)
    before = everything()
    again = visitor.generic("POST", url, PAIR, content_type=FORM)
    assert (again.status_code, again.content) == (200, first.content)
    assert everything() == before


@pytest.mark.parametrize("purpose", [Purpose.ONE_CLICK, Purpose.STOP])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_opening_a_link_writes_nothing(visitor, profile, purpose, method) -> None:
    before = everything()
    answer = visitor.generic(method, address(profile, purpose))
    assert answer.status_code == 200
    assert everything() == before


@pytest.mark.parametrize("purpose", [Purpose.ONE_CLICK, Purpose.STOP])
def test_button_stops_and_the_next_analysis_excludes(
    visitor, profile, purpose, monkeypatch
) -> None:
    answer = pressed(visitor, address(profile, purpose), monkeypatch)
    assert answer.status_code == 200
    assert is_out(profile)
    delivery = factories.make_analysed_delivery()
    message = Message.objects.get(analysis_id=delivery.current_analysis_id)
    assert message.reasons == ExclusionReason.OPTED_OUT_CHANNEL.bit


def test_only_the_profile_of_the_link_is_stopped(visitor, profile) -> None:
    twin = factories.make_profile(email="jane@example.org")
    url = address(profile, Purpose.ONE_CLICK)
    visitor.generic("POST", url, PAIR, content_type=FORM)
    assert (is_out(profile), is_out(twin)) == (True, False)


def test_link_for_all_channels_stops_all(visitor, profile) -> None:
    url = address(profile, Purpose.ONE_CLICK, channel=ANY_CHANNEL)
    visitor.generic("POST", url, PAIR, content_type=FORM)
    assert is_out(profile, ANY_CHANNEL)


@pytest.mark.parametrize(
    "nonce",
    ["", "x", "abc:1:def", stopping.form_nonce("another link")],
    ids=["empty", "short", "odd", "of another link"],
)
def test_post_without_the_nonce_of_the_page_asks_again(visitor, profile, nonce) -> None:
    before = everything()
    answer = visitor.post(address(profile, Purpose.STOP), {"form": nonce})
    assert answer.status_code == 200
    assert b'name="form"' in answer.content
    assert everything() == before


@pytest.mark.parametrize(
    ("after", "is_accepted"),
    [
        (timedelta(0), False),
        (timedelta(seconds=2), True),
        (timedelta(hours=23), True),
        (timedelta(hours=25), False),
    ],
)
def test_form_is_good_from_a_second_to_a_day(after, is_accepted) -> None:
    nonce = stopping.form_nonce("token")
    now = timezone.now().replace(microsecond=0) + after
    assert stopping.is_from_form(nonce, "token", now=now) is is_accepted


def test_link_of_an_erased_person_still_stops(visitor, profile) -> None:
    url = address(profile, Purpose.ONE_CLICK, digest=uuid4())
    erasure.erase(profile, by="ola", reason="asked", now=timezone.now())
    answer = visitor.generic("POST", url, PAIR, content_type=FORM)
    assert answer.status_code == 200
    assert is_out(profile)


def test_link_of_nobody_is_answered_like_any_other(visitor) -> None:
    url = address(Profile(pk=999_999), Purpose.ONE_CLICK)
    answer = visitor.generic("POST", url, PAIR, content_type=FORM)
    assert answer.status_code == 200
    assert not ConsentEvent.objects.exists()


@pytest.mark.parametrize(
    "token", ["", "x", "1.", "1.AAAA/", "./../u", "%00", "%c0%80", "1." + "A" * 100_000]
)
def test_unknown_link_is_answered_kindly(visitor, token) -> None:
    for method in ("GET", "POST"):
        answer = visitor.generic(method, f"/u/{token}")
        assert (answer.status_code, answer.get("Location")) == (404, None)


def test_link_is_complete_without_a_slash_and_wrong_with_one(visitor, profile) -> None:
    url = address(profile, Purpose.ONE_CLICK)
    assert visitor.post(f"{url}/", {"List-Unsubscribe": "One-Click"}).status_code == 404
    assert not is_out(profile)


@pytest.mark.parametrize("purpose", [Purpose.ONE_CLICK, Purpose.STOP])
def test_pages_leave_no_trace_with_the_visitor(visitor, profile, purpose) -> None:
    answer = visitor.get(address(profile, purpose))
    assert not answer.cookies
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert answer["X-Frame-Options"] == "DENY"
    assert "Cookie" not in answer.get("Vary", "")
    text = answer.content.decode()
    assert "<script" not in text
    assert "jane" not in text
    assert "j•••@e•••.org" in text


def test_https_pages_answer_instead_of_redirecting(visitor, profile, settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    for purpose in (Purpose.ONE_CLICK, Purpose.STOP):
        assert visitor.get(address(profile, purpose)).status_code == 200


@pytest.mark.parametrize(
    ("stored", "asked", "language"),
    [
        ("sv", "en", "sv"),
        ("sv-FI", "en", "sv"),
        ("xx", "sv", "sv"),
        ("", "sv;q=0.9", "sv"),
        ("", "", "en"),
    ],
)
def test_page_speaks_the_language_of_the_profile_or_browser(
    visitor, stored, asked, language
) -> None:
    profile = factories.make_profile(language=stored)
    url = address(profile, Purpose.STOP)
    answer = visitor.get(url, headers={"accept-language": asked})
    assert answer["Content-Language"] == language
    assert f'<html lang="{language}">' in answer.content.decode()


@pytest.mark.parametrize(
    ("channel", "value", "masked"),
    [
        (Channel.EMAIL, "jane@example.org", "j•••@e•••.org"),
        (Channel.EMAIL, "j@example.co.uk", "•••@e•••.uk"),
        (Channel.EMAIL, "j@x.se", "•••@•••.se"),
        (Channel.SMS, "+46701234567", "+46•••67"),
        (Channel.SMS, "12345", ""),
        (Channel.DIRECT_MAIL, "Storgatan 1", ""),
        (Channel.PUSH, "a" * 64, ""),
    ],
)
def test_a_mask_hides_most_of_an_address(channel, value, masked) -> None:
    assert stopping.mask(channel, value) == masked
