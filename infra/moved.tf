# What has another address since 0.1: an upgrade moves it in the state and changes nothing in the project.

moved {
  from = google_cloudfunctions2_function.http
  to   = google_cloudfunctions2_function.door["http"]
}

moved {
  from = google_cloudfunctions2_function.events
  to   = google_cloudfunctions2_function.door["events"]
}

moved {
  from = google_cloudfunctions2_function.schedule
  to   = google_cloudfunctions2_function.door["schedule"]
}

moved {
  from = google_storage_bucket.results
  to   = google_storage_bucket.kept["results"]
}

moved {
  from = google_storage_bucket.uploads
  to   = google_storage_bucket.kept["uploads"]
}

moved {
  from = google_secret_manager_secret.segmind_api_key[0]
  to   = google_secret_manager_secret.own["segmind_api_key"]
}

moved {
  from = google_secret_manager_secret.api_keys[0]
  to   = google_secret_manager_secret.own["api_keys"]
}

moved {
  from = google_cloud_run_v2_service_iam_member.trigger
  to   = google_cloud_run_v2_service_iam_member.platform["events"]
}

moved {
  from = google_cloud_run_v2_service_iam_member.scheduler
  to   = google_cloud_run_v2_service_iam_member.platform["schedule"]
}

moved {
  from = google_kms_crypto_key_iam_member.gcs[0]
  to   = google_kms_crypto_key_iam_member.agent["gcs"]
}

# Eventarc's own grant is Google's to make and everything in the project shares it: it leaves the state and stays in
# the project.
moved {
  from = google_project_iam_member.project["eventarc_agent"]
  to   = google_project_iam_member.eventarc_agent
}

removed {
  from = google_project_iam_member.eventarc_agent

  lifecycle {
    destroy = false
  }
}
