# What a platform team brings along: what is refused, one wrong thing at a time.
# tests/deploy holds that no validation is missing.

mock_provider "google" { source = "./tests/mocks" }
mock_provider "archive" { source = "./tests/mocks" }
mock_provider "time" {}

variables {
  project_id = "my-project"
}

run "foundation_project_number" {
  command         = plan
  expect_failures = [var.foundation]

  variables {
    foundation = { project_number = "my-project" }
  }
}

run "foundation_account_of_another_project" {
  command         = plan
  expect_failures = [var.foundation]

  variables {
    foundation = { service_accounts = { http = "http@elsewhere.iam.gserviceaccount.com" } }
  }
}

run "foundation_worker_pool" {
  command         = plan
  expect_failures = [var.foundation]

  variables {
    foundation = { worker_pool = "private" }
  }
}

run "foundation_key_of_another_region" {
  command         = plan
  expect_failures = [var.foundation]

  variables {
    foundation = { kms_key_name = "projects/keys/locations/europe/keyRings/ring/cryptoKeys/key" }
  }
}

run "foundation_key_without_one_for_the_buckets" {
  command         = plan
  expect_failures = [var.foundation]

  variables {
    foundation = { kms_key_name = "projects/keys/locations/europe-west1/keyRings/ring/cryptoKeys/key" }
    storage    = { location = "EU" }
  }
}

run "front_domain" {
  command         = plan
  expect_failures = [var.front]

  variables {
    front = { domains = ["*.example.com"] }
  }
}

run "front_rate" {
  command         = plan
  expect_failures = [var.front]

  variables {
    front = { domains = ["images.example.com"], requests_per_minute = 0 }
  }
}

run "front_members_of_no_kind" {
  command         = plan
  expect_failures = [var.front]

  variables {
    front = { domains = ["images.example.com"], iap = true, members = ["designers@example.com"] }
  }
}

run "front_members_without_a_proxy" {
  command         = plan
  expect_failures = [var.front]

  variables {
    front = { domains = ["images.example.com"], members = ["group:designers@example.com"] }
  }
}

run "front_with_a_back_door" {
  command         = plan
  expect_failures = [var.front]

  variables {
    front = { domains = ["images.example.com"] }
    doors = { http = { ingress = "ALLOW_ALL" } }
  }
}

run "egress_of_two_kinds" {
  command         = plan
  expect_failures = [var.egress]

  variables {
    egress = { connector = "projects/net/locations/europe-west1/connectors/shared", subnet = "serverless" }
  }
}

run "completion_over_http" {
  command         = plan
  expect_failures = [var.completion]

  variables {
    completion = { push_url = "http://app.example.com/ended" }
  }
}

run "completion_attempts" {
  command         = plan
  expect_failures = [var.completion]

  variables {
    completion = { push_url = "https://app.example.com/ended", attempts = 4 }
  }
}
