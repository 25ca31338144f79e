"""Records of deliveries, to look at. Messages have the log pages of the console."""

from django.contrib import admin

from delivery import admin_accounts  # noqa: F401
from delivery.models import Analysis, Audience, Delivery
from profiles.admin import ReadOnlyAdmin


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ["label", "channel", "created_at", "created_by"]
    list_select_related = ["created_by"]
    search_fields = ["label"]
    ordering = ["-pk"]


@admin.register(Analysis)
class AnalysisAdmin(ReadOnlyAdmin):
    list_display = [
        "delivery",
        "status",
        "started_at",
        "targeted_count",
        "to_send_count",
    ]
    list_select_related = ["delivery"]
    ordering = ["-pk"]


@admin.register(Audience)
class AudienceAdmin(ReadOnlyAdmin):
    list_display = ["pk", "kind"]
    ordering = ["-pk"]
