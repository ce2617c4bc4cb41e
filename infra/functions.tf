# The three doors: one source, one shape, three entry points.

locals {
  # Seconds that a request may take beside the generation itself, step by step (imagegen/timeouts.py), and what the
  # platform gives on top, so that it never cuts what the function would have ended by itself. tests/deploy compares.
  waits = { body = 70, stage = 20, claim = 10, gate = 35, fetch = 15, store = 20, end = 5, platform = 5 }

  request_seconds = var.generation.timeout_seconds + sum(values(local.waits))
  sweep_seconds   = 1800 # as much as Cloud Scheduler waits for an answer

  doors = {
    http = {
      about       = "Generates an image for a request"
      entry_point = "generate_image"
      seconds     = local.request_seconds
      ingress     = coalesce(var.doors.http.ingress, var.front == null ? "ALLOW_ALL" : "ALLOW_INTERNAL_AND_GCLB")
      environment = merge(local.environment, local.http_environment)
      secrets     = local.mounted
      trigger     = false
    }
    events = {
      about       = "Generates an image for an object in the uploads bucket"
      entry_point = "on_upload"
      seconds     = local.request_seconds
      ingress     = var.doors.events.ingress
      environment = local.environment
      secrets     = local.secrets
      trigger     = true
    }
    schedule = {
      about       = "Queues what Cloud Scheduler asks for, sweeps and reconciles"
      entry_point = "on_schedule"
      seconds     = local.sweep_seconds
      ingress     = var.doors.schedule.ingress
      environment = local.environment
      secrets     = local.secrets
      trigger     = false
    }
  }

  names = { for door in ["http", "events", "schedule"] : door => "${var.name}-${door}" }

  # Every door's environment. A new variable is one line here.
  environment = merge(
    {
      RESULTS_BUCKET              = google_storage_bucket.kept["results"].name
      UPLOADS_BUCKET              = google_storage_bucket.kept["uploads"].name
      SEGMIND_API                 = var.generation.api
      SEGMIND_TIMEOUT_SECONDS     = tostring(var.generation.timeout_seconds)
      REFERENCE_DELIVERY          = var.generation.reference_delivery
      MAX_IMAGES_PER_DAY          = tostring(var.generation.images_per_day)
      MAX_IMAGES_PER_USER_PER_DAY = tostring(var.generation.images_per_user_per_day)
      EVENT_MAX_AGE_SECONDS       = tostring(var.generation.event_max_age_seconds)
      SIGNED_URL_TTL_SECONDS      = tostring(var.storage.signed_url_ttl_seconds)
      MAX_BODIES_IN_MEMORY        = tostring(var.sizing.bodies_in_memory)
      THREADS                     = tostring(var.sizing.concurrency)
      LOG_LEVEL                   = var.log_level
      GOOGLE_CLOUD_PROJECT        = var.project_id

      # Our lines are Cloud Logging's JSON already; the framework's own wrapping loses those at INFO.
      LOG_EXECUTION_ID = "false"

      # The storage client would ask for each bucket's metadata, which no door has a role for, to label traces that
      # nothing records.
      DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA = "true"
    },
    var.generation.history_url == null ? {} : {
      SEGMIND_HISTORY_URL = var.generation.history_url
    },
  )

  # Who is asking is the HTTP door's question alone: Google's own services call the other two, and IAM lets in
  # no other caller. So these do without the callers' keys.
  http_environment = merge(
    {
      AUTH         = var.access.auth
      CORS_ORIGINS = join(",", var.access.cors_origins)
      PLAYGROUND   = var.access.playground ? "1" : "0"
    },
    var.access.oidc == null ? {} : {
      OIDC_ISSUER   = var.access.oidc.issuer
      OIDC_AUDIENCE = var.access.oidc.audience
    },
  )

  secrets = {
    SEGMIND_API_KEY = { secret = local.segmind_secret_id, version = var.segmind_api_key.version }
  }

  http_secrets = local.has_api_keys ? {
    API_KEYS = { secret = google_secret_manager_secret.own["api_keys"].secret_id, version = var.access.api_keys_version }
  } : {}

  mounted = merge(local.secrets, local.http_secrets)
}

resource "google_cloudfunctions2_function" "door" {
  # checkov:skip=CKV_GCP_124:Two doors are ALLOW_INTERNAL_ONLY, which checkov does not see; callers of the third come from outside, and IAM or AUTH decides who may.
  for_each = local.doors

  project      = var.project_id
  location     = var.region
  name         = local.names[each.key]
  description  = each.value.about
  labels       = var.labels
  kms_key_name = local.regional_key

  build_config {
    runtime           = var.runtime
    entry_point       = each.value.entry_point
    service_account   = local.account.build.name
    docker_repository = google_artifact_registry_repository.build.id
    worker_pool       = var.foundation.worker_pool
    source {
      storage_source {
        bucket = google_storage_bucket.source.name
        object = google_storage_bucket_object.source.name
      }
    }
  }

  service_config {
    service_account_email            = local.account[each.key].email
    available_cpu                    = tostring(var.sizing.cpu)
    available_memory                 = "${var.sizing.memory_mib}Mi"
    max_instance_request_concurrency = var.sizing.concurrency
    min_instance_count               = var.doors[each.key].min_instances
    max_instance_count               = var.doors[each.key].max_instances
    timeout_seconds                  = each.value.seconds
    ingress_settings                 = each.value.ingress
    all_traffic_on_latest_revision   = true
    environment_variables            = each.value.environment
    vpc_connector                    = local.connector
    vpc_connector_egress_settings    = local.connector_egress

    dynamic "secret_environment_variables" {
      for_each = each.value.secrets
      content {
        project_id = var.project_id
        key        = secret_environment_variables.key
        secret     = secret_environment_variables.value.secret
        version    = secret_environment_variables.value.version
      }
    }
  }

  dynamic "event_trigger" {
    for_each = each.value.trigger ? [google_storage_bucket.kept["uploads"]] : []
    content {
      event_type            = "google.cloud.storage.object.v1.finalized"
      trigger_region        = lower(event_trigger.value.location) # a storage trigger lives where its bucket does
      retry_policy          = "RETRY_POLICY_RETRY"                # the platform's default is to lose the event
      service_account_email = local.account.trigger.email
      event_filters {
        attribute = "bucket"
        value     = event_trigger.value.name
      }
    }
  }

  depends_on = [time_sleep.grants, data.google_secret_manager_secret_version.pinned]
}
