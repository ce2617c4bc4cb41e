# Every grant there is, as tables. One resource applies each table; tests/iam.tftest.hcl repeats them whole.

locals {
  # Google's own agents. Each exists once its service has been used, or was asked for (docs/deploy.md).
  agent = { for service, host in {
    functions = "gcf-admin-robot"
    gcs       = "gs-project-accounts"
    iap       = "gcp-sa-iap"
    pubsub    = "gcp-sa-pubsub"
    registry  = "gcp-sa-artifactregistry"
    run       = "serverless-robot-prod"
    secrets   = "gcp-sa-secretmanager"
  } : service => "serviceAccount:service-${local.project_number}@${host}.iam.gserviceaccount.com" }

  # Where the platform copies a function's source to; it makes this bucket itself, so there is none to bind to yet.
  build_sources = "gcf-v2-sources-${local.project_number}-${var.region}"

  project_grants = merge({
    # Eventarc makes the topic that the bucket publishes to: no topic to bind to.
    gcs_agent_publishes = { role = "roles/pubsub.publisher", member = local.agent.gcs, only = null }
    # Eventarc looks for it on the project, for every kind of trigger.
    trigger_receives = { role = "roles/eventarc.eventReceiver", member = local.account.trigger.member, only = null }
    # Log entries are written to the project.
    build_logs = { role = "roles/logging.logWriter", member = local.account.build.member, only = null }
    # On the project, but cut down to one bucket.
    build_reads_copies = { role = "roles/storage.objectViewer", member = local.account.build.member, only = {
      title      = local.build_sources
      expression = "resource.name.startsWith(\"projects/_/buckets/${local.build_sources}\")"
    } }
    },
    # On the project, but cut down to the front's names.
    { for person in var.front == null ? [] : var.front.members : "iap ${person}" => { role = "roles/iap.httpsResourceAccessor", member = person, only = {
      title      = "${var.name}-front"
      expression = join(" || ", [for domain in var.front.domains : "request.host == \"${domain}\""])
    } } },
  )

  # objectUser: claims are created, read, listed and, where nothing was billed, deleted.
  # uploads: jobs and references are created and read (also to see whether a write that was answered 412 was
  # our own); no door deletes there, the lifecycle does. Both roles that read may list as well: without,
  # Cloud Storage answers 403 instead of 404 for what is not there.
  bucket_grants = {
    http_results            = { bucket = google_storage_bucket.kept["results"].name, role = "roles/storage.objectUser", member = local.account.http.member }
    events_results          = { bucket = google_storage_bucket.kept["results"].name, role = "roles/storage.objectUser", member = local.account.events.member }
    schedule_results        = { bucket = google_storage_bucket.kept["results"].name, role = "roles/storage.objectUser", member = local.account.schedule.member }
    http_creates_uploads    = { bucket = google_storage_bucket.kept["uploads"].name, role = "roles/storage.objectCreator", member = local.account.http.member }
    http_reads_uploads      = { bucket = google_storage_bucket.kept["uploads"].name, role = "roles/storage.objectViewer", member = local.account.http.member }
    events_creates_uploads  = { bucket = google_storage_bucket.kept["uploads"].name, role = "roles/storage.objectCreator", member = local.account.events.member }
    events_reads_uploads    = { bucket = google_storage_bucket.kept["uploads"].name, role = "roles/storage.objectViewer", member = local.account.events.member }
    schedule_creates_jobs   = { bucket = google_storage_bucket.kept["uploads"].name, role = "roles/storage.objectCreator", member = local.account.schedule.member }
    schedule_reads_its_jobs = { bucket = google_storage_bucket.kept["uploads"].name, role = "roles/storage.objectViewer", member = local.account.schedule.member }
    build_reads_source      = { bucket = google_storage_bucket.source.name, role = "roles/storage.objectViewer", member = local.account.build.member }
  }

  secret_grants = merge(
    { for door in ["http", "events", "schedule"] : "${door}_segmind_api_key" => { secret = local.segmind_secret_id, member = local.account[door].member } },
    local.has_api_keys ? { http_api_keys = { secret = local.http_secrets.API_KEYS.secret, member = local.account.http.member } } : {},
  )

  # Pub/Sub's agent moves a message that could not be delivered: it publishes to the dead letters and acknowledges in
  # the subscription. Eventarc's own subscription is not known here (docs/deploy.md).
  topic_grants = merge(
    { for key, topic in google_pubsub_topic.dead : "${key}_dead" => { topic = topic.name, member = local.agent.pubsub } },
    { for key, topic in google_pubsub_topic.completion : "completion_${key}" => { topic = topic.name, member = local.agent.gcs } },
  )
  subscription_grants = { for key, subscription in google_pubsub_subscription.completion : "completion_${key}" => { subscription = subscription.name, member = local.agent.pubsub } }

  # Doors that sign URLs, as themselves: signBlob on no other account. No predefined role has less than this one, and
  # on itself it gives an account nothing else that it does not have. The schedule door signs nothing.
  signing_doors = toset(["http", "events"])

  http_callers = setunion(
    var.access.invokers,
    var.access.allow_unauthenticated ? ["allUsers"] : [],
    local.behind_iap ? [local.agent.iap] : [],
  )

  # One key for images and uploads, where they are; one for everything that lives in the region.
  data_key     = try(coalesce(var.storage.kms_key_name, var.foundation.kms_key_name), null)
  regional_key = var.foundation.kms_key_name

  kms_uses = merge(
    local.data_key == null ? {} : { gcs = { key = local.data_key, agent = "gcs" } },
    local.regional_key == null ? {} : { for agent in ["functions", "registry", "run", "secrets"] : agent => { key = local.regional_key, agent = agent } },
    local.regional_key == null || local.regional_key == local.data_key ? {} : { gcs_source = { key = local.regional_key, agent = "gcs" } },
    local.regional_key == null || length(local.dead_letters) == 0 ? {} : { pubsub = { key = local.regional_key, agent = "pubsub" } },
  )
}

resource "google_project_iam_member" "project" {
  for_each = { for key, grant in local.project_grants : key => grant if var.foundation.project_grants }

  project = var.project_id
  role    = each.value.role
  member  = each.value.member

  dynamic "condition" {
    for_each = each.value.only[*]
    content {
      title      = "only-${condition.value.title}"
      expression = condition.value.expression
    }
  }

  depends_on = [time_sleep.apis, data.google_storage_project_service_account.gcs]
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

  depends_on = [google_secret_manager_secret.own]
}

resource "google_service_account_iam_member" "signs_as_itself" {
  for_each = local.signing_doors

  service_account_id = local.account[each.key].name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.account[each.key].member
}

resource "google_artifact_registry_repository_iam_member" "build" {
  project    = var.project_id
  location   = google_artifact_registry_repository.build.location
  repository = google_artifact_registry_repository.build.repository_id
  role       = "roles/artifactregistry.writer"
  member     = local.account.build.member
}

resource "google_pubsub_topic_iam_member" "publishes" {
  for_each = local.topic_grants

  project = var.project_id
  topic   = each.value.topic
  role    = "roles/pubsub.publisher"
  member  = each.value.member

  depends_on = [data.google_storage_project_service_account.gcs]
}

resource "google_pubsub_subscription_iam_member" "forwards" {
  for_each = local.subscription_grants

  project      = var.project_id
  subscription = each.value.subscription
  role         = "roles/pubsub.subscriber"
  member       = each.value.member
}

resource "google_kms_crypto_key_iam_member" "agent" {
  for_each = { for use, key in local.kms_uses : use => key if var.foundation.kms_grants }

  crypto_key_id = each.value.key
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = local.agent[each.value.agent]

  depends_on = [data.google_storage_project_service_account.gcs]
}

# A function that is replaced gets a new Cloud Run service, and the grants on the old one are gone with it:
# without replace_triggered_by Terraform would not notice.

resource "google_cloud_run_v2_service_iam_member" "callers" {
  # allUsers comes only with access.allow_unauthenticated, which needs an AUTH mode and a cap.
  for_each = local.http_callers

  project  = var.project_id
  location = var.region
  name     = google_cloudfunctions2_function.door["http"].name
  role     = "roles/run.invoker"
  member   = each.value

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.door["http"].id]
  }
}

resource "google_cloud_run_v2_service_iam_member" "platform" {
  for_each = { events = "trigger", schedule = "scheduler" }

  project  = var.project_id
  location = var.region
  name     = google_cloudfunctions2_function.door[each.key].name
  role     = "roles/run.invoker"
  member   = local.account[each.value].member

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.door[each.key].id]
  }
}

# IAM tells its own services late: a trigger that is made at once fails, a build cannot read its source, a bucket
# cannot use its key.

resource "time_sleep" "keys" {
  count = length(google_kms_crypto_key_iam_member.agent) > 0 ? 1 : 0

  create_duration = "60s"
  triggers        = { for use, grant in google_kms_crypto_key_iam_member.agent : use => grant.crypto_key_id }
}

resource "time_sleep" "grants" {
  create_duration = "120s"
  triggers = {
    project  = join(",", [for key, grant in google_project_iam_member.project : "${key}=${grant.role}"])
    buckets  = join(",", [for key, grant in google_storage_bucket_iam_member.bucket : "${key}=${grant.role}"])
    secrets  = join(",", [for key, grant in google_secret_manager_secret_iam_member.secret : "${key}=${grant.secret_id}"])
    accounts = join(",", [for key, grant in google_service_account_iam_member.signs_as_itself : key])
    topics   = join(",", [for key, grant in google_pubsub_topic_iam_member.publishes : "${key}=${grant.role}"])
    build    = google_artifact_registry_repository_iam_member.build.role
  }
}
