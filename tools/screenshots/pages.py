"""Which pages there are pictures of: every door of the console, every public page.

A page comes in by itself when it has a line in campaign/acts.py. What its address
says about one thing is filled in from the example data (THINGS); a page whose
address says something else needs a line there. Pages without a picture are listed
with the reason.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.contrib.auth.models import Group, User
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils.http import urlencode

from campaign import acts
from delivery.models import Delivery, Inbound
from delivery.states import DeliveryStatus
from optout import confirmation, tokens, urls_public
from optout.models import Burst, LandingPage, Service, SignUp, Upload
from optout.models.pages import PageType
from optout.tokens import Link, Purpose
from profiles.channels import Channel
from profiles.models import Profile
from quarantine.models import QuarantineBatch, QuarantinedAddress
from quarantine.reasons import Source
from tools.screenshots.stage import NOW

PERSON: Final = "EX-00082"
_PART: Final = "a part of its page that renews itself"
_FILE: Final = "a file to download"
_FRAME: Final = "the framed content of its preview"
_DJANGO: Final = "a page of the framework’s own, without a place of ours"

# Pages that answer GET and have no picture, with the reason.
WITHOUT_PICTURE: Final[dict[str, str]] = {
    "set_language": "answers only posts",
    **{name: _FILE for name in acts.DOORS if name.endswith("_csv")},
    "upload_report": _FILE,
    "inbound_raw": _FILE,
    "delivery_progress": _PART,
    "sending_progress": _PART,
    "upload_progress": _PART,
    "landing_page_frame": _FRAME,
    "preview_frame": _FRAME,
    "second_factor": "needs an account that has a second factor",
    "admin:jsi18n": _DJANGO,
    "admin:autocomplete": _DJANGO,
    "admin:password_change": _DJANGO,
    "admin:password_change_done": _DJANGO,
    "join": "leads to the landing page of its service",
    "brand_stylesheet": "a stylesheet",
    "brand_logo": "a picture",
}
# What pages are asked by their query.
QUERIES: Final[dict[str, dict[str, str]]] = {
    "incident": {
        "domain": "example.net",
        "began_at": f"{NOW - timedelta(days=3):%Y-%m-%dT%H:%M}",
        "ended_at": f"{NOW:%Y-%m-%dT%H:%M}",
    },
    "delivery_explanation": {"external_id": PERSON},
    "landing_page_dry_run": {"external_id": PERSON, "page_language": "en"},
}
# The same page once more, about another thing: what it is called, and about what.
AGAIN: Final[dict[str, tuple[str, Mapping[str, str]]]] = {
    "delivery_detail": ("sent", {"delivery_id": "sent_delivery_id"}),
    "delivery_log": ("sent", {"delivery_id": "sent_delivery_id"}),
}


class MissingExample(LookupError):
    """A page whose address says something that no example is known for."""


@dataclass(frozen=True)
class Shot:
    """One page to take: how its pictures are called, and where it is."""

    name: str
    path: str


def shots(known: Mapping[str, object]) -> list[Shot]:
    """List every page to take. Raises MissingExample with a sentence."""
    found = []
    for name, keys in pictured().items():
        found.append(Shot(title_of(name), path_of(name, keys, known)))
        if name in AGAIN:
            suffix, other = AGAIN[name]
            swapped = {**known, **{key: known[of] for key, of in other.items()}}
            title = f"{title_of(name)}-{suffix}"
            found.append(Shot(title, path_of(name, keys, swapped)))
    return found


def pictured() -> dict[str, tuple[str, ...]]:
    """Name the pages with a picture, in the order of the doors, and their keys."""
    keys = dict(routes(get_resolver().url_patterns))
    public = [name for name, _keys in routes(urls_public.urlpatterns)]
    console = [name for name, door in acts.DOORS.items() if door.look is not None]
    names = [name for name in (*console, *public) if name not in WITHOUT_PICTURE]
    return {name: keys[name] for name in names}


def routes(
    patterns: list[URLPattern | URLResolver],
    space: str = "",
    above: tuple[str, ...] = (),
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """List the name of every URL, and what it wants to know."""
    for pattern in patterns:
        keys = (*above, *pattern.pattern.regex.groupindex)
        if isinstance(pattern, URLResolver):
            inner = f"{pattern.namespace}:" if pattern.namespace else space
            yield from routes(pattern.url_patterns, inner, keys)
        elif pattern.name:
            yield f"{space}{pattern.name}", keys


def title_of(name: str) -> str:
    """Give the name of a page as that of a file."""
    return name.replace(":", "-").replace("_", "-")


def path_of(name: str, keys: tuple[str, ...], known: Mapping[str, object]) -> str:
    """Fill the address of a page in. Raises MissingExample with a sentence."""
    kwargs = {}
    for key in keys:
        # What one page means by a key comes before what all others do.
        value = known.get(f"{name}.{key}", known.get(key))
        if value is None:
            raise MissingExample(
                f"The page “{name}” wants “{key}” in its address, and there is no"
                " example of it. Add a line to THINGS in tools/screenshots/pages.py,"
                " or the page to WITHOUT_PICTURE with the reason."
            )
        kwargs[key] = value
    query = urlencode(QUERIES.get(name, {}))
    return reverse(name, kwargs=kwargs) + (f"?{query}" if query else "")


def things() -> dict[str, object]:
    """Give one example of everything that an address can be about."""
    return {key: find() for key, find in THINGS.items()}


def has_example(name: str, key: str) -> bool:
    """Say whether it is known what a page means by a key of its address."""
    return f"{name}.{key}" in THINGS or key in THINGS


def _sent() -> int:
    return Delivery.objects.get(status=DeliveryStatus.FINISHED).pk


def _page(page_type: PageType) -> LandingPage:
    return LandingPage.objects.get(type=page_type)


def _person(external_id: str) -> int:
    return Profile.objects.get(external_id=external_id).pk


def _opted_out() -> int:
    people = Profile.objects.filter(opt_outs__channel=Channel.EMAIL)
    return people.earliest("external_id").pk


def _bounced() -> int:
    return QuarantinedAddress.objects.filter(source=Source.BOUNCE).earliest("pk").pk


def _token(purpose: Purpose) -> str:
    person = _person(PERSON)
    return tokens.make(Link(person, Channel.EMAIL, NOW - timedelta(days=1)), purpose)


def _confirmation() -> str:
    return confirmation.url_of(SignUp.objects.get()).rpartition("/")[2]


# What a key of an address means: everywhere, or on one page.
THINGS: Final[dict[str, Callable[[], object]]] = {
    "profile_id": lambda: _person(PERSON),
    "opt_outs.profile_id": _opted_out,
    # Couples share a mailbox.
    "merge_profiles.profile_id": lambda: _person("EX-00107"),
    "other_id": lambda: _person("EX-00108"),
    "address_id": _bounced,
    "delivery_id": lambda: Delivery.objects.earliest("pk").pk,
    "sent_delivery_id": _sent,
    "delivery_message.delivery_id": _sent,
    "burst_id": lambda: Burst.objects.get().pk,
    "service_id": lambda: Service.objects.earliest("pk").pk,
    "page_id": lambda: _page(PageType.PREFERENCES).pk,
    "brand_id": lambda: _page(PageType.PREFERENCES).brand_id,
    "upload_id": lambda: Upload.objects.get().pk,
    "batch_id": lambda: QuarantineBatch.objects.earliest("pk").pk,
    "inbound_id": lambda: Inbound.objects.earliest("pk").pk,
    "language": lambda: "en",
    "number": lambda: 1,
    "app_label": lambda: "auth",
    "admin:auth_user_change.object_id": lambda: User.objects.get().pk,
    "admin:auth_user_history.object_id": lambda: User.objects.get().pk,
    "admin:auth_user_password_change.id": lambda: User.objects.get().pk,
    "admin:auth_group_change.object_id": lambda: Group.objects.latest("pk").pk,
    "admin:auth_group_delete.object_id": lambda: Group.objects.latest("pk").pk,
    "admin:auth_group_history.object_id": lambda: Group.objects.latest("pk").pk,
    # Public pages, by their tokens
    "one_click.token": lambda: _token(Purpose.ONE_CLICK),
    "stop.token": lambda: _token(Purpose.STOP),
    "preferences.token": lambda: _token(Purpose.PREFERENCES),
    "own_page.token": lambda: _token(Purpose.PREFERENCES),
    "confirmation.token": _confirmation,
    "own_page.public_id": lambda: _page(PageType.PREFERENCES).public_id,
    "public_page.public_id": lambda: _page(PageType.SUBSCRIBE).public_id,
}
