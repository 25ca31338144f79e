"""The records of people, for those who must see or mend a single field."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from profiles.models import Profile

if TYPE_CHECKING:
    AnyModelAdmin = admin.ModelAdmin[Model]
    ProfileModelAdmin = admin.ModelAdmin[Profile]
else:
    AnyModelAdmin = ProfileModelAdmin = admin.ModelAdmin


class ReadOnlyAdmin(AnyModelAdmin):
    """Records that only a story may write: shown, never changed here."""

    # Millions of rows: no count of all of them beside the filtered ones.
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return False


@admin.register(Profile)
class ProfileAdmin(ProfileModelAdmin):
    """The fields of a person. Addresses come from files: their digest must follow."""

    list_display = ["__str__", "external_id", "country", "created_at"]
    search_fields = ["=external_id"]
    search_help_text = _("The whole external id. Search by name on the page Profiles.")
    show_full_result_count = False
    ordering = ["-pk"]
    # The postal address is made of these, and its digest with it: files only.
    readonly_fields = [
        *("street", "postcode", "city", "country"),
        *("created_at", "updated_at", "erased_at"),
    ]

    def has_delete_permission(
        self, request: HttpRequest, obj: Profile | None = None
    ) -> bool:
        # Profiles are emptied by erasure, never deleted: links must still resolve.
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: Profile | None = None
    ) -> bool:
        is_erased = obj is not None and obj.erased_at is not None
        return not is_erased and super().has_change_permission(request, obj)

    def save_model(
        self, request: HttpRequest, obj: Profile, form: ModelForm[Any], change: bool
    ) -> None:
        obj.updated_at = timezone.now()
        super().save_model(request, obj, form, change)
