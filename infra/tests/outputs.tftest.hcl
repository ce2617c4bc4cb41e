# Names, labels and what the operator is told at the end.

mock_provider "google" { source = "./tests/mocks" }
mock_provider "archive" { source = "./tests/mocks" }
mock_provider "time" {}

variables {
  project_id = "my-project"
  name       = "pics"
  labels     = { team = "web" }
}

run "outputs" {
  assert {
    condition     = jsonencode(output.urls) == jsonencode({ http = "https://http.run.app", events = "https://events.run.app", schedule = "https://schedule.run.app" })
    error_message = "The URLs of the doors."
  }

  assert {
    condition     = jsonencode(output.buckets) == jsonencode({ results = "my-project-pics-results", uploads = "my-project-pics-uploads", source = "my-project-pics-source" })
    error_message = "The buckets."
  }

  assert {
    condition     = jsonencode(output.service_accounts) == jsonencode({ for key in ["build", "events", "http", "schedule", "scheduler", "trigger"] : key => "${key}@accounts" })
    error_message = "The service accounts."
  }

  assert {
    condition     = jsonencode(output.secrets) == jsonencode({ SEGMIND_API_KEY = "projects/my-project/secrets/pics-segmind-api-key/versions/1" })
    error_message = "Which secret is mounted: its name, never its value."
  }

  assert {
    condition     = startswith(output.curl, "curl -sS 'https://http.run.app/v1/images' -H \"Authorization: Bearer $(gcloud auth print-identity-token)\" -H 'Content-Type: application/json' ")
    error_message = "A command that works for who may call."
  }

  assert {
    condition     = output.dashboard == "https://console.cloud.google.com/monitoring/dashboards/builder/board?project=my-project"
    error_message = "The way to the dashboard."
  }
}

run "names_and_labels" {
  assert {
    condition = [for account in values(google_service_account.this) : account.account_id] == [
      "pics-build", "pics-events", "pics-http", "pics-schedule", "pics-scheduler", "pics-trigger",
    ]
    error_message = "Six identities, one for each job."
  }

  assert {
    condition = alltrue([for labelled in [
      google_cloudfunctions2_function.door["http"], google_cloudfunctions2_function.door["events"], google_cloudfunctions2_function.door["schedule"],
      google_storage_bucket.kept["results"], google_storage_bucket.kept["uploads"], google_storage_bucket.source,
      google_artifact_registry_repository.build, google_secret_manager_secret.own["segmind_api_key"],
    ] : labelled.labels == tomap({ team = "web" })])
    error_message = "Everything that takes labels has them."
  }
}

run "curl_for_keys" {
  variables {
    access = { auth = "keys" }
  }

  assert {
    condition     = strcontains(output.curl, "-H \"x-api-key: $API_KEY\"") && !strcontains(output.curl, "print-identity-token")
    error_message = "With own keys the command shows one."
  }
}
