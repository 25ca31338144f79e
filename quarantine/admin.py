"""Records of the quarantine, to look at: the page Quarantine changes them."""

from django.contrib import admin

from profiles.admin import AddressRecords, ReadOnlyAdmin
from quarantine.models import (
    BlockedDomain,
    Cleaning,
    QuarantineBatch,
    QuarantinedAddress,
    QuarantineEvent,
)


@admin.register(QuarantinedAddress)
class QuarantinedAddressAdmin(AddressRecords, ReadOnlyAdmin):
    list_display = ["__str__", "address", "status", "reason", "source", "updated_at"]
    list_filter = ["channel", "status", "source"]
    search_fields = ["=address"]
    ordering = ["-updated_at"]


@admin.register(QuarantineEvent)
class QuarantineEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "event", "channel", "from_status", "to_status", "actor"]
    ordering = ["-pk"]


@admin.register(BlockedDomain)
class BlockedDomainAdmin(ReadOnlyAdmin):
    list_display = ["domain", "note", "created_by", "created_at"]
    search_fields = ["domain"]


@admin.register(QuarantineBatch)
class QuarantineBatchAdmin(ReadOnlyAdmin):
    list_display = ["domain", "began_at", "ended_at", "state", "count", "decided_by"]
    list_filter = ["state"]
    ordering = ["-created_at"]


@admin.register(Cleaning)
class CleaningAdmin(ReadOnlyAdmin):
    list_display = ["day", "started_at", "finished_at", "released_count"]
    ordering = ["-day"]
