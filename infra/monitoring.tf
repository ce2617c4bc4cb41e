# What its operator sees: metrics read out of the function's own log lines (their fields: function/imagegen/log.py) and
# Cloud Scheduler's, the channels, the budget.

locals {
  metric_prefix = replace(var.name, "-", "_") # PromQL, which the dashboard speaks, knows no hyphens

  scheduler_lines = "resource.type=\"cloud_scheduler_job\" AND resource.labels.job_id=(${join(" OR ", [for tick in sort(keys(local.ticks)) : "\"${var.name}-${tick}\""])})"

  our_lines = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(${join(" OR ", [for n in values(local.names) : "\"${n}\""])})"

  counters = {
    images = {
      about  = "Images generated and stored"
      filter = "jsonPayload.event=\"image_succeeded\""
      labels = { door = "jsonPayload.door" }
    }
    failures = {
      about  = "Attempts that ended without an image, by code"
      filter = "jsonPayload.event=(\"image_failed\" OR \"key_freed\")"
      labels = { door = "jsonPayload.door", code = "jsonPayload.code" }
    }
    unknowns = {
      about  = "Images that were or may have been billed and are not there"
      filter = "jsonPayload.event=\"image_failed\" AND jsonPayload.billed=(\"maybe\" OR \"yes\")"
      labels = { code = "jsonPayload.code" }
    }
    credits_low = {
      about  = "Images after which few of Segmind's credits were left"
      filter = "jsonPayload.event=\"image_succeeded\" AND jsonPayload.remainingCredits<${var.monitoring.credits_low}"
      labels = {}
    }
    bugs = {
      about  = "Errors that nothing in the code foresaw"
      filter = "jsonPayload.event=\"bug\""
      labels = {}
    }
    storage_failures = {
      about  = "Operations that Cloud Storage refused until their deadline"
      filter = "jsonPayload.event=(\"storage_failed\" OR \"state_not_written\" OR \"submission_not_written\" OR \"gate_overrun\")"
      labels = {}
    }
    signing_failures = {
      about  = "Links that could not be signed"
      filter = "jsonPayload.event=\"signing_failed\""
      labels = {}
    }
    cap_refusals = {
      about  = "Orders that the day's cap refused"
      filter = "jsonPayload.event=\"daily_limit_reached\""
      labels = { scope = "jsonPayload.scope" }
    }
    history_failures = {
      about  = "Reads of Segmind's request history that failed"
      filter = "jsonPayload.event=\"history_unavailable\""
      labels = {}
    }
    not_recovered = {
      about  = "Attempts to fetch a billed image out of Segmind's history that failed"
      filter = "jsonPayload.event=\"image_not_recovered\""
      labels = { code = "jsonPayload.code" }
    }
    unexplained_bills = {
      about  = "Days on which Segmind billed images that no job explains"
      filter = "jsonPayload.event=\"reconciled\" AND jsonPayload.vendorsOnly>0"
      labels = {}
    }
    redeliveries = {
      about  = "Events that were answered with 5xx, which asks the platform to deliver them again"
      filter = "resource.labels.service_name=\"${local.names.events}\" AND logName:\"run.googleapis.com%2Frequests\" AND httpRequest.status>=500"
      labels = {}
    }
  }

  distributions = {
    segmind_seconds = { about = "Segmind's own time for an image", field = "jsonPayload.generationSeconds", unit = "s" }
    spend_usd       = { about = "What an image cost", field = "jsonPayload.costUsd", unit = "1" }
  }
}

resource "google_logging_metric" "counter" {
  for_each = local.counters

  project          = var.project_id
  name             = "${local.metric_prefix}_${each.key}"
  description      = each.value.about
  filter           = "${local.our_lines} AND ${each.value.filter}"
  label_extractors = { for label, field in each.value.labels : label => "EXTRACT(${field})" }

  metric_descriptor {
    metric_kind  = "DELTA"
    value_type   = "INT64"
    unit         = "1"
    display_name = each.value.about

    dynamic "labels" {
      for_each = each.value.labels
      content {
        key        = labels.key
        value_type = "STRING"
      }
    }
  }

  depends_on = [time_sleep.apis]
}

# Cloud Scheduler's own lines: a schedule that fails from its first day has no success whose absence could be seen.
resource "google_logging_metric" "schedule_errors" {
  project          = var.project_id
  name             = "${local.metric_prefix}_schedule_errors"
  description      = "Attempts of a schedule that failed, by job"
  filter           = "${local.scheduler_lines} AND severity>=ERROR"
  label_extractors = { job = "EXTRACT(resource.labels.job_id)" }

  metric_descriptor {
    metric_kind  = "DELTA"
    value_type   = "INT64"
    unit         = "1"
    display_name = "Attempts of a schedule that failed, by job"

    labels {
      key        = "job"
      value_type = "STRING"
    }
  }

  depends_on = [time_sleep.apis]
}

resource "google_logging_metric" "distribution" {
  for_each = local.distributions

  project         = var.project_id
  name            = "${local.metric_prefix}_${each.key}"
  description     = each.value.about
  filter          = "${local.our_lines} AND jsonPayload.event=\"image_succeeded\""
  value_extractor = "EXTRACT(${each.value.field})"

  metric_descriptor {
    metric_kind  = "DELTA"
    value_type   = "DISTRIBUTION"
    unit         = each.value.unit
    display_name = each.value.about
  }

  # 0.01 to about 1,000 with 20 % between two bounds: fine enough for cents and for seconds.
  bucket_options {
    exponential_buckets {
      num_finite_buckets = 64
      growth_factor      = 1.2
      scale              = 0.01
    }
  }

  depends_on = [time_sleep.apis]
}

resource "google_monitoring_notification_channel" "email" {
  for_each = var.monitoring.emails

  project      = var.project_id
  display_name = "${var.name}: ${each.value}"
  type         = "email"
  labels       = { email_address = each.value }
  user_labels  = var.labels

  depends_on = [time_sleep.apis]
}

resource "google_billing_budget" "this" {
  count = var.budget == null ? 0 : 1

  billing_account = var.budget.billing_account
  display_name    = "${var.name} in ${var.project_id}"

  budget_filter {
    projects = ["projects/${local.project_number}"]
  }

  amount {
    specified_amount {
      currency_code = var.budget.currency
      units         = tostring(var.budget.amount)
    }
  }

  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1.0]
    content {
      threshold_percent = threshold_rules.value
    }
  }

  # By the API's rule email channels only, and at most five. Without any, the billing account's own people are told.
  dynamic "all_updates_rule" {
    for_each = length(var.monitoring.emails) > 0 ? [slice(sort(var.monitoring.emails), 0, min(5, length(var.monitoring.emails)))] : []
    content {
      monitoring_notification_channels = [for email in all_updates_rule.value : google_monitoring_notification_channel.email[email].id]
    }
  }

  depends_on = [time_sleep.apis]
}
