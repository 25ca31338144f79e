from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class DeliveryConfig(AppConfig):
    name = "delivery"
    verbose_name = _("Deliveries")

    def ready(self) -> None:
        from delivery import audit_triggers, checks, roles, sessions  # noqa: F401

        post_migrate.connect(roles.install_after_migrate, sender=self)
        post_migrate.connect(audit_triggers.TRAIL.install_after_migrate, sender=self)
        user_logged_in.connect(sessions.begin)
