"""The roles of the people who work here, as groups that every installation has.

The groups are what this table says after every migrate: what was added by hand is
taken away again, so that docs/reference/roles.md is true everywhere. Whoever needs
other rights gets a group of their own; an account can be in several.
"""

from enum import StrEnum
from typing import Final

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Role(StrEnum):
    """The name of a shipped group."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    MARKETER = "marketer"
    SENDER = "sender"
    COMPLIANCE = "compliance"
    ADMINISTRATOR = "administrator"


PURPOSES: Final[dict[Role, Promise]] = {
    Role.VIEWER: _("Looks at everything, with addresses hidden."),
    Role.OPERATOR: _("Serves people one at a time; tries files without writing."),
    Role.MARKETER: _("Prepares deliveries, services and pages; confirms nothing."),
    Role.SENDER: _("Confirms what others prepared, and puts pages online."),
    Role.COMPLIANCE: _("Decides in bulk, imports, exports, erases; reads the trail."),
    Role.ADMINISTRATOR: _("Manages accounts, and sees nobody’s data."),
}

_LOOK: Final = frozenset(
    {
        "profiles.view_profile",
        "quarantine.view_blockeddomain",
        "quarantine.view_quarantinedaddress",
        "optout.view_brand",
        "optout.view_burst",
        "optout.view_consentevent",
        "optout.view_landingpage",
        "optout.view_optout",
        "optout.view_service",
        "optout.view_stoprequest",
        "optout.view_subscription",
        "optout.view_upload",
        "delivery.view_delivery",
        "delivery.view_lanehold",
        "delivery.view_message",
    }
)
# What is done for one person who asks, with a reason and evidence where it weakens.
_SERVE: Final = frozenset(
    {
        "profiles.view_full_address",
        "quarantine.add_blockeddomain",
        "quarantine.add_quarantinedaddress",
        "quarantine.change_quarantinedaddress",
        "quarantine.release_quarantinedaddress",
        "optout.add_optout",
        "optout.add_subscription",
        "optout.add_upload",
        "optout.change_stoprequest",
        "optout.change_subscription",
        "optout.lift_optout",
        "optout.resubscribe_subscription",
        "optout.view_consentevidence",
        "delivery.change_triageitem",
        "delivery.pause_delivery",
        "delivery.view_inbound",
        "delivery.view_triageitem",
    }
)

RIGHTS: Final[dict[Role, frozenset[str]]] = {
    Role.VIEWER: _LOOK,
    Role.OPERATOR: _LOOK | _SERVE,
    Role.MARKETER: _LOOK
    | {
        "optout.add_brand",
        "optout.add_landingpage",
        "optout.add_service",
        "optout.change_brand",
        "optout.change_landingpage",
        "optout.change_service",
        "delivery.add_delivery",
        "delivery.analyse_delivery",
        "delivery.change_delivery",
        "delivery.send_proof",
    },
    Role.SENDER: _LOOK
    | {
        "optout.publish_landingpage",
        "delivery.confirm_delivery",
        "delivery.lift_lanehold",
        "delivery.pause_delivery",
        "delivery.send_proof",
    },
    Role.COMPLIANCE: _LOOK
    | _SERVE
    | {
        "profiles.erase_profile",
        "profiles.export_profile",
        "profiles.import_profile",
        "profiles.merge_profile",
        "quarantine.delete_blockeddomain",
        "quarantine.import_quarantinedaddress",
        "quarantine.release_denylisted",
        "quarantine.release_many",
        "optout.export_consentevent",
        "optout.import_subscription",
        "optout.reverse_burst",
        "delivery.change_inbound",
        "delivery.download_extraction",
        "delivery.export_consoleaction",
        "delivery.export_log",
        "delivery.view_consoleaction",
        "delivery.view_inbound_raw",
    },
    Role.ADMINISTRATOR: frozenset(
        {
            "auth.add_group",
            "auth.add_user",
            "auth.change_group",
            "auth.change_user",
            "auth.delete_group",
            "auth.view_group",
            "auth.view_user",
            "delivery.export_consoleaction",
            "delivery.reset_secondfactor",
            "delivery.view_consoleaction",
        }
    ),
}
_APPS: Final = ("profiles", "quarantine", "optout", "delivery", "auth")


def install_after_migrate(*, using: str = DEFAULT_DB_ALIAS, **kwargs: object) -> None:
    """Install the groups when post_migrate says that rights may have changed."""
    with connections[using].cursor() as cursor:
        tables = connections[using].introspection.table_names(cursor)
    if Group._meta.db_table in tables:
        install(using=using)


def install(*, using: str = DEFAULT_DB_ALIAS) -> None:
    """Give every shipped group the rights of the table, and no other."""
    for name in _APPS:
        # Django makes the rights of an app after its post_migrate, and of auth last.
        create_permissions(apps.get_app_config(name), verbosity=0, using=using)
    permissions = Permission.objects.using(using).select_related("content_type")
    known = {
        f"{each.content_type.app_label}.{each.codename}": each.pk
        for each in permissions.filter(content_type__app_label__in=_APPS)
    }
    with transaction.atomic(using=using):
        for role, rights in RIGHTS.items():
            group, _is_new = Group.objects.using(using).get_or_create(name=role.value)
            group.permissions.set([known[right] for right in sorted(rights)])


def is_shipped(group: Group) -> bool:
    """Say whether a group is one of the roles, which the table rules."""
    return group.name in set(Role)
