# What is told to others, and what is kept when it could not be.

mock_provider "google" { source = "./tests/mocks" }
mock_provider "archive" { source = "./tests/mocks" }
mock_provider "time" {}

variables {
  project_id = "my-project"
}

run "nothing_by_default" {
  assert {
    condition     = length(google_pubsub_topic.completion) + length(google_storage_notification.completion) + length(google_pubsub_topic.dead) == 0 && length(output.topics) == 0
    error_message = "No topic unless asked for."
  }
}

run "completion" {
  variables {
    labels     = { team = "web" }
    completion = { push_url = "https://app.example.com/ended" }
    foundation = { kms_key_name = "projects/keys/locations/europe-west1/keyRings/ring/cryptoKeys/key" }
  }

  assert {
    condition     = [for n in google_storage_notification.completion : jsonencode([n.bucket, n.event_types, n.object_name_prefix, n.payload_format, n.topic])] == [jsonencode(["my-project-imagegen-results", ["OBJECT_FINALIZE"], "jobs/", "JSON_API_V1", google_pubsub_topic.completion["told"].id])]
    error_message = "The results bucket tells what is finalized below jobs/."
  }

  assert {
    condition     = [for t in google_pubsub_subscription.completion["told"].message_transforms : "${t.javascript_udf[0].function_name} ${strcontains(t.javascript_udf[0].code, "function onlyEnds(message")}"] == ["onlyEnds true"]
    error_message = "The subscription lets only ends through."
  }

  assert {
    condition = jsonencode([for s in google_pubsub_subscription.completion : [
      s.push_config[0].push_endpoint, s.push_config[0].oidc_token[0].service_account_email, s.push_config[0].oidc_token[0].audience,
      s.retry_policy[0].minimum_backoff, s.retry_policy[0].maximum_backoff, s.dead_letter_policy[0].max_delivery_attempts, s.expiration_policy[0].ttl,
    ]]) == jsonencode([["https://app.example.com/ended", google_service_account.this["push"].email, "https://app.example.com/ended", "10s", "600s", 20, ""]])
    error_message = "Pushed with an OIDC token of an account of its own, again with growing pauses, and never given up by the subscription's own end."
  }

  assert {
    condition     = google_pubsub_subscription.completion["told"].dead_letter_policy[0].dead_letter_topic == google_pubsub_topic.dead["completion"].id && google_pubsub_subscription.dead["completion"].topic == google_pubsub_topic.dead["completion"].id && google_pubsub_subscription.dead["completion"].message_retention_duration == "604800s"
    error_message = "What your URL refuses is kept for a week."
  }

  assert {
    condition     = contains(keys(google_monitoring_alert_policy.threshold), "dead_letters_completion")
    error_message = "And a person is told."
  }

  assert {
    condition     = alltrue([for topic in [google_pubsub_topic.completion["told"], google_pubsub_topic.dead["completion"]] : topic.kms_key_name == "projects/keys/locations/europe-west1/keyRings/ring/cryptoKeys/key" && topic.labels == tomap({ team = "web" })])
    error_message = "Topics are encrypted and labelled like everything else."
  }
}

run "with_an_audience" {
  variables {
    completion = { push_url = "https://app.example.com/ended", audience = "app", attempts = 100 }
  }

  assert {
    condition     = google_pubsub_subscription.completion["told"].push_config[0].oidc_token[0].audience == "app" && google_pubsub_subscription.completion["told"].dead_letter_policy[0].max_delivery_attempts == 100
    error_message = "Audience and attempts are variables."
  }
}

run "dead_letters_of_events" {
  variables {
    dead_letters = true
  }

  assert {
    condition     = google_pubsub_topic.dead["events"].name == "imagegen-events-dead" && google_pubsub_subscription.dead["events"].name == "imagegen-events-dead" && keys(output.topics) == ["events_dead"] && contains(keys(google_monitoring_alert_policy.threshold), "dead_letters_events")
    error_message = "Eventarc's dropped events have a place, and an alert."
  }
}
