# What the operator sees and is told.

mock_provider "google" { source = "./tests/mocks" }
mock_provider "archive" { source = "./tests/mocks" }
mock_provider "time" {}

variables {
  project_id = "my-project"
  name       = "image-gen"
}

run "by_default" {
  assert {
    condition = sort(concat([for m in google_logging_metric.counter : m.name], [for m in google_logging_metric.distribution : m.name])) == sort([
      "image_gen_credits_low", "image_gen_failures", "image_gen_images", "image_gen_redeliveries",
      "image_gen_segmind_seconds", "image_gen_spend_usd", "image_gen_unknowns",
    ])
    error_message = "Images, failures, latency, spend, unknowns, redeliveries and low credits are counted."
  }

  assert {
    condition     = alltrue([for m in concat(values(google_logging_metric.counter), values(google_logging_metric.distribution)) : startswith(m.filter, "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(\"image-gen-events\" OR \"image-gen-http\" OR \"image-gen-schedule\") AND ")])
    error_message = "Metrics read the lines of the three doors and of nobody else."
  }

  assert {
    condition     = jsonencode({ for k, m in google_logging_metric.counter : k => m.label_extractors if length(m.label_extractors) > 0 }) == jsonencode({ failures = { code = "EXTRACT(jsonPayload.code)", door = "EXTRACT(jsonPayload.door)" }, images = { door = "EXTRACT(jsonPayload.door)" }, unknowns = { code = "EXTRACT(jsonPayload.code)" } })
    error_message = "Failures are told apart by code, images by door."
  }

  assert {
    condition     = alltrue([for k, m in google_logging_metric.counter : jsonencode(keys(m.label_extractors)) == jsonencode(sort([for l in m.metric_descriptor[0].labels : l.key]))])
    error_message = "Every label that is extracted is declared, and the reverse: the API refuses anything else."
  }

  assert {
    condition     = jsonencode({ for k, m in google_logging_metric.distribution : k => m.value_extractor }) == jsonencode({ segmind_seconds = "EXTRACT(jsonPayload.generationSeconds)", spend_usd = "EXTRACT(jsonPayload.costUsd)" })
    error_message = "Latency and spend are read from the image's line."
  }

  assert {
    condition = jsonencode({ for k, p in google_monitoring_alert_policy.threshold : k => "${p.conditions[0].condition_threshold[0].comparison} ${p.conditions[0].condition_threshold[0].threshold_value}" }) == jsonencode({
      credits_low   = "COMPARISON_GT 0", credits_used_up = "COMPARISON_GT 0", error_ratio = "COMPARISON_GT 0.05",
      event_backlog = "COMPARISON_GT 900", p95 = "COMPARISON_GT 90", unknown_outcome = "COMPARISON_GT 0"
    })
    error_message = "The alerts and where they begin."
  }

  assert {
    condition     = google_monitoring_alert_policy.scheduler_silent.conditions[0].condition_absent[0].duration == "3600s"
    error_message = "An hour without a successful tick is an alert."
  }

  assert {
    condition     = alltrue([for p in google_monitoring_alert_policy.threshold : p.documentation[0].content != "" && (p.conditions[0].condition_threshold[0].denominator_filter == null) == (length(p.conditions[0].condition_threshold[0].denominator_aggregations) == 0)])
    error_message = "Every alert says what to do; a share has its whole aggregated."
  }

  assert {
    condition     = strcontains(google_monitoring_alert_policy.threshold["event_backlog"].conditions[0].condition_threshold[0].filter, "starts_with(\"eventarc-europe-west1-image-gen-events-\")")
    error_message = "The backlog is that of this deployment's trigger."
  }

  assert {
    condition     = length(jsondecode(google_monitoring_dashboard.this.dashboard_json).mosaicLayout.tiles) == 8
    error_message = "The dashboard has its charts."
  }

  assert {
    condition     = length(google_billing_budget.this) == 0 && length(google_monitoring_notification_channel.email) == 0
    error_message = "No budget and no channel unless asked for."
  }
}

run "told_to_somebody" {
  variables {
    monitoring = {
      emails                = ["ops@example.com"]
      notification_channels = ["projects/my-project/notificationChannels/1"]
      credits_low           = 20
      error_ratio           = 0.1
      p95_seconds           = 60
      event_backlog_seconds = 1800
      no_success_seconds    = 7200
    }
    budget = { billing_account = "012345-6789AB-CDEF01", amount = 50, currency = "EUR" }
  }

  assert {
    condition     = alltrue([for p in concat(values(google_monitoring_alert_policy.threshold), [google_monitoring_alert_policy.scheduler_silent]) : p.notification_channels == tolist(["projects/my-project/notificationChannels/1", google_monitoring_notification_channel.email["ops@example.com"].id])])
    error_message = "Every alert tells every channel."
  }

  assert {
    condition     = [for k in ["error_ratio", "event_backlog", "p95"] : google_monitoring_alert_policy.threshold[k].conditions[0].condition_threshold[0].threshold_value] == [0.1, 1800, 60] && google_monitoring_alert_policy.scheduler_silent.conditions[0].condition_absent[0].duration == "7200s"
    error_message = "Thresholds are variables."
  }

  assert {
    condition     = endswith(google_logging_metric.counter["credits_low"].filter, "jsonPayload.remainingCredits<20")
    error_message = "Low credits are those below credits_low."
  }

  assert {
    condition     = jsonencode([for b in google_billing_budget.this : [b.billing_account, b.amount[0].specified_amount[0].units, b.amount[0].specified_amount[0].currency_code, [for r in b.threshold_rules : r.threshold_percent]]]) == jsonencode([["012345-6789AB-CDEF01", "50", "EUR", [0.5, 0.9, 1]]])
    error_message = "The budget is the one asked for."
  }

  assert {
    condition     = contains(keys(google_project_service.apis), "billingbudgets.googleapis.com")
    error_message = "A budget needs its API."
  }
}
