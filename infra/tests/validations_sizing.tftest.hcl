# Sizes and doors: what is refused, one wrong thing at a time, and at the end what is just right.
# tests/deploy holds that no validation is missing.

mock_provider "google" { source = "./tests/mocks" }
mock_provider "archive" { source = "./tests/mocks" }
mock_provider "time" {}

variables {
  project_id = "my-project"
}

run "sizing_no_concurrency" {
  command         = plan
  expect_failures = [var.sizing]

  variables {
    sizing = { concurrency = 0 }
  }
}

run "sizing_too_much_concurrency" {
  command         = plan
  expect_failures = [var.sizing]

  variables {
    sizing = { concurrency = 1001 }
  }
}

run "sizing_concurrency_on_half_a_cpu" {
  command         = plan
  expect_failures = [var.sizing]

  variables {
    sizing = { concurrency = 2, cpu = 0.5 }
  }
}

run "sizing_three_cpus" {
  command         = plan
  expect_failures = [var.sizing]

  variables {
    sizing = { cpu = 3 }
  }
}

run "sizing_memory" {
  command         = plan
  expect_failures = [var.sizing]

  variables {
    sizing = { memory_mib = 256 }
  }
}

run "sizing_four_cpus_with_little_memory" {
  command         = plan
  expect_failures = [var.sizing]

  variables {
    sizing = { cpu = 4, memory_mib = 1024 }
  }
}

run "sizing_eight_cpus_with_little_memory" {
  command         = plan
  expect_failures = [var.sizing]

  variables {
    sizing = { cpu = 8, memory_mib = 2048 }
  }
}

run "sizing_no_bodies" {
  command         = plan
  expect_failures = [var.sizing]

  variables {
    sizing = { bodies_in_memory = 0 }
  }
}

run "doors_no_instances" {
  command         = plan
  expect_failures = [var.doors]

  variables {
    doors = { http = { max_instances = 0 } }
  }
}

run "doors_min_above_max" {
  command         = plan
  expect_failures = [var.doors]

  variables {
    doors = { events = { min_instances = 3, max_instances = 2 } }
  }
}

run "doors_ingress" {
  command         = plan
  expect_failures = [var.doors]

  variables {
    doors = { schedule = { ingress = "PUBLIC" } }
  }
}

run "sizing_little_cpu" {
  command         = plan
  expect_failures = [var.sizing]

  variables {
    sizing = { concurrency = 1, cpu = 0.25 }
  }
}

run "sizing_too_much_memory_for_half_a_cpu" {
  command         = plan
  expect_failures = [var.sizing]

  variables {
    sizing = { concurrency = 1, cpu = 0.4, memory_mib = 1024 }
  }
}

run "sizing_too_much_memory_for_one_cpu" {
  command         = plan
  expect_failures = [var.sizing]

  variables {
    sizing = { concurrency = 1, cpu = 1, memory_mib = 4097 }
  }
}

run "sizing_too_much_memory_for_two_cpus" {
  command         = plan
  expect_failures = [var.sizing]

  variables {
    sizing = { concurrency = 1, cpu = 2, memory_mib = 8193 }
  }
}

run "sizing_too_much_memory_for_four_cpus" {
  command         = plan
  expect_failures = [var.sizing]

  variables {
    sizing = { concurrency = 1, cpu = 4, memory_mib = 16385 }
  }
}

run "sizing_too_much_memory_for_six_cpus" {
  command         = plan
  expect_failures = [var.sizing]

  variables {
    sizing = { concurrency = 1, cpu = 6, memory_mib = 24577 }
  }
}

run "the_outermost_that_is_allowed" {
  command = plan

  variables {
    project_id      = "abcdefghijklmnopqrstuvwxyz-123"
    name            = "abcdefghijklmnopqrst"
    log_level       = "DEBUG"
    segmind_api_key = { version = "12" }
    runtime         = "python314"
    generation      = { api = "v2", timeout_seconds = 360, reference_delivery = "segmind-asset", images_per_day = 100000, event_max_age_seconds = 86400 }
    access          = { allow_unauthenticated = true, auth = "none", cors_origins = ["*", "http://localhost:3000"], invokers = ["principalSet://iam.googleapis.com/x"] }
    sizing          = { concurrency = 1, cpu = 0.333, memory_mib = 512, bodies_in_memory = 1 }
    doors           = { http = { min_instances = 2, max_instances = 2 } }
    storage         = { location = "US", soft_delete_days = 90, signed_url_ttl_seconds = 43200, delete_after_days = { results = 10, ledger = 93, photos = 7 } }
    monitoring      = { error_ratio = 0.99, credits_low = 0, no_success_seconds = 84600, event_backlog_seconds = 120 }
    budget          = { billing_account = "012345-6789AB-CDEF01", amount = 1 }
  }

  assert {
    condition     = alltrue([for b in [google_storage_bucket.kept["results"], google_storage_bucket.kept["uploads"], google_storage_bucket.source] : length(b.name) <= 63]) && alltrue([for account in google_service_account.this : length(account.account_id) <= 30])
    error_message = "The longest names still fit Google's limits."
  }
}

run "the_most_memory_for_each_number_of_cpus" {
  command = plan

  variables {
    sizing = { cpu = 8, memory_mib = 32768 }
  }
}
