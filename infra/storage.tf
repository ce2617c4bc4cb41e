# Two buckets, never one: what the function writes into results must not be an event for itself.

locals {
  bucket_location = coalesce(var.storage.location, var.region)

  soft_delete_seconds = var.storage.soft_delete_days * 24 * 60 * 60

  # Only what has a number of days gets a rule.
  results_rules = { for prefix, days in {
    "jobs/"  = var.storage.delete_after_days.results
    "spend/" = var.storage.delete_after_days.spend
  } : prefix => days if days != null }

  uploads_rules = { for prefix, days in {
    "references/" = var.storage.delete_after_days.references
    "jobs/"       = var.storage.delete_after_days.jobs
  } : prefix => days if days != null }
}

resource "google_storage_bucket" "results" {
  # checkov:skip=CKV_GCP_62:Data access audit logs say who read what; they are the project's decision.
  # checkov:skip=CKV_GCP_78:Objects are written once, so there are no versions; soft delete brings back a deleted one.
  project                     = var.project_id
  name                        = "${var.project_id}-${var.name}-results"
  location                    = local.bucket_location
  labels                      = var.labels
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = var.storage.force_destroy

  soft_delete_policy {
    retention_duration_seconds = local.soft_delete_seconds
  }

  dynamic "encryption" {
    for_each = var.storage.kms_key_name[*]
    content {
      default_kms_key_name = encryption.value
    }
  }

  dynamic "lifecycle_rule" {
    for_each = local.results_rules
    content {
      action {
        type = "Delete"
      }
      condition {
        age            = lifecycle_rule.value
        matches_prefix = [lifecycle_rule.key]
      }
    }
  }

  depends_on = [time_sleep.apis, google_kms_crypto_key_iam_member.gcs]
}

resource "google_storage_bucket" "uploads" {
  # checkov:skip=CKV_GCP_62:Data access audit logs say who read what; they are the project's decision.
  # checkov:skip=CKV_GCP_78:An upload under an existing name is a new event; soft delete brings back the former.
  project                     = var.project_id
  name                        = "${var.project_id}-${var.name}-uploads"
  location                    = local.bucket_location
  labels                      = var.labels
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = var.storage.force_destroy

  soft_delete_policy {
    retention_duration_seconds = local.soft_delete_seconds
  }

  dynamic "encryption" {
    for_each = var.storage.kms_key_name[*]
    content {
      default_kms_key_name = encryption.value
    }
  }

  dynamic "lifecycle_rule" {
    for_each = local.uploads_rules
    content {
      action {
        type = "Delete"
      }
      condition {
        age            = lifecycle_rule.value
        matches_prefix = [lifecycle_rule.key]
      }
    }
  }

  # A browser PUTs a reference image straight into the bucket, at a signed URL.
  dynamic "cors" {
    for_each = length(var.access.cors_origins) > 0 ? [var.access.cors_origins] : []
    content {
      origin          = cors.value
      method          = ["PUT"]
      response_header = ["Content-Type", "x-goog-content-length-range", "x-goog-if-generation-match"]
      max_age_seconds = 3600
    }
  }

  depends_on = [time_sleep.apis, google_kms_crypto_key_iam_member.gcs]
}
