# What the project has to have before anything else: APIs, identities, secrets. A central team may own the first two
# (var.foundation).

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
    length(local.kms_uses) == 0 ? [] : ["cloudkms.googleapis.com"],
    var.front == null ? [] : ["compute.googleapis.com"],
    local.behind_iap ? ["iap.googleapis.com"] : [],
    local.makes_connector ? ["vpcaccess.googleapis.com"] : [],
  ))

  project_number = coalesce(var.foundation.project_number, one(data.google_project.this[*].number))

  # One identity for each job, so that each can do only its own. What they may do is iam.tf.
  service_accounts = merge(
    {
      http      = "runs the HTTP door"
      events    = "runs the events door"
      schedule  = "runs the schedule door"
      trigger   = "delivers storage events to the events door"
      scheduler = "calls the schedule door"
      build     = "builds the functions"
    },
    var.completion == null ? {} : { push = "pushes to completion.push_url" },
  )

  account = { for key in keys(local.service_accounts) : key => contains(keys(var.foundation.service_accounts), key) ? {
    email  = var.foundation.service_accounts[key]
    name   = "projects/${var.project_id}/serviceAccounts/${var.foundation.service_accounts[key]}"
    member = "serviceAccount:${var.foundation.service_accounts[key]}"
    } : {
    email  = google_service_account.this[key].email
    name   = google_service_account.this[key].name
    member = google_service_account.this[key].member
  } }

  segmind_secret_id = coalesce(var.segmind_api_key.secret_id, "${var.name}-segmind-api-key")
  has_api_keys      = var.access.auth == "keys"
  # Callers' own keys are kept as name:sha256-of-the-key: a reader of that secret still cannot call.
  own_secrets = merge(
    var.segmind_api_key.create ? { segmind_api_key = local.segmind_secret_id } : {},
    local.has_api_keys ? { api_keys = "${var.name}-api-keys" } : {},
  )
}

resource "google_project_service" "apis" {
  for_each = var.foundation.enable_apis ? local.apis : toset([])

  project = var.project_id
  service = each.value

  # The project was here before and others may use the same APIs.
  disable_on_destroy = false
}

# A freshly enabled API answers 403 for a moment. One that an option adds later gets its wait, too.
resource "time_sleep" "apis" {
  create_duration = "60s"
  triggers        = { apis = join(",", [for api in google_project_service.apis : api.service]) }
}

data "google_project" "this" {
  count = var.foundation.project_number == null ? 1 : 0

  project_id = var.project_id
}

# Asking for Cloud Storage's agent creates it, in a project that never had a bucket. Its name is known without: a
# value from here would be unknown in every plan that waits for an API, and would replace grants.
data "google_storage_project_service_account" "gcs" {
  project = var.project_id

  depends_on = [time_sleep.apis]
}

resource "google_service_account" "this" {
  for_each = { for key, about in local.service_accounts : key => about if !contains(keys(var.foundation.service_accounts), key) }

  project      = var.project_id
  account_id   = "${var.name}-${each.key}"
  display_name = "${var.name}: ${each.value}"

  depends_on = [time_sleep.apis]
}

# Secrets are created empty: a value that never passes through Terraform is in no state, plan or output. It is
# added with gcloud (docs/deploy.md). The write-only argument that could fill them needs Terraform 1.11 and an
# ephemeral variable; without the latter a saved plan would hold the key.

resource "google_secret_manager_secret" "own" {
  for_each = local.own_secrets

  project   = var.project_id
  secret_id = each.value
  labels    = var.labels

  replication {
    dynamic "auto" {
      for_each = local.regional_key == null ? [true] : []
      content {}
    }
    dynamic "user_managed" {
      for_each = local.regional_key[*]
      content {
        replicas {
          location = var.region
          customer_managed_encryption {
            kms_key_name = user_managed.value
          }
        }
      }
    }
  }

  depends_on = [time_sleep.apis, time_sleep.keys]
}

# Stops an apply whose secret is still empty here, in a second, instead of after three builds. Reads no value.
data "google_secret_manager_secret_version" "pinned" {
  for_each = local.mounted

  project           = var.project_id
  secret            = each.value.secret
  version           = each.value.version
  fetch_secret_data = false

  depends_on = [google_secret_manager_secret.own]

  lifecycle {
    postcondition {
      condition     = self.enabled
      error_message = "Version ${each.value.version} of the secret ${each.value.secret} is disabled: no instance would start with it. Enable it, or pin another."
    }
  }
}
