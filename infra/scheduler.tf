locals {
  schedule_url = google_cloudfunctions2_function.door["schedule"].service_config[0].uri

  # Fields that are not set stay out of the body: null is not the same as missing.
  schedule_images = { for name, schedule in var.schedules : name => [
    for image in schedule.images : { for field, value in {
      promptText      = image.promptText
      ratio           = image.ratio
      referenceImages = [for reference in image.referenceImages : { for k, v in reference : k => v if v != null }]
    } : field => value if value != null }
  ] }

  # The sweep is the schedule without images. Without the vendor's history there is nothing to reconcile with.
  ticks = merge(
    { for name, images in local.schedule_images : name => length(images) == 0 ? {
      about = "Ends what crashed instances left behind"
      path  = "/sweep"
      body  = jsonencode({})
      } : {
      about = "Queues ${length(images)} image(s)"
      path  = "/"
      body  = jsonencode({ name = name, images = images })
    } },
    var.generation.history_url == "" ? {} : { reconcile = {
      about = "Compares yesterday's account with Segmind's"
      path  = "/reconcile"
      body  = jsonencode({})
    } },
  )

  times = merge({ for name, s in var.schedules : name => { cron = s.cron, time_zone = s.time_zone, paused = s.paused } }, { reconcile = var.reconcile })
}

resource "google_cloud_scheduler_job" "this" {
  for_each = local.ticks

  project          = var.project_id
  region           = var.region
  name             = "${var.name}-${each.key}"
  description      = each.value.about
  schedule         = local.times[each.key].cron
  time_zone        = local.times[each.key].time_zone
  paused           = local.times[each.key].paused
  attempt_deadline = "${local.sweep_seconds}s"

  # A repeated tick pays nothing: its keys are made of the scheduled time, not of the attempt.
  retry_config {
    retry_count          = 5
    min_backoff_duration = "10s"
    max_backoff_duration = "300s"
    max_doublings        = 4
  }

  http_target {
    http_method = "POST"
    uri         = "${local.schedule_url}${each.value.path}"
    headers     = { "Content-Type" = "application/json" }
    body        = base64encode(each.value.body)

    # Cloud Run compares the audience with the service's own URL, without any path.
    oidc_token {
      service_account_email = local.account.scheduler.email
      audience              = local.schedule_url
    }
  }

  depends_on = [google_cloud_run_v2_service_iam_member.platform]
}
