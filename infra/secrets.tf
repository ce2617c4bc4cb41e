# Secrets are created empty: a value that never passes through Terraform is in no state, plan or output. It is
# added with gcloud (docs/deploy.md). The write-only argument that could fill them needs Terraform 1.11 and an
# ephemeral variable; without the latter a saved plan would hold the key.

locals {
  segmind_secret_id = coalesce(var.segmind_api_key.secret_id, "${var.name}-segmind-api-key")
  has_api_keys      = var.access.auth == "keys"
}

resource "google_secret_manager_secret" "segmind_api_key" {
  count = var.segmind_api_key.create ? 1 : 0

  project   = var.project_id
  secret_id = local.segmind_secret_id
  labels    = var.labels

  replication {
    auto {}
  }

  depends_on = [time_sleep.apis]
}

# Callers' own keys, as name:sha256-of-the-key: whoever reads this secret still cannot call.
resource "google_secret_manager_secret" "api_keys" {
  count = local.has_api_keys ? 1 : 0

  project   = var.project_id
  secret_id = "${var.name}-api-keys"
  labels    = var.labels

  replication {
    auto {}
  }

  depends_on = [time_sleep.apis]
}

# Stops an apply whose secret is still empty here, in a second, instead of after three builds. Reads no value.
data "google_secret_manager_secret_version" "pinned" {
  for_each = local.http_secret_environment

  project           = var.project_id
  secret            = each.value.secret
  version           = each.value.version
  fetch_secret_data = false

  depends_on = [google_secret_manager_secret.segmind_api_key]
}
