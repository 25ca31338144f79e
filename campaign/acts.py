"""Who may look at each page of the console, and who may act on it: one line a page.

The rights themselves are Django permissions, asked by each view; delivery.roles says
which role has which. This table says what that comes to. tests/test_roles.py tries
every role on every line, fails for a page that is not in it, and docs/draw.py draws
docs/reference/roles.md from it. The door (campaign.door) reads here which acts take
the password once more, and which posts change nothing.

Roles are letters: V viewer, O operator, M marketer, S sender, C compliance,
A administrator. A page that only answers POST has None instead of who may look.
"""

from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest
from django.urls import ResolverMatch

from delivery.roles import Role

LETTERS: Final = {role.value[0].upper(): role for role in Role}
ALL: Final = "VOMSCA"
LOOK: Final = "VOMSC"
NOBODY: Final = ""


@dataclass(frozen=True)
class Door:
    """Who may look, who may act, and what is asked before.

    `asks` is the method that takes the password again; with `asks_if_many`, only when
    the form has several values of that name. Otherwise than usual, a post that
    `changes` nothing leaves no row in the audit trail.
    """

    look: str | None
    act: str | None = None
    asks: str = ""
    asks_if_many: str = ""
    changes: bool = True


DOORS: Final[dict[str, Door]] = {
    # Sign-in and one's own account
    "home": Door(ALL),
    "on_their_way": Door(LOOK),
    "set_language": Door(ALL, ALL, changes=False),
    "sign_in": Door(ALL, ALL),
    "sign_out": Door(None, ALL),
    "account": Door(ALL),
    "help": Door(ALL),
    "glossary": Door(ALL),
    "change_password": Door(ALL, ALL),
    "second_factor": Door(ALL, ALL),
    "second_factor_setup": Door(ALL, ALL, asks="POST"),
    "recovery_codes": Door(None, ALL, asks="POST"),
    "second_factor_off": Door(None, ALL, asks="POST"),
    # The audit trail
    "audit_trail": Door("CA"),
    "audit_trail_csv": Door("CA", asks="GET"),
    # People
    "profiles": Door(LOOK),
    "profile": Door(LOOK),
    "profile_timeline": Door(LOOK),
    "merge_profiles": Door("C", "C", asks="POST"),
    "quarantine_all": Door(None, "OC"),
    "consent_proof": Door(LOOK),
    "consent_proof_csv": Door("C", asks="GET"),
    "erase_profile": Door(None, "C", asks="POST"),
    "opt_outs": Door("OC", "OC"),
    "subscribe": Door(None, "OC"),
    "unsubscribe": Door(None, "OC"),
    # Bursts of opt-outs, requests to stop
    "bursts": Door(LOOK),
    "burst": Door(LOOK),
    "burst_look": Door(None, "C"),
    "burst_reverse": Door(None, "C", asks="POST"),
    "burst_dismiss": Door(None, "C"),
    "stop_requests": Door(LOOK),
    "stop_request_close": Door(None, "OC"),
    # What came in, and what of it a person decides
    "inbound_list": Door("OC"),
    "inbound_detail": Door("OC"),
    "inbound_raw": Door("C", asks="GET"),
    "inbound_again": Door(None, "C"),
    "triage": Door("OC"),
    "triage_decide": Door(None, "OC"),
    # Quarantine
    "quarantine": Door(LOOK),
    "quarantine_add": Door("OC", "OC"),
    "quarantine_address": Door(LOOK, "OC"),
    "quarantine_release": Door(None, "OC", asks="POST", asks_if_many="address"),
    "incidents": Door(LOOK),
    "incident": Door(LOOK, "C", asks="POST"),
    "quarantine_batch": Door(LOOK),
    "quarantine_batch_confirm": Door(None, "C"),
    "quarantine_batch_discard": Door(None, "C", asks="POST"),
    "quarantine_batch_undo": Door(None, "C"),
    "quarantine_figures": Door(LOOK),
    # Counts alone, the same as on the page: nobody is named.
    "quarantine_figures_csv": Door(LOOK),
    "quarantine_growth": Door(LOOK),
    "blocked_domains": Door(LOOK, "OC"),
    "unblock_domain": Door(None, "C", asks="POST"),
    # Reports; each page asks for the right of its figures, which name nobody
    "report_list": Door(LOOK),
    "report_exclusions": Door(LOOK),
    "report_exclusions_csv": Door(LOOK),
    "report_bounces": Door(LOOK),
    "report_bounces_csv": Door(LOOK),
    "report_opt_outs": Door(LOOK),
    "report_opt_outs_csv": Door(LOOK),
    "report_services": Door(LOOK),
    "report_services_csv": Door(LOOK),
    "report_throughput": Door(LOOK),
    "report_throughput_csv": Door(LOOK),
    # Services
    "service_list": Door(LOOK),
    "service_detail": Door(LOOK),
    "service_new": Door("M", "M"),
    "service_edit": Door("M", "M"),
    # Landing pages and brands
    "landing_pages": Door(LOOK),
    "landing_page": Door(LOOK),
    "landing_page_new": Door("M", "M"),
    "landing_page_settings": Door("M", "M"),
    "landing_page_offer": Door("M", "M"),
    "landing_page_texts": Door("M", "M"),
    "add_page_language": Door(None, "M"),
    "remove_page_language": Door(None, "M"),
    "discard_draft": Door(None, "M"),
    "duplicate_page": Door(None, "M"),
    "publish_page": Door(None, "S"),
    "close_page": Door(None, "S"),
    "landing_page_preview": Door(LOOK),
    "landing_page_frame": Door(LOOK, LOOK, changes=False),
    "landing_page_version": Door(LOOK),
    "landing_page_dry_run": Door(LOOK),
    "brands": Door(LOOK),
    "brand_new": Door("M", "M"),
    "brand": Door("M", "M"),
    # Deliveries
    "delivery_list": Door(LOOK),
    "delivery_new": Door("M", "M"),
    "delivery_detail": Door(LOOK),
    "delivery_progress": Door(LOOK),
    "delivery_analyse": Door(None, "M"),
    "delivery_stop": Door(None, "M"),
    "delivery_content": Door("M", "M"),
    "delivery_preview": Door(LOOK),
    "preview_frame": Door(LOOK),
    "delivery_proofs": Door(None, "MS"),
    "delivery_confirm": Door("S", "S", asks="POST"),
    "delivery_act:pause": Door(None, "OSC"),
    "delivery_act:resume": Door(None, "S"),
    "delivery_act:withdraw": Door(None, "S"),
    "delivery_act:cancel": Door(None, "S"),
    "sending_progress": Door(LOOK),
    "delivery_message": Door(LOOK),
    "delivery_log": Door(LOOK),
    "delivery_log_csv": Door("C", asks="GET"),
    "delivery_explanation": Door(LOOK),
    "extraction_download": Door(None, "C", asks="POST"),
    "lane_list": Door(LOOK),
    "lane_lift": Door(None, "S"),
    # Files
    "upload_list": Door(LOOK),
    "upload_new": Door("OC", "OC"),
    "upload_detail": Door(LOOK),
    "upload_progress": Door(LOOK),
    "upload_stop": Door(None, "C"),
    "upload_start": Door(None, "C"),
    "upload_report": Door(LOOK),
    # The records: accounts and groups; all others are for superusers only
    "admin:index": Door("A", "A"),
    "admin:app_list": Door("A", "A"),
    "admin:jsi18n": Door("A"),
    "admin:autocomplete": Door("A"),
    "admin:logout": Door(None, "A"),
    "admin:password_change": Door("A", "A"),
    "admin:password_change_done": Door("A"),
    "admin:auth_user_changelist": Door("A", "A", asks="POST"),
    "admin:auth_user_add": Door("A", "A", asks="POST"),
    "admin:auth_user_change": Door("A", "A", asks="POST"),
    "admin:auth_user_password_change": Door("A", "A", asks="POST"),
    "admin:auth_user_history": Door("A", "A"),
    "admin:auth_group_changelist": Door("A", "A", asks="POST"),
    "admin:auth_group_add": Door("A", "A", asks="POST"),
    "admin:auth_group_change": Door("A", "A", asks="POST"),
    "admin:auth_group_delete": Door("A", "A", asks="POST"),
    "admin:auth_group_history": Door("A", "A"),
}
_CLOSED: Final = Door(NOBODY, NOBODY)


def name_of(match: ResolverMatch) -> str:
    """Name what a request is about: its URL, with the act where it has several."""
    act = match.kwargs.get("act")
    return f"{match.view_name}:{act}" if act else match.view_name


def door_of(name: str) -> Door:
    """Give the line of a page; what has none is closed to every role."""
    return DOORS.get(name, _CLOSED)


def takes_password(door: Door, request: HttpRequest) -> bool:
    """Say whether this request is one of the dangerous ones."""
    if not door.asks or request.method != door.asks:
        return False
    return not door.asks_if_many or len(request.POST.getlist(door.asks_if_many)) > 1
