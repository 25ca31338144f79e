from django.urls import path

from delivery.reporting import catalogue
from delivery.views import reports

urlpatterns = [
    path("", reports.report_list, name="report_list"),
    *(
        path(f"{kind.slug}/", reports.report, {"kind": kind}, name=kind.url_name)
        for kind in catalogue.REPORTS
    ),
    *(
        path(
            f"{kind.slug}/download/",
            reports.report_csv,
            {"kind": kind},
            name=f"{kind.url_name}_csv",
        )
        for kind in catalogue.REPORTS
    ),
]
