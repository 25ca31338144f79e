from django.urls import path

from delivery.views import hooks

urlpatterns = [
    path("<slug:provider>", hooks.mail_hook, name="mail_hook"),
]
