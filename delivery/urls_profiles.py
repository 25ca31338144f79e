from django.urls import path

from delivery.views import merging, profiles

urlpatterns = [
    path("", profiles.profiles, name="profiles"),
    path("<int:profile_id>/", profiles.profile, name="profile"),
    path(
        "<int:profile_id>/quarantine/", profiles.quarantine_all, name="quarantine_all"
    ),
    path(
        "<int:profile_id>/timeline/", profiles.whole_timeline, name="profile_timeline"
    ),
    path("<int:profile_id>/proof/", profiles.consent_proof, name="consent_proof"),
    path(
        "<int:profile_id>/proof.csv",
        profiles.consent_proof_csv,
        name="consent_proof_csv",
    ),
    path(
        "<int:profile_id>/merge/<int:other_id>/", merging.merge, name="merge_profiles"
    ),
    path("<int:profile_id>/erase/", profiles.erase, name="erase_profile"),
]
