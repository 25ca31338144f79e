"""Records of consent, to look at: only stories write them."""

from django.contrib import admin

from optout.models import ConsentEvent, ConsentEvidence, OptOut, Upload
from profiles.admin import ReadOnlyAdmin


@admin.register(OptOut)
class OptOutAdmin(ReadOnlyAdmin):
    list_display = ["profile_id", "channel", "opted_out_at"]
    search_fields = ["=profile_id"]
    raw_id_fields = ["profile"]
    ordering = ["-pk"]


@admin.register(ConsentEvent)
class ConsentEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "profile_id", "direction", "channel", "source", "actor"]
    search_fields = ["=profile_id"]
    ordering = ["-pk"]


@admin.register(ConsentEvidence)
class ConsentEvidenceAdmin(ReadOnlyAdmin):
    list_display = ["hash", "profile_id", "created_at", "erased_at"]
    search_fields = ["=profile_id", "=hash"]
    ordering = ["-pk"]


@admin.register(Upload)
class UploadAdmin(ReadOnlyAdmin):
    list_display = ["file_name", "kind", "status", "created_by", "created_at"]
    list_select_related = ["created_by"]
    ordering = ["-pk"]
