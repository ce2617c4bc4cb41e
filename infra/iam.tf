# Every grant there is, as tables. One resource applies each table; tests/iam.tftest.hcl repeats them whole.

locals {
  member         = { for key, account in google_service_account.this : key => account.member }
  gcs_agent      = data.google_storage_project_service_account.gcs.member
  eventarc_agent = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-eventarc.iam.gserviceaccount.com"

  # Where the platform copies a function's source to; it makes this bucket itself, so there is none to bind to yet.
  build_sources = "gcf-v2-sources-${data.google_project.this.number}-${var.region}"

  project_grants = {
    # Eventarc makes the topic that the bucket publishes to: no topic to bind to.
    gcs_agent_publishes = { role = "roles/pubsub.publisher", member = local.gcs_agent, only = null }
    # A service agent's role works on its project only.
    eventarc_agent = { role = "roles/eventarc.serviceAgent", member = local.eventarc_agent, only = null }
    # Eventarc looks for it on the project, whatever the trigger.
    trigger_receives = { role = "roles/eventarc.eventReceiver", member = local.member.trigger, only = null }
    # Log entries are written to the project.
    build_logs = { role = "roles/logging.logWriter", member = local.member.build, only = null }
    # On the project, but cut down to one bucket.
    build_reads_copies = { role = "roles/storage.objectViewer", member = local.member.build, only = local.build_sources }
  }

  # objectUser: claims are created, read, listed and, where nothing was billed, deleted.
  # uploads: jobs and references are created and read (also to see whether a write that was answered 412 was
  # our own); nobody of ours deletes there, the lifecycle does. Both roles that read may list as well: without,
  # Cloud Storage answers 403 instead of 404 for what is not there.
  bucket_grants = {
    http_results            = { bucket = google_storage_bucket.results.name, role = "roles/storage.objectUser", member = local.member.http }
    events_results          = { bucket = google_storage_bucket.results.name, role = "roles/storage.objectUser", member = local.member.events }
    schedule_results        = { bucket = google_storage_bucket.results.name, role = "roles/storage.objectUser", member = local.member.schedule }
    http_creates_uploads    = { bucket = google_storage_bucket.uploads.name, role = "roles/storage.objectCreator", member = local.member.http }
    http_reads_uploads      = { bucket = google_storage_bucket.uploads.name, role = "roles/storage.objectViewer", member = local.member.http }
    events_creates_uploads  = { bucket = google_storage_bucket.uploads.name, role = "roles/storage.objectCreator", member = local.member.events }
    events_reads_uploads    = { bucket = google_storage_bucket.uploads.name, role = "roles/storage.objectViewer", member = local.member.events }
    schedule_creates_jobs   = { bucket = google_storage_bucket.uploads.name, role = "roles/storage.objectCreator", member = local.member.schedule }
    schedule_reads_its_jobs = { bucket = google_storage_bucket.uploads.name, role = "roles/storage.objectViewer", member = local.member.schedule }
    build_reads_source      = { bucket = google_storage_bucket.source.name, role = "roles/storage.objectViewer", member = local.member.build }
  }

  secret_grants = merge(
    { for door in ["http", "events", "schedule"] : "${door}_segmind_api_key" => { secret = local.segmind_secret_id, member = local.member[door] } },
    local.has_api_keys ? { http_api_keys = { secret = local.http_secret_environment.API_KEYS.secret, member = local.member.http } } : {},
  )

  # Doors that sign URLs, as themselves: signBlob on nobody else. No predefined role has less than this one, and
  # on itself it gives an account nothing else that it does not have. The schedule door signs nothing.
  signing_doors = toset(["http", "events"])

  http_callers = setunion(var.access.invokers, var.access.allow_unauthenticated ? ["allUsers"] : [])
}

resource "google_project_iam_member" "project" {
  # checkov:skip=CKV_GCP_49:eventarc.serviceAgent is the role of Google's own agent and exists on projects only.
  for_each = local.project_grants

  project = var.project_id
  role    = each.value.role
  member  = each.value.member

  dynamic "condition" {
    for_each = each.value.only[*]
    content {
      title      = "only-${condition.value}"
      expression = "resource.name.startsWith(\"projects/_/buckets/${condition.value}\")"
    }
  }

  depends_on = [time_sleep.apis]
}

resource "google_storage_bucket_iam_member" "bucket" {
  for_each = local.bucket_grants

  bucket = each.value.bucket
  role   = each.value.role
  member = each.value.member
}

resource "google_secret_manager_secret_iam_member" "secret" {
  for_each = local.secret_grants

  project   = var.project_id
  secret_id = each.value.secret
  role      = "roles/secretmanager.secretAccessor"
  member    = each.value.member

  depends_on = [google_secret_manager_secret.segmind_api_key]
}

resource "google_service_account_iam_member" "signs_as_itself" {
  for_each = local.signing_doors

  service_account_id = google_service_account.this[each.key].name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.member[each.key]
}

resource "google_artifact_registry_repository_iam_member" "build" {
  project    = var.project_id
  location   = google_artifact_registry_repository.build.location
  repository = google_artifact_registry_repository.build.repository_id
  role       = "roles/artifactregistry.writer"
  member     = local.member.build
}

resource "google_kms_crypto_key_iam_member" "gcs" {
  count = var.storage.kms_key_name == null ? 0 : 1

  crypto_key_id = var.storage.kms_key_name
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = local.gcs_agent
}

# A function that is replaced gets a new Cloud Run service, and the grants on the old one are gone with it:
# without replace_triggered_by Terraform would not notice.

resource "google_cloud_run_v2_service_iam_member" "callers" {
  # allUsers comes only with access.allow_unauthenticated, which needs an AUTH mode and a cap.
  for_each = local.http_callers

  project  = var.project_id
  location = var.region
  name     = google_cloudfunctions2_function.http.name
  role     = "roles/run.invoker"
  member   = each.value

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.http.id]
  }
}

resource "google_cloud_run_v2_service_iam_member" "trigger" {
  project  = var.project_id
  location = var.region
  name     = google_cloudfunctions2_function.events.name
  role     = "roles/run.invoker"
  member   = local.member.trigger

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.events.id]
  }
}

resource "google_cloud_run_v2_service_iam_member" "scheduler" {
  project  = var.project_id
  location = var.region
  name     = google_cloudfunctions2_function.schedule.name
  role     = "roles/run.invoker"
  member   = local.member.scheduler

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.schedule.id]
  }
}

# IAM tells its own services late: a trigger that is made at once fails with "Permission denied while using the
# Eventarc Service Agent" (hashicorp/terraform-provider-google#25294), a build cannot read its source.
resource "time_sleep" "grants" {
  create_duration = "120s"
  triggers = {
    project  = join(",", [for key, grant in google_project_iam_member.project : "${key}=${grant.role}"])
    buckets  = join(",", [for key, grant in google_storage_bucket_iam_member.bucket : "${key}=${grant.role}"])
    secrets  = join(",", [for key, grant in google_secret_manager_secret_iam_member.secret : "${key}=${grant.secret_id}"])
    accounts = join(",", [for key, grant in google_service_account_iam_member.signs_as_itself : key])
    build    = google_artifact_registry_repository_iam_member.build.role
  }
}
