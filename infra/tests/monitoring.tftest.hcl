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
      "image_gen_bugs", "image_gen_cap_refusals", "image_gen_credits_low", "image_gen_failures", "image_gen_history_failures", "image_gen_images", "image_gen_not_recovered", "image_gen_redeliveries",
      "image_gen_segmind_seconds", "image_gen_signing_failures", "image_gen_spend_usd", "image_gen_storage_failures", "image_gen_unexplained_bills", "image_gen_unknowns",
    ])
    error_message = "Images, failures, latency, spend, unknowns and what an operator has to act on are counted."
  }

  assert {
    condition     = alltrue([for m in concat(values(google_logging_metric.counter), values(google_logging_metric.distribution)) : startswith(m.filter, "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(\"image-gen-events\" OR \"image-gen-http\" OR \"image-gen-schedule\") AND ")])
    error_message = "Metrics read the lines of the three doors and no other lines."
  }

  assert {
    condition     = jsonencode({ for k, m in google_logging_metric.counter : k => m.label_extractors if length(m.label_extractors) > 0 }) == jsonencode({ cap_refusals = { scope = "EXTRACT(jsonPayload.scope)" }, failures = { code = "EXTRACT(jsonPayload.code)", door = "EXTRACT(jsonPayload.door)" }, images = { door = "EXTRACT(jsonPayload.door)" }, not_recovered = { code = "EXTRACT(jsonPayload.code)" }, unknowns = { code = "EXTRACT(jsonPayload.code)" } })
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
      bugs              = "COMPARISON_GT 0", cap_refusals = "COMPARISON_GT 0", credits_low = "COMPARISON_GT 0", credits_used_up = "COMPARISON_GT 0",
      error_ratio       = "COMPARISON_GT 0.05", event_backlog = "COMPARISON_GT 900", history_failures = "COMPARISON_GT 2",
      instances_events  = "COMPARISON_GT 8", instances_http = "COMPARISON_GT 8", instances_schedule = "COMPARISON_GT 1",
      not_recovered     = "COMPARISON_GT 2", p95 = "COMPARISON_GT 90", schedule_errors = "COMPARISON_GT 2", signing_failures = "COMPARISON_GT 0", storage_failures = "COMPARISON_GT 0",
      unexplained_bills = "COMPARISON_GT 0", unknowns = "COMPARISON_GT 0"
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
    condition     = google_logging_metric.schedule_errors.filter == "resource.type=\"cloud_scheduler_job\" AND resource.labels.job_id=(\"image-gen-reconcile\" OR \"image-gen-sweep\") AND severity>=ERROR" && google_logging_metric.schedule_errors.label_extractors == tomap({ job = "EXTRACT(resource.labels.job_id)" })
    error_message = "Failed attempts are counted where Cloud Scheduler writes them down, from a schedule's first day."
  }

  assert {
    condition     = jsonencode({ for k, p in google_monitoring_alert_policy.threshold : k => p.conditions[0].condition_threshold[0].aggregations[0].group_by_fields if length(p.conditions[0].condition_threshold[0].aggregations[0].group_by_fields) > 0 }) == jsonencode({ schedule_errors = ["metric.label.job"] })
    error_message = "Each job is an incident of its own: a sweep that succeeds hides no other that fails."
  }

  assert {
    condition     = alltrue([for p in google_monitoring_alert_policy.threshold : p.alert_strategy[0].auto_close == "1800s"]) && google_monitoring_alert_policy.scheduler_silent.alert_strategy[0].auto_close == "604800s"
    error_message = "The second lost image of a day sends a mail, too; a silence stays open."
  }

  assert {
    condition = jsonencode([for tile in jsondecode(google_monitoring_dashboard.this.dashboard_json).mosaicLayout.tiles : { for side, cells in tile : side => cells if contains(["xPos", "yPos"], side) }]) == jsonencode([
      {}, { xPos = 24 }, { yPos = 16 }, { xPos = 24, yPos = 16 }, { yPos = 32 }, { xPos = 24, yPos = 32 }, { yPos = 48 }, { xPos = 24, yPos = 48 }, { yPos = 64 }, { xPos = 24, yPos = 64 },
    ])
    error_message = "Ten charts in two columns, and no position that is 0: the API leaves it out, and every plan would differ."
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
    condition     = jsonencode([for b in google_billing_budget.this : [for r in b.all_updates_rule : r.monitoring_notification_channels]]) == jsonencode([[[google_monitoring_notification_channel.email["ops@example.com"].id]]])
    error_message = "The budget tells the email channel, and not one that may be of another kind."
  }

  assert {
    condition     = contains(keys(google_project_service.apis), "billingbudgets.googleapis.com")
    error_message = "A budget needs its API."
  }
}

run "a_budget_for_six" {
  variables {
    monitoring = { emails = [for n in range(6) : "ops${n}@example.com"] }
    budget     = { billing_account = "012345-6789AB-CDEF01", amount = 50 }
  }

  assert {
    condition     = google_billing_budget.this[0].all_updates_rule[0].monitoring_notification_channels == tolist([for n in range(5) : google_monitoring_notification_channel.email["ops${n}@example.com"].id])
    error_message = "A budget takes five channels."
  }
}

run "a_budget_for_nobody" {
  variables {
    monitoring = { notification_channels = ["projects/my-project/notificationChannels/1"] }
    budget     = { billing_account = "012345-6789AB-CDEF01", amount = 50 }
    doors      = { schedule = { max_instances = 1 } }
    labels     = { team = "web" }
  }

  assert {
    condition     = length(google_billing_budget.this[0].all_updates_rule) == 0
    error_message = "Without an email there is no rule: an empty one is refused."
  }

  assert {
    condition     = !contains(keys(google_monitoring_alert_policy.threshold), "instances_schedule") && alltrue([for p in google_monitoring_alert_policy.threshold : p.user_labels == tomap({ team = "web" })])
    error_message = "A door of one instance is always at its maximum, which is no alert; alerts are labelled."
  }
}
