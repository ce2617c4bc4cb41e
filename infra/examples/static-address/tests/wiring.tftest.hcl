# The two modules together. (Other examples are tested in infra/tests; this one needs more of the provider.)

mock_provider "google" {
  mock_data "google_secret_manager_secret_version" {
    defaults = {
      enabled = true
    }
  }
}
mock_provider "archive" {}
mock_provider "time" {}

run "wired" {
  variables {
    project_id = "my-project"
    invokers   = ["user:me@example.com"]
  }

  assert {
    condition     = output.address == module.way_out.address && startswith(output.curl, "curl -sS '")
    error_message = "One apply makes both: the subnet's name is known before there is a network."
  }
}
