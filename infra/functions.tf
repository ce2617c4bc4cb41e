# The three doors: one source, one shape, three entry points. What they share is locals.tf.

resource "google_cloudfunctions2_function" "http" {
  # checkov:skip=CKV_GCP_124:Callers come from outside (doors.http.ingress); IAM or AUTH decides who may.
  project     = var.project_id
  location    = var.region
  name        = local.names.http
  description = "Generates an image for a request"
  labels      = var.labels

  build_config {
    runtime           = local.runtime
    entry_point       = "generate_image"
    service_account   = google_service_account.this["build"].id
    docker_repository = google_artifact_registry_repository.build.id
    source {
      storage_source {
        bucket = google_storage_bucket.source.name
        object = google_storage_bucket_object.source.name
      }
    }
  }

  service_config {
    service_account_email            = google_service_account.this["http"].email
    available_cpu                    = local.cpu
    available_memory                 = local.memory
    max_instance_request_concurrency = var.sizing.concurrency
    min_instance_count               = var.doors.http.min_instances
    max_instance_count               = var.doors.http.max_instances
    timeout_seconds                  = local.timeout_seconds
    ingress_settings                 = var.doors.http.ingress
    all_traffic_on_latest_revision   = true
    environment_variables            = merge(local.environment, local.http_environment)

    dynamic "secret_environment_variables" {
      for_each = local.http_secret_environment
      content {
        project_id = var.project_id
        key        = secret_environment_variables.key
        secret     = secret_environment_variables.value.secret
        version    = secret_environment_variables.value.version
      }
    }
  }

  depends_on = [time_sleep.grants, data.google_secret_manager_secret_version.pinned]
}

resource "google_cloudfunctions2_function" "events" {
  # checkov:skip=CKV_GCP_124:ALLOW_INTERNAL_ONLY, which checkov does not see behind doors.events.ingress.
  project     = var.project_id
  location    = var.region
  name        = local.names.events
  description = "Generates an image for an object in the uploads bucket"
  labels      = var.labels

  build_config {
    runtime           = local.runtime
    entry_point       = "on_upload"
    service_account   = google_service_account.this["build"].id
    docker_repository = google_artifact_registry_repository.build.id
    source {
      storage_source {
        bucket = google_storage_bucket.source.name
        object = google_storage_bucket_object.source.name
      }
    }
  }

  service_config {
    service_account_email            = google_service_account.this["events"].email
    available_cpu                    = local.cpu
    available_memory                 = local.memory
    max_instance_request_concurrency = var.sizing.concurrency
    min_instance_count               = var.doors.events.min_instances
    max_instance_count               = var.doors.events.max_instances
    timeout_seconds                  = local.timeout_seconds
    ingress_settings                 = var.doors.events.ingress
    all_traffic_on_latest_revision   = true
    environment_variables            = local.environment

    dynamic "secret_environment_variables" {
      for_each = local.secret_environment
      content {
        project_id = var.project_id
        key        = secret_environment_variables.key
        secret     = secret_environment_variables.value.secret
        version    = secret_environment_variables.value.version
      }
    }
  }

  event_trigger {
    event_type            = "google.cloud.storage.object.v1.finalized"
    trigger_region        = lower(google_storage_bucket.uploads.location) # a storage trigger lives where its bucket does
    retry_policy          = "RETRY_POLICY_RETRY"                          # the platform's default is to lose the event
    service_account_email = google_service_account.this["trigger"].email
    event_filters {
      attribute = "bucket"
      value     = google_storage_bucket.uploads.name
    }
  }

  depends_on = [time_sleep.grants, data.google_secret_manager_secret_version.pinned]
}

resource "google_cloudfunctions2_function" "schedule" {
  # checkov:skip=CKV_GCP_124:ALLOW_INTERNAL_ONLY, which checkov does not see behind doors.schedule.ingress.
  project     = var.project_id
  location    = var.region
  name        = local.names.schedule
  description = "Queues what Cloud Scheduler asks for, and sweeps"
  labels      = var.labels

  build_config {
    runtime           = local.runtime
    entry_point       = "on_schedule"
    service_account   = google_service_account.this["build"].id
    docker_repository = google_artifact_registry_repository.build.id
    source {
      storage_source {
        bucket = google_storage_bucket.source.name
        object = google_storage_bucket_object.source.name
      }
    }
  }

  service_config {
    service_account_email            = google_service_account.this["schedule"].email
    available_cpu                    = local.cpu
    available_memory                 = local.memory
    max_instance_request_concurrency = var.sizing.concurrency
    min_instance_count               = var.doors.schedule.min_instances
    max_instance_count               = var.doors.schedule.max_instances
    timeout_seconds                  = local.timeout_seconds
    ingress_settings                 = var.doors.schedule.ingress
    all_traffic_on_latest_revision   = true
    environment_variables            = local.environment

    dynamic "secret_environment_variables" {
      for_each = local.secret_environment
      content {
        project_id = var.project_id
        key        = secret_environment_variables.key
        secret     = secret_environment_variables.value.secret
        version    = secret_environment_variables.value.version
      }
    }
  }

  depends_on = [time_sleep.grants, data.google_secret_manager_secret_version.pinned]
}
