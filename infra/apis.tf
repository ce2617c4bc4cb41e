locals {
  apis = toset(concat(
    [
      "artifactregistry.googleapis.com",
      "cloudbuild.googleapis.com",
      "cloudfunctions.googleapis.com",
      "cloudresourcemanager.googleapis.com",
      "cloudscheduler.googleapis.com",
      "eventarc.googleapis.com",
      "iam.googleapis.com",
      "iamcredentials.googleapis.com",
      "logging.googleapis.com",
      "monitoring.googleapis.com",
      "pubsub.googleapis.com",
      "run.googleapis.com",
      "secretmanager.googleapis.com",
      "storage.googleapis.com",
    ],
    var.budget == null ? [] : ["billingbudgets.googleapis.com"],
  ))
}

resource "google_project_service" "apis" {
  for_each = local.apis

  project = var.project_id
  service = each.value

  # The project was here before and others may use the same APIs.
  disable_on_destroy = false
}

# A freshly enabled API answers 403 for a moment, and Google's service agents appear a little after it.
resource "time_sleep" "apis" {
  create_duration = "60s"

  depends_on = [google_project_service.apis]
}

data "google_project" "this" {
  project_id = var.project_id
}

# Asking for it creates it, in a project that never had a bucket.
data "google_storage_project_service_account" "gcs" {
  project = var.project_id

  depends_on = [time_sleep.apis]
}
