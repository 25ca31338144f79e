"""The records of people, for those who must see or mend a single field."""

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from profiles import showing
from profiles.models import Profile

if TYPE_CHECKING:
    AnyModelAdmin = admin.ModelAdmin[Model]
else:
    AnyModelAdmin = admin.ModelAdmin


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


class AddressRecords(AnyModelAdmin):
    """Records with addresses: for those only who may read them in full."""

    def has_view_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return showing.may_read(request) and super().has_view_permission(request, obj)

    def changelist_view(
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        showing.count(request)
        return super().changelist_view(request, extra_context)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        showing.count(request)
        return super().changeform_view(request, *args, **kwargs)


@admin.register(Profile)
class ProfileAdmin(AddressRecords):
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
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        # Profiles are emptied by erasure, never deleted: links must still resolve.
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        is_erased = isinstance(obj, Profile) and obj.erased_at is not None
        may = not is_erased and showing.may_read(request)
        return may and super().has_change_permission(request, obj)

    def save_model(
        self, request: HttpRequest, obj: Model, form: ModelForm[Any], change: bool
    ) -> None:
        cast(Profile, obj).updated_at = timezone.now()
        super().save_model(request, obj, form, change)
