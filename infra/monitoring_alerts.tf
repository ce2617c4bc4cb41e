# When a person is called, and what they should look at first.

locals {
  channels = concat(var.monitoring.notification_channels, [for c in google_monitoring_notification_channel.email : c.id])

  log_metric = merge(
    { for key in concat(keys(local.counters), keys(local.distributions)) : key => "resource.type = \"cloud_run_revision\" AND metric.type = \"logging.googleapis.com/user/${local.metric_prefix}_${key}\"" },
    { schedule_errors = "resource.type = \"cloud_scheduler_job\" AND metric.type = \"logging.googleapis.com/user/${local.metric_prefix}_schedule_errors\"" },
  )
  run             = { for door, name in local.names : door => "resource.type = \"cloud_run_revision\" AND resource.labels.service_name = \"${name}\"" }
  http_answers    = "${local.run.http} AND metric.type = \"run.googleapis.com/request_count\""
  schedule_200s   = "${local.run.schedule} AND metric.type = \"run.googleapis.com/request_count\" AND metric.labels.response_code_class = \"2xx\""
  event_queue     = "eventarc-${lower(local.bucket_location)}-${local.names.events}-" # as Eventarc names its subscriptions
  oldest_in_queue = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = starts_with(\"${local.event_queue}\") AND metric.type = \"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""

  # One occurrence within five minutes is enough, unless `above` and `period` say otherwise.
  occurrences = {
    unknowns = {
      title  = "an image may have been billed and is not there"
      advice = "Find the lines with event=image_failed and billed=maybe or yes. The sweep asks Segmind's history about each for eight days (event=image_settled); what stays, compare with Segmind's bill by imageId and time. jobs/ID/rejected, where it exists, is the proof for a dispute. Such a request is never repeated by itself."
    }
    unexplained_bills = {
      title  = "Segmind billed images that no job explains"
      advice = "Read reports/DAY.json in the results bucket. The key has leaked, or the account has a second user: rotate the key (docs/deploy.md) unless you know which."
    }
    bugs = {
      title  = "a bug"
      advice = "The lines with event=bug name the places in the code. The answer was 500 internal; the same Idempotency-Key can be tried again."
    }
    storage_failures = {
      title  = "Cloud Storage refuses"
      advice = "The lines with event=storage_failed, state_not_written, submission_not_written or gate_overrun say which operation. One that ends by itself was an outage; one that does not is a missing grant, a disabled key or a full quota. A paid image that could not be stored went to its caller as image.dataUri."
    }
    signing_failures = {
      title  = "links cannot be signed"
      advice = "The images are safe. Look at iamcredentials.googleapis.com: its quota, and whether the door's account still has iam.serviceAccountTokenCreator on itself."
    }
    cap_refusals = {
      title  = "the day's cap is reached"
      advice = "Callers get 429 until midnight UTC (metric label scope: day, or user for one caller's own). Is it wanted traffic? Then raise generation.images_per_day; GET /v1/usage says who ordered."
    }
    history_failures = {
      title  = "Segmind's history cannot be read"
      above  = 2
      period = "3600s"
      advice = "Unknown images stay unknown meanwhile, for eight days at the most. The lines with event=history_unavailable have the cause: 401 or 403 is the key, another answer a change at Segmind's. generation.history_url = \"\" does without."
    }
    not_recovered = {
      title  = "an image that was paid for cannot be fetched"
      above  = 2
      period = "3600s"
      advice = "Segmind's history lists it, and every sweep tries again for eight days. The lines with event=image_not_recovered name imageId and code. Fetch it by hand from Segmind's console before Segmind deletes it; GET /v1/images/ID says whether a sweep has been quicker."
    }
    credits_low = {
      title  = "Segmind's credits are running low"
      advice = "Buy credits before they end: below the price of one image every request answers 503 insufficient-credits."
    }
  }

  # Threshold above which to alert. `of`: what the filter is a share of; `by`: each value is an incident of its own.
  alerts = merge(
    { for key, alert in local.occurrences : key => {
      title   = alert.title
      filter  = local.log_metric[key]
      of      = null
      by      = []
      aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", period = try(alert.period, "300s"), above = try(alert.above, 0)
      advice  = alert.advice
    } },
    { for door, name in local.names : "instances_${door}" => {
      title   = "nearly all instances of the ${door} door are up"
      filter  = "${local.run[door]} AND metric.type = \"run.googleapis.com/container/instance_count\""
      of      = null
      by      = []
      aligner = "ALIGN_MAX", reducer = "REDUCE_SUM", period = "300s", above = floor(var.doors[door].max_instances * var.monitoring.instances_share)
      advice  = "At doors.${door}.max_instances further requests wait and then get 429. Raise it, or sizing.concurrency, if the traffic is wanted."
    } if var.doors[door].max_instances > 1 },
    { for key, subscription in google_pubsub_subscription.dead : "dead_letters_${key}" => {
      title   = "${key}: messages could not be delivered"
      filter  = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = \"${subscription.name}\" AND metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\""
      of      = null
      by      = []
      aligner = "ALIGN_MAX", reducer = "REDUCE_SUM", period = "300s", above = 0
      advice  = "Look at them with gcloud pubsub subscriptions pull ${subscription.name}; they are kept for seven days."
    } },
    {
      credits_used_up = {
        title   = "Segmind's credits or spend limit are used up"
        filter  = "${local.log_metric.failures} AND metric.labels.code = \"insufficient-credits\""
        of      = null
        by      = []
        aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", period = "300s", above = 0
        advice  = "Nothing was billed, and the same Idempotency-Keys can be tried again once there are credits."
      }
      error_ratio = {
        title   = "too many requests end with 5xx"
        filter  = "${local.http_answers} AND metric.labels.response_code_class = \"5xx\""
        of      = local.http_answers
        by      = []
        aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", period = "900s", above = var.monitoring.error_ratio
        advice  = "The failures chart of the dashboard says which code it is; segmind-* is the vendor's, storage-* the bucket's, internal ours."
      }
      p95 = {
        title   = "Segmind is slow"
        filter  = local.log_metric.segmind_seconds
        of      = null
        by      = []
        aligner = "ALIGN_PERCENTILE_95", reducer = "REDUCE_MAX", period = "900s", above = var.monitoring.p95_seconds
        advice  = "About 30 s is usual. Near generation.timeout_seconds requests begin to end as segmind-timeout or outcome-unknown."
      }
      event_backlog = {
        title   = "storage events wait"
        filter  = local.oldest_in_queue
        of      = null
        by      = []
        aligner = "ALIGN_MAX", reducer = "REDUCE_MAX", period = "300s", above = var.monitoring.event_backlog_seconds
        advice  = "Look at the events door's failures; where it has none, doors.events.max_instances may be too low, or the trigger may have lost run.invoker. After 24 hours Eventarc drops an event, unless dead_letters keeps it."
      }
      schedule_errors = {
        title   = "a schedule fails"
        filter  = local.log_metric.schedule_errors
        of      = null
        by      = ["metric.label.job"]
        aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", period = "900s", above = 2
        advice  = "More than two attempts of this job failed within 15 minutes. Its log lines have the status: 403 is a missing run.invoker, 404 a route that the deployed function does not have, 5xx the schedule door's own lines."
      }
    },
  )
}

# A new log-based metric is unknown to alerting for up to ten minutes
# (hashicorp/terraform-provider-google#11102). This wait runs beside the builds, which take as long.
resource "time_sleep" "metrics" {
  create_duration = "300s"
  triggers = {
    names = join(",", concat([for m in google_logging_metric.counter : m.name], [for m in google_logging_metric.distribution : m.name], [google_logging_metric.schedule_errors.name]))
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
        group_by_fields      = each.value.by
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

  # A counter of rare lines falls silent instead of to zero, and its incident would stay open for a week: the second
  # lost image would send no mail.
  alert_strategy {
    auto_close = "1800s"
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

  # Silence is what it is about: the longest that the API allows.
  alert_strategy {
    auto_close = "604800s"
  }

  documentation {
    content   = "Look at the scheduler jobs' last attempts: are they paused, or gone? Failing ones have an alert of their own. Without the sweep, what crashed instances left behind is ended only when a caller asks for it."
    mime_type = "text/markdown"
  }

  depends_on = [time_sleep.apis]
}
