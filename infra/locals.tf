# What the three doors share. functions.tf has what differs.

locals {
  # Python's version is the one that the tests run on.
  runtime = "python311"

  # Before the platform cuts a request, the function has ended it by itself: the generation's own deadline plus
  # 85 s to claim, wait for memory, fetch and store (imagegen/timeouts.py). tests/deploy holds that this is more.
  timeout_seconds = var.generation.timeout_seconds + 90

  cpu    = tostring(var.sizing.cpu)
  memory = "${var.sizing.memory_mib}Mi"

  names = { for door in ["http", "events", "schedule"] : door => "${var.name}-${door}" }

  environment = {
    RESULTS_BUCKET              = google_storage_bucket.results.name
    UPLOADS_BUCKET              = google_storage_bucket.uploads.name
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
    # nobody records.
    DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA = "true"
  }

  # Who is asking is the HTTP door's question alone: Google's own services call the other two, and IAM lets in
  # nobody else. So these do without the callers' keys.
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

  secret_environment = {
    SEGMIND_API_KEY = { secret = local.segmind_secret_id, version = var.segmind_api_key.version }
  }

  http_secret_environment = merge(local.secret_environment, local.has_api_keys ? {
    API_KEYS = { secret = google_secret_manager_secret.api_keys[0].secret_id, version = var.access.api_keys_version }
  } : {})
}
