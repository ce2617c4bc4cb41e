mock_provider "google" {
  mock_data "google_secret_manager_secret_version" {
    defaults = {
      enabled = true
    }
  }
}
mock_provider "archive" {}
mock_provider "time" {}

run "from_git" {
  assert {
    condition     = contains(output.source_files, "main.py") && contains(output.source_files, "imagegen/log.py")
    error_message = "function/ comes along."
  }
}
