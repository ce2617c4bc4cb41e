# Two buckets, never one: what the function writes into results must not be an event for itself.

locals {
  bucket_location = coalesce(var.storage.location, var.region)
  days            = var.storage.delete_after_days

  # First how a job was tried, then how it ended, last that it was claimed. In this order no key is bought again while
  # its end is still kept, and no trace of a call outlives the end that explains it.
  job_ends = ["/image.jpg", "/image.png", "/image.webp", "/result.json", "/lost.json", "/rejected", "/deleted.json"]
  results_rules = concat(
    local.days.results == null ? [] : [
      { prefix = ["jobs/"], suffix = ["/sent.json", "/submitted.json"], days = local.days.results - 1 },
      { prefix = ["jobs/"], suffix = local.job_ends, days = local.days.results },
      { prefix = ["jobs/"], suffix = [], days = local.days.results + 1 },
    ],
    [{ prefix = ["spend/"], suffix = [], days = local.days.spend }],
    # The account. No rule for open/: the sweep deletes a marker once its job has ended.
    local.days.ledger == null ? [] : [{ prefix = ["ledger/", "reports/", "settled/"], suffix = [], days = local.days.ledger }],
  )

  uploads_rules = concat(
    [
      { prefix = ["jobs/"], suffix = [], days = local.days.jobs },
      { prefix = ["references/"], suffix = [], days = local.days.references },
    ],
    # Photos with a prompt lie anywhere. A rule cannot say "everything else", so this one is the longest.
    local.days.photos == null ? [] : [{ prefix = [], suffix = [], days = local.days.photos }],
  )

  origins = var.access.cors_origins

  buckets = {
    results = {
      rules = local.results_rules
      # fetch() of an image's URL. Behind the redirect of /content, from one foreign origin to another, a browser's
      # Origin is "null". The URL's signature is what protects the image, not its reader's origin.
      cors = {
        origins = contains(local.origins, "*") ? ["*"] : concat(local.origins, ["null"])
        methods = ["GET", "HEAD"]
        headers = ["Content-Type", "Content-Length", "Content-Range", "ETag"]
      }
    }
    uploads = {
      rules = local.uploads_rules
      # A browser PUTs a reference image straight into the bucket, at a signed URL.
      cors = {
        origins = local.origins
        methods = ["PUT"]
        headers = ["Content-Type", "x-goog-content-length-range", "x-goog-if-generation-match"]
      }
    }
  }
}

resource "google_storage_bucket" "kept" {
  # checkov:skip=CKV_GCP_62:Data access audit logs say who read what; they are the project's decision.
  # checkov:skip=CKV_GCP_78:Results are written once, an upload under an existing name is a new event; soft delete brings back a deleted one.
  for_each = local.buckets

  project                     = var.project_id
  name                        = "${var.project_id}-${var.name}-${each.key}"
  location                    = local.bucket_location
  labels                      = var.labels
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = var.storage.force_destroy

  soft_delete_policy {
    retention_duration_seconds = var.storage.soft_delete_days * 24 * 60 * 60
  }

  dynamic "encryption" {
    for_each = local.data_key[*]
    content {
      default_kms_key_name = encryption.value
    }
  }

  dynamic "lifecycle_rule" {
    for_each = each.value.rules
    content {
      action {
        type = "Delete"
      }
      condition {
        age            = lifecycle_rule.value.days
        matches_prefix = lifecycle_rule.value.prefix
        matches_suffix = lifecycle_rule.value.suffix
      }
    }
  }

  dynamic "cors" {
    for_each = length(local.origins) > 0 ? [each.value.cors] : []
    content {
      origin          = cors.value.origins
      method          = cors.value.methods
      response_header = cors.value.headers
      max_age_seconds = 3600
    }
  }

  depends_on = [time_sleep.apis, time_sleep.keys]
}
