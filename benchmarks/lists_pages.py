"""Every list of the console, on its first page, further down, and narrowed."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db.models import Max, Model
from django.urls import reverse
from django.utils import timezone

from benchmarks.lists_world import KNOWN
from delivery.forms import LogForm
from delivery.forms_account import TrailForm
from delivery.forms_inbound import InboundFilterForm
from delivery.models import ConsoleAction, Delivery, Inbound
from optout.models import Burst, LandingPage, Service
from profiles.models import Profile
from quarantine.forms import FilterForm
from quarantine.forms_incidents import FiguresForm
from quarantine.models import QuarantineBatch, QuarantinedAddress

Named = tuple[str, str]


def pages_of(delivery: Delivery) -> Iterator[Named]:
    """Give the name and the path of every page that is measured."""
    yield "home", reverse("home")
    yield from _people()
    yield from _quarantine()
    yield from _deliveries(delivery)
    yield from _inbound()
    yield from _trail()
    yield from _others()


def _people() -> Iterator[Named]:
    last = Profile.objects.aggregate(last=Max("pk"))["last"]
    known = Profile.objects.get(addresses__value=KNOWN).pk
    yield from _queries(
        "profiles",
        [
            {},
            {"after": last - 49},
            {"after": last // 2},
            {"before": last // 3},
            {"q": "Anna"},
            {"q": "Lind"},
            {"q": "B-0000"},
            {"q": "anna lind12"},
            {"q": KNOWN},
            {"q": "nobody at all"},
        ],
    )
    for name in ("profile", "profile_timeline", "consent_proof", "opt_outs"):
        yield name, reverse(name, args=[known])


def _quarantine() -> Iterator[Named]:
    far = _place(QuarantinedAddress, "updated_at")
    yield from _queries("quarantine", [{}, {"after": far}, {"before": far}])
    yield from _choices("quarantine", FilterForm())
    yield from _queries(
        "quarantine",
        [
            {"domain": "d7.example.com"},
            {"domain": "example.com"},
            {"domain": "nowhere.example.org"},
            {"text": KNOWN},
            {"text": ".example.com"},
            {"text": "person77"},
            {"text": "nobody-at-all"},
            {"text": "nobody-at-all", "status": 3, "reason": "unreachable"},
            {"status": 4, "reason": "mailbox_full", "domain": "d7.example.com"},
        ],
    )
    address = QuarantinedAddress.objects.latest("pk")
    yield "quarantine_address", reverse("quarantine_address", args=[address.pk])
    yield "incidents", reverse("incidents")
    batch = QuarantineBatch.objects.earliest("pk")
    yield "quarantine_batch", reverse("quarantine_batch", args=[batch.pk])
    yield "blocked_domains", reverse("blocked_domains")
    yield "quarantine_growth", reverse("quarantine_growth")
    for days in (30, 365):
        grouped = FiguresForm().fields["by"].choices
        yield from _queries(
            "quarantine_figures", [{"days": days, "by": each} for each, _ in grouped]
        )


def _deliveries(delivery: Delivery) -> Iterator[Named]:
    yield from _queries("delivery_list", [{}, {"after": 100}])
    path = [delivery.pk]
    names = ("delivery_detail", "delivery_progress", "sending_progress")
    for name in names:
        yield name, reverse(name, args=path)
    last = Profile.objects.aggregate(last=Max("pk"))["last"]
    log = [{}, {"after": last // 2}, {"before": last // 3}]
    yield from _queries("delivery_log", log, args=path)
    yield from _choices("delivery_log", LogForm(), args=path)
    searches = [
        {"q": KNOWN},
        {"q": "B-000000001"},
        {"q": "nobody"},
        {"reason": "opted_out_any", "counts": "first"},
        {"reason": "opted_out_any", "status": 4},
        {"reason": "opted_out_any", "outcome": "to_send"},
    ]
    yield from _queries("delivery_log", searches, args=path)
    yield from _queries("delivery_explanation", [{"external_id": "B-9"}], args=path)
    person = Profile.objects.earliest("pk").pk
    yield "delivery_message", reverse("delivery_message", args=[*path, person])


def _inbound() -> Iterator[Named]:
    row = Inbound.objects.latest("pk")
    yield from _queries("inbound_list", [{}, {"after": _place(Inbound, "received_at")}])
    yield from _choices("inbound_list", InboundFilterForm())
    address = QuarantinedAddress.objects.earliest("pk").pk
    searches = [{"source": "mailbox"}, {"source": "nowhere"}, {"address": address}]
    yield from _queries("inbound_list", searches)
    yield "inbound_detail", reverse("inbound_detail", args=[row.pk])
    yield "triage", reverse("triage")
    yield "lane_list", reverse("lane_list")


def _trail() -> Iterator[Named]:
    far = _place(ConsoleAction, "at")
    yield from _queries("audit_trail", [{}, {"after": far}, {"before": far}])
    yield from _choices("audit_trail", TrailForm())
    day = timezone.now().date() - timedelta(days=200)
    searches: list[dict[str, object]] = [
        {"actor": "operator7"},
        {"actor": "nobody"},
        {"action": "quarantine"},
        {"action": "nothing"},
        {"actor": "operator7", "action": "nothing"},
        {"until": day},
        {"since": day, "until": day, "outcome": "denied"},
    ]
    yield from _queries("audit_trail", searches)


def _others() -> Iterator[Named]:
    yield "bursts", reverse("bursts")
    yield "burst", reverse("burst", args=[Burst.objects.latest("pk").pk])
    yield "stop_requests", reverse("stop_requests")
    yield "service_list", reverse("service_list")
    service = reverse("service_detail", args=[Service.objects.earliest("pk").pk])
    yield "service_detail", service
    yield "service_detail after", f"{service}?after=500000"
    yield "landing_pages", reverse("landing_pages")
    page = LandingPage.objects.earliest("pk").pk
    yield "landing_page", reverse("landing_page", args=[page])
    yield "landing_page_dry_run", reverse("landing_page_dry_run", args=[page])
    yield "brands", reverse("brands")
    yield from _queries("upload_list", [{}, {"after": 100}])
    yield "accounts", reverse("admin:auth_user_changelist")
    user = User.objects.get(username="benchmark").pk
    yield "account", reverse("admin:auth_user_change", args=[user])


def _place(model: type[Model], key: str) -> str:
    """Give the place of a row in the middle of a list."""
    rows = model._default_manager.order_by("pk").values_list(key, "pk")
    row = rows[rows.count() // 2]
    return f"{row[0].isoformat()}~{row[1]}"


def _choices(name: str, form: object, *, args: list[int] | None = None) -> list[Named]:
    """Give the page narrowed by each choice of each of its filters."""
    chosen = [
        {field: value}
        for field, each in form.fields.items()  # type: ignore[attr-defined]
        for value, _label in getattr(each, "choices", ())
        if value != ""
    ]
    return _queries(name, chosen, args=args)


def _queries(
    name: str,
    queries: list[dict[str, object]],
    *,
    args: list[int] | None = None,
) -> list[Named]:
    path = reverse(name, args=args or [])
    return [
        (f"{name} {urlencode(each)}"[:48].strip(), f"{path}?{urlencode(each)}")
        for each in queries
    ]
