# Where images are kept, and who is told: what is refused, one wrong thing at a time.
# tests/deploy holds that no validation is missing.

mock_provider "google" { source = "./tests/mocks" }
mock_provider "archive" { source = "./tests/mocks" }
mock_provider "time" {}

variables {
  project_id = "my-project"
}

run "storage_location" {
  command         = plan
  expect_failures = [var.storage]

  variables {
    storage = { location = "europe" }
  }
}

run "storage_kms_key" {
  command         = plan
  expect_failures = [var.storage]

  variables {
    storage = { kms_key_name = "my-key" }
  }
}

run "storage_soft_delete_of_a_day" {
  command         = plan
  expect_failures = [var.storage]

  variables {
    storage = { soft_delete_days = 1 }
  }
}

run "storage_url_for_a_second" {
  command         = plan
  expect_failures = [var.storage]

  variables {
    storage = { signed_url_ttl_seconds = 1 }
  }
}

run "storage_url_beyond_the_signing_key" {
  command         = plan
  expect_failures = [var.storage]

  variables {
    storage = { signed_url_ttl_seconds = 43201 }
  }
}

run "storage_slots_gone_within_their_day" {
  command         = plan
  expect_failures = [var.storage]

  variables {
    storage = { delete_after_days = { spend = 1 } }
  }
}

run "monitoring_email" {
  command         = plan
  expect_failures = [var.monitoring]

  variables {
    monitoring = { emails = ["ops"] }
  }
}

run "monitoring_error_ratio" {
  command         = plan
  expect_failures = [var.monitoring]

  variables {
    monitoring = { error_ratio = 5 }
  }
}

run "monitoring_p95" {
  command         = plan
  expect_failures = [var.monitoring]

  variables {
    monitoring = { p95_seconds = 0 }
  }
}

run "monitoring_credits" {
  command         = plan
  expect_failures = [var.monitoring]

  variables {
    monitoring = { credits_low = -1 }
  }
}

run "monitoring_half_a_minute" {
  command         = plan
  expect_failures = [var.monitoring]

  variables {
    monitoring = { no_success_seconds = 90 }
  }
}

run "monitoring_beyond_what_absence_may_last" {
  command         = plan
  expect_failures = [var.monitoring]

  variables {
    monitoring = { no_success_seconds = 86400 }
  }
}

run "budget_account" {
  command         = plan
  expect_failures = [var.budget]

  variables {
    budget = { billing_account = "mine", amount = 50 }
  }
}

run "budget_amount" {
  command         = plan
  expect_failures = [var.budget]

  variables {
    budget = { billing_account = "012345-6789AB-CDEF01", amount = 0.5 }
  }
}

run "storage_results_gone_before_an_unknown_is_settled" {
  command         = plan
  expect_failures = [var.storage]

  variables {
    storage = { delete_after_days = { results = 9 } }
  }
}

run "storage_results_gone_before_their_job" {
  command         = plan
  expect_failures = [var.storage]

  variables {
    storage = { delete_after_days = { results = 30, jobs = 31 } }
  }
}

run "storage_account_gone_while_it_is_asked_for" {
  command         = plan
  expect_failures = [var.storage]

  variables {
    storage = { delete_after_days = { ledger = 92 } }
  }
}

run "storage_photos_that_take_references_along" {
  command         = plan
  expect_failures = [var.storage]

  variables {
    storage = { delete_after_days = { photos = 6 } }
  }
}

run "monitoring_absence_of_a_minute" {
  command         = plan
  expect_failures = [var.monitoring]

  variables {
    monitoring = { no_success_seconds = 60 }
  }
}

run "monitoring_instances_share" {
  command         = plan
  expect_failures = [var.monitoring]

  variables {
    monitoring = { instances_share = 1 }
  }
}
