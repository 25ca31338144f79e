from django.urls import path

from delivery.views import (
    deliveries,
    extractions,
    inbound,
    logs,
    proofs,
    sending,
    uploads,
)

urlpatterns = [
    path("deliveries/", deliveries.delivery_list, name="delivery_list"),
    path("deliveries/new/", deliveries.delivery_new, name="delivery_new"),
    path(
        "deliveries/<int:delivery_id>/",
        deliveries.delivery_detail,
        name="delivery_detail",
    ),
    path(
        "deliveries/<int:delivery_id>/progress/",
        deliveries.delivery_progress,
        name="delivery_progress",
    ),
    path(
        "deliveries/<int:delivery_id>/analyse/",
        deliveries.delivery_analyse,
        name="delivery_analyse",
    ),
    path(
        "deliveries/<int:delivery_id>/stop/",
        deliveries.delivery_stop,
        name="delivery_stop",
    ),
    path(
        "deliveries/<int:delivery_id>/content/",
        sending.delivery_content,
        name="delivery_content",
    ),
    path(
        "deliveries/<int:delivery_id>/preview/",
        proofs.delivery_preview,
        name="delivery_preview",
    ),
    path(
        "deliveries/<int:delivery_id>/preview/frame/",
        proofs.preview_frame,
        name="preview_frame",
    ),
    path(
        "deliveries/<int:delivery_id>/proofs/",
        proofs.delivery_proofs,
        name="delivery_proofs",
    ),
    path(
        "deliveries/<int:delivery_id>/confirm/",
        sending.delivery_confirm,
        name="delivery_confirm",
    ),
    path(
        "deliveries/<int:delivery_id>/messages/<int:profile_id>/",
        sending.delivery_message,
        name="delivery_message",
    ),
    path("deliveries/<int:delivery_id>/log/", logs.delivery_log, name="delivery_log"),
    path(
        "deliveries/<int:delivery_id>/log.csv",
        logs.delivery_log_csv,
        name="delivery_log_csv",
    ),
    path(
        "deliveries/<int:delivery_id>/explanation/",
        logs.delivery_explanation,
        name="delivery_explanation",
    ),
    path(
        "deliveries/<int:delivery_id>/acts/<slug:act>/",
        sending.delivery_act,
        name="delivery_act",
    ),
    path(
        "deliveries/<int:delivery_id>/sending/",
        sending.sending_progress,
        name="sending_progress",
    ),
    path(
        "deliveries/<int:delivery_id>/file/",
        extractions.extraction_download,
        name="extraction_download",
    ),
    path("inbound/", inbound.inbound_list, name="inbound_list"),
    path("inbound/<int:inbound_id>/", inbound.inbound_detail, name="inbound_detail"),
    path("inbound/<int:inbound_id>/raw", inbound.inbound_raw, name="inbound_raw"),
    path(
        "inbound/<int:inbound_id>/again/", inbound.inbound_again, name="inbound_again"
    ),
    path("lanes/", inbound.lane_list, name="lane_list"),
    path("lanes/<int:hold_id>/resume/", inbound.lane_lift, name="lane_lift"),
    path("uploads/", uploads.upload_list, name="upload_list"),
    path("uploads/new/", uploads.upload_new, name="upload_new"),
    path("uploads/<int:upload_id>/", uploads.upload_detail, name="upload_detail"),
    path(
        "uploads/<int:upload_id>/progress/",
        uploads.upload_progress,
        name="upload_progress",
    ),
    path("uploads/<int:upload_id>/stop/", uploads.upload_stop, name="upload_stop"),
    path("uploads/<int:upload_id>/start/", uploads.upload_start, name="upload_start"),
    path(
        "uploads/<int:upload_id>/report.csv",
        uploads.upload_report,
        name="upload_report",
    ),
]
