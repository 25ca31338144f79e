from django.contrib import admin
from django.contrib.auth import views as sign_in_views
from django.urls import include, path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from campaign import console

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="home"), name="root"),
    path("", include("optout.urls_public")),
    path("hooks/mail/", include("delivery.urls_hooks")),
    path("hooks/sms/", include("delivery.urls_sms")),
    path("console/", console.home, name="home"),
    path("console/on-their-way/", console.deliveries_on_their_way, name="on_their_way"),
    path(
        "console/sign-in/",
        sign_in_views.LoginView.as_view(template_name="console/sign_in.html"),
        name="sign_in",
    ),
    path("console/sign-out/", sign_in_views.LogoutView.as_view(), name="sign_out"),
    path("console/language/", set_language, name="set_language"),
    path("console/account/", include("delivery.urls_account")),
    path("console/help/", include("delivery.urls_help")),
    path("console/profiles/", include("delivery.urls_profiles")),
    path("console/opt-outs/to-decide/", include("delivery.urls_triage")),
    path("console/opt-outs/", include("optout.urls")),
    path("console/pages/", include("optout.urls_pages")),
    path("console/services/", include("optout.urls_subscribing")),
    path("console/quarantine/", include("quarantine.urls")),
    path("console/reports/", include("delivery.urls_reports")),
    path("console/", include("delivery.urls")),
    path("console/admin/login/", console.sign_in_to_admin),
    path("console/admin/", admin.site.urls),
]
