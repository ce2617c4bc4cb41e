# When somebody is called, and what they should look at first.

locals {
  channels = concat(var.monitoring.notification_channels, [for c in google_monitoring_notification_channel.email : c.id])

  log_metric = { for key in concat(keys(local.counters), keys(local.distributions)) :
    key => "resource.type = \"cloud_run_revision\" AND metric.type = \"logging.googleapis.com/user/${local.metric_prefix}_${key}\""
  }
  http_answers    = "resource.type = \"cloud_run_revision\" AND resource.labels.service_name = \"${local.names.http}\" AND metric.type = \"run.googleapis.com/request_count\""
  schedule_200s   = "resource.type = \"cloud_run_revision\" AND resource.labels.service_name = \"${local.names.schedule}\" AND metric.type = \"run.googleapis.com/request_count\" AND metric.labels.response_code_class = \"2xx\""
  event_queue     = "eventarc-${lower(local.bucket_location)}-${local.names.events}-" # as Eventarc names its subscriptions
  oldest_in_queue = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = starts_with(\"${local.event_queue}\") AND metric.type = \"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""

  # Threshold above which to alert. `of`: what the filter is a share of.
  alerts = {
    unknown_outcome = {
      title   = "an image may have been billed and nobody has it"
      filter  = local.log_metric.unknowns
      of      = null
      aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", period = "300s", above = 0
      advice  = "Find the lines with event=image_failed and billed=maybe or yes. Compare imageId and time with Segmind's bill; jobs/ID/rejected, where it exists, is the proof for a dispute. Such a request is never repeated by itself."
    }
    credits_low = {
      title   = "Segmind's credits are running low"
      filter  = local.log_metric.credits_low
      of      = null
      aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", period = "300s", above = 0
      advice  = "Buy credits before they end: below the price of one image every request answers 503 insufficient-credits."
    }
    credits_used_up = {
      title   = "Segmind's credits or spend limit are used up"
      filter  = "${local.log_metric.failures} AND metric.labels.code = \"insufficient-credits\""
      of      = null
      aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", period = "300s", above = 0
      advice  = "Nothing was billed, and the same Idempotency-Keys can be tried again once there are credits."
    }
    error_ratio = {
      title   = "too many requests end with 5xx"
      filter  = "${local.http_answers} AND metric.labels.response_code_class = \"5xx\""
      of      = local.http_answers
      aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", period = "900s", above = var.monitoring.error_ratio
      advice  = "The failures chart of the dashboard says which code it is; segmind-* is the vendor's, storage-* the bucket's, internal ours."
    }
    p95 = {
      title   = "Segmind is slow"
      filter  = local.log_metric.segmind_seconds
      of      = null
      aligner = "ALIGN_PERCENTILE_95", reducer = "REDUCE_MAX", period = "900s", above = var.monitoring.p95_seconds
      advice  = "About 30 s is usual. Near generation.timeout_seconds requests begin to end as segmind-timeout or outcome-unknown."
    }
    event_backlog = {
      title   = "storage events wait"
      filter  = local.oldest_in_queue
      of      = null
      aligner = "ALIGN_MAX", reducer = "REDUCE_MAX", period = "300s", above = var.monitoring.event_backlog_seconds
      advice  = "Look at the events door's failures; where it has none, doors.events.max_instances may be too low, or the trigger may have lost run.invoker."
    }
  }
}

# A new log-based metric is unknown to alerting for up to ten minutes
# (hashicorp/terraform-provider-google#11102). This wait runs beside the builds, which take as long.
resource "time_sleep" "metrics" {
  create_duration = "300s"
  triggers = {
    names = join(",", concat([for m in google_logging_metric.counter : m.name], [for m in google_logging_metric.distribution : m.name]))
  }
}

resource "google_monitoring_alert_policy" "threshold" {
  for_each = local.alerts

  project               = var.project_id
  display_name          = "${var.name}: ${each.value.title}"
  combiner              = "OR"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = each.value.title

    condition_threshold {
      filter             = each.value.filter
      denominator_filter = each.value.of
      comparison         = "COMPARISON_GT"
      threshold_value    = each.value.above
      duration           = "0s"

      aggregations {
        alignment_period     = each.value.period
        per_series_aligner   = each.value.aligner
        cross_series_reducer = each.value.reducer
      }

      dynamic "denominator_aggregations" {
        for_each = each.value.of[*]
        content {
          alignment_period     = each.value.period
          per_series_aligner   = each.value.aligner
          cross_series_reducer = each.value.reducer
        }
      }
    }
  }

  documentation {
    content   = each.value.advice
    mime_type = "text/markdown"
  }

  depends_on = [time_sleep.metrics]
}

resource "google_monitoring_alert_policy" "scheduler_silent" {
  project               = var.project_id
  display_name          = "${var.name}: the scheduler had no success"
  combiner              = "OR"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "no 2xx from the schedule door"

    condition_absent {
      filter   = local.schedule_200s
      duration = "${var.monitoring.no_success_seconds}s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    content   = "Look at the scheduler jobs' last attempts. Without the sweep, what crashed instances left behind is ended only when somebody asks for it."
    mime_type = "text/markdown"
  }

  depends_on = [time_sleep.apis]
}
