from django.urls import path

from delivery.views import account, audit

urlpatterns = [
    path("", account.account, name="account"),
    path("password/", account.change_password, name="change_password"),
    path("second-factor/", account.second_factor, name="second_factor"),
    path("second-factor/set-up/", account.set_up, name="second_factor_setup"),
    path("second-factor/off/", account.turn_off, name="second_factor_off"),
    path("recovery-codes/", account.recovery_codes, name="recovery_codes"),
    path("actions/", audit.audit_trail, name="audit_trail"),
    path("actions.csv", audit.audit_trail_csv, name="audit_trail_csv"),
]
