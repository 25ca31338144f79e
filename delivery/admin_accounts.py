"""Accounts and groups in the records: what an administrator may do, and may not.

Only a superuser can make a superuser, give rights to a single account, or touch the
account of one. Nobody gives roles to themselves. Shipped groups are ruled by
delivery.roles; other groups are free.
"""

from typing import TYPE_CHECKING, Any, cast

from axes.utils import reset as lift_lock
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_otp.plugins.otp_totp import admin as totp_admin

from delivery import audit, roles, second_factor

if TYPE_CHECKING:
    AnyUserAdmin = UserAdmin[User]
else:
    AnyUserAdmin = UserAdmin

admin.site.unregister(User)
admin.site.unregister(Group)
# It would show the secrets.
admin.site.unregister(totp_admin.TOTPDevice)


@admin.register(User)
class AccountAdmin(AnyUserAdmin):
    list_display = ["username", "first_name", "last_name", "is_active", "last_login"]
    list_filter = ["groups", "is_active"]
    actions = ["take_second_factor", "let_in_again"]

    def get_readonly_fields(
        self, request: HttpRequest, obj: User | None = None
    ) -> list[str]:
        fields = ["last_login", "date_joined"]
        if not _is_superuser(request):
            fields += ["is_superuser", "user_permissions"]
            if obj is not None and obj.pk == request.user.pk:
                fields += ["groups", "is_staff", "is_active"]
        return fields

    def has_change_permission(
        self, request: HttpRequest, obj: User | None = None
    ) -> bool:
        is_above = obj is not None and obj.is_superuser and not _is_superuser(request)
        return not is_above and super().has_change_permission(request, obj)

    def has_delete_permission(
        self, request: HttpRequest, obj: User | None = None
    ) -> bool:
        # The trail and the deliveries name accounts: they are switched off instead.
        return False

    def has_reset_permission(self, request: HttpRequest) -> bool:
        return cast(User, request.user).has_perm("delivery.reset_secondfactor")

    @admin.action(
        description=gettext_lazy("Take the second factor from these accounts"),
        permissions=["reset"],
    )
    def take_second_factor(
        self, request: HttpRequest, queryset: QuerySet[User]
    ) -> None:
        accounts = _below(request, queryset)
        for account in accounts:
            second_factor.reset(account)
        _report(request, accounts, "second_factor_reset")
        messages.success(
            request,
            _("%(count)s accounts set up a new second factor at their next sign-in.")
            % {"count": len(accounts)},
        )

    @admin.action(
        description=gettext_lazy("Lift the lock of sign-in of these accounts"),
        permissions=["change"],
    )
    def let_in_again(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        accounts = _below(request, queryset)
        for account in accounts:
            lift_lock(username=account.get_username())
        _report(request, accounts, "lock_lifted")
        messages.success(
            request,
            _("%(count)s accounts can sign in again.") % {"count": len(accounts)},
        )


@admin.register(Group)
class RoleAdmin(GroupAdmin):
    def has_change_permission(
        self, request: HttpRequest, obj: Group | None = None
    ) -> bool:
        return not _is_ruled(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(
        self, request: HttpRequest, obj: Group | None = None
    ) -> bool:
        return not _is_ruled(obj) and super().has_delete_permission(request, obj)


def _is_superuser(request: HttpRequest) -> bool:
    return cast(User, request.user).is_superuser


def _is_ruled(group: Group | None) -> bool:
    return group is not None and roles.is_shipped(group)


def _below(request: HttpRequest, accounts: QuerySet[User]) -> list[User]:
    rows = accounts if _is_superuser(request) else accounts.filter(is_superuser=False)
    return list(rows.order_by("pk"))


def _report(request: HttpRequest, accounts: list[User], step: str) -> None:
    about: dict[str, Any] = audit.notes_of(request).about
    about.update(step=step, accounts=[account.pk for account in accounts])
