from django.urls import path

from delivery.views import hooks_sms

urlpatterns = [
    path("incoming", hooks_sms.incoming, name="sms_incoming"),
    path("receipts", hooks_sms.receipt, name="sms_receipts"),
]
