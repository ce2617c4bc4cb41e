# The examples are configurations that plan.

mock_provider "google" {
  mock_data "google_secret_manager_secret_version" {
    defaults = {
      enabled = true
    }
  }
}
mock_provider "archive" {}
mock_provider "time" {}

variables {
  project_id      = "my-project"
  invokers        = ["user:me@example.com"]
  billing_account = "012345-6789AB-CDEF01"
  kms_key_name    = "projects/my-project/locations/europe/keyRings/ring/cryptoKeys/key"
}

run "minimal" {
  module {
    source = "./examples/minimal"
  }

  assert {
    condition     = startswith(output.curl, "curl -sS '")
    error_message = "The minimal example ends with the command that generates an image."
  }
}

run "production" {
  module {
    source = "./examples/production"
  }

  assert {
    condition     = sort(keys(output.urls)) == sort(["http", "events", "schedule"])
    error_message = "The production example has three doors."
  }
}
