locals {
  schedule_url = google_cloudfunctions2_function.schedule.service_config[0].uri

  # Fields that are not set stay out of the body: null is not the same as missing.
  schedule_images = { for name, schedule in var.schedules : name => [
    for image in schedule.images : { for field, value in {
      promptText      = image.promptText
      ratio           = image.ratio
      referenceImages = [for reference in image.referenceImages : { for k, v in reference : k => v if v != null }]
    } : field => value if value != null }
  ] }

  # The sweep is the schedule without images.
  ticks = { for name, images in local.schedule_images : name => length(images) == 0 ? {
    about = "Ends what crashed instances left behind"
    path  = "/sweep"
    body  = jsonencode({})
    } : {
    about = "Queues ${length(images)} image(s)"
    path  = "/"
    body  = jsonencode({ name = name, images = images })
  } }
}

resource "google_cloud_scheduler_job" "this" {
  for_each = var.schedules

  project          = var.project_id
  region           = var.region
  name             = "${var.name}-${each.key}"
  description      = local.ticks[each.key].about
  schedule         = each.value.cron
  time_zone        = each.value.time_zone
  paused           = each.value.paused
  attempt_deadline = "${local.timeout_seconds}s"

  # A repeated tick pays nothing: its keys are made of the scheduled time, not of the attempt.
  retry_config {
    retry_count          = 5
    min_backoff_duration = "10s"
    max_backoff_duration = "300s"
    max_doublings        = 4
  }

  http_target {
    http_method = "POST"
    uri         = "${local.schedule_url}${local.ticks[each.key].path}"
    headers     = { "Content-Type" = "application/json" }
    body        = base64encode(local.ticks[each.key].body)

    # Cloud Run compares the audience with the service's own URL, whatever the path.
    oidc_token {
      service_account_email = google_service_account.this["scheduler"].email
      audience              = local.schedule_url
    }
  }

  depends_on = [google_cloud_run_v2_service_iam_member.scheduler]
}
