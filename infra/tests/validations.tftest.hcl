# Every validation: what is refused, one wrong thing at a time, and at the end what is just right.
# tests/deploy holds that no validation is missing here.

mock_provider "google" { source = "./tests/mocks" }
mock_provider "archive" { source = "./tests/mocks" }
mock_provider "time" {}

variables {
  project_id = "my-project"
}

run "project_id" {
  command         = plan
  expect_failures = [var.project_id]

  variables {
    project_id = "My Project"
  }
}

run "region" {
  command         = plan
  expect_failures = [var.region]

  variables {
    region = "europe"
  }
}

run "name_too_long" {
  command         = plan
  expect_failures = [var.name]

  variables {
    name = "abcdefghijklmnopqrstu"
  }
}

run "name_upper_case" {
  command         = plan
  expect_failures = [var.name]

  variables {
    name = "Imagegen"
  }
}

run "log_level" {
  command         = plan
  expect_failures = [var.log_level]

  variables {
    log_level = "TRACE"
  }
}

run "segmind_api_key_version_latest" {
  command         = plan
  expect_failures = [var.segmind_api_key]

  variables {
    segmind_api_key = { version = "latest" }
  }
}

run "segmind_api_key_existing_without_a_name" {
  command         = plan
  expect_failures = [var.segmind_api_key]

  variables {
    segmind_api_key = { create = false }
  }
}

run "schedules_name" {
  command         = plan
  expect_failures = [var.schedules]

  variables {
    schedules = { sweep = { cron = "* * * * *" }, "Daily Hero" = { cron = "* * * * *", images = [{ promptText = "x", referenceImages = [] }] } }
  }
}

run "schedules_cron" {
  command         = plan
  expect_failures = [var.schedules]

  variables {
    schedules = { sweep = { cron = "every 10 minutes" } }
  }
}

run "schedules_without_a_sweep" {
  command         = plan
  expect_failures = [var.schedules]

  variables {
    schedules = { hero = { cron = "* * * * *", images = [{ promptText = "x", referenceImages = [] }] } }
  }
}

run "schedules_with_two_sweeps" {
  command         = plan
  expect_failures = [var.schedules]

  variables {
    schedules = { sweep = { cron = "* * * * *" }, hero = { cron = "* * * * *" } }
  }
}

run "schedules_with_four_references" {
  command         = plan
  expect_failures = [var.schedules]

  variables {
    schedules = { sweep = { cron = "* * * * *" }, hero = { cron = "* * * * *", images = [{ promptText = "x", referenceImages = [for tag in ["one", "two", "three", "four"] : { tag = tag }] }] } }
  }
}

run "generation_api" {
  command         = plan
  expect_failures = [var.generation]

  variables {
    generation = { api = "v3" }
  }
}

run "generation_timeout_too_short" {
  command         = plan
  expect_failures = [var.generation]

  variables {
    generation = { timeout_seconds = 29 }
  }
}

run "generation_timeout_beyond_an_event" {
  command         = plan
  expect_failures = [var.generation]

  variables {
    generation = { timeout_seconds = 361 }
  }
}

run "generation_reference_delivery" {
  command         = plan
  expect_failures = [var.generation]

  variables {
    generation = { reference_delivery = "mail" }
  }
}

run "generation_negative_cap" {
  command         = plan
  expect_failures = [var.generation]

  variables {
    generation = { images_per_day = -1 }
  }
}

run "generation_fraction_of_an_image" {
  command         = plan
  expect_failures = [var.generation]

  variables {
    generation = { images_per_user_per_day = 1.5 }
  }
}

run "generation_event_age_below_one_run" {
  command         = plan
  expect_failures = [var.generation]

  variables {
    generation = { event_max_age_seconds = 599 }
  }
}

run "generation_event_age_beyond_the_platform" {
  command         = plan
  expect_failures = [var.generation]

  variables {
    generation = { event_max_age_seconds = 86401 }
  }
}

run "access_auth" {
  command         = plan
  expect_failures = [var.access]

  variables {
    access = { auth = "basic" }
  }
}

run "access_open_with_iam" {
  command         = plan
  expect_failures = [var.access]

  variables {
    access     = { allow_unauthenticated = true }
    generation = { images_per_day = 100 }
  }
}

run "access_open_without_a_cap" {
  command         = plan
  expect_failures = [var.access]

  variables {
    access = { allow_unauthenticated = true, auth = "keys" }
  }
}

run "access_none_without_a_cap" {
  command         = plan
  expect_failures = [var.access]

  variables {
    access = { auth = "none" }
  }
}

run "access_oidc_without_an_issuer" {
  command         = plan
  expect_failures = [var.access]

  variables {
    access = { auth = "oidc" }
  }
}

run "access_issuer_without_oidc" {
  command         = plan
  expect_failures = [var.access]

  variables {
    access = { auth = "keys", oidc = { issuer = "https://issuer.example", audience = "a" } }
  }
}

run "access_issuer_over_http" {
  command         = plan
  expect_failures = [var.access]

  variables {
    access = { auth = "oidc", oidc = { issuer = "http://issuer.example", audience = "a" } }
  }
}

run "access_empty_audience" {
  command         = plan
  expect_failures = [var.access]

  variables {
    access = { auth = "oidc", oidc = { issuer = "https://issuer.example", audience = "" } }
  }
}

run "access_everybody_as_an_invoker" {
  command         = plan
  expect_failures = [var.access]

  variables {
    access = { invokers = ["allUsers"] }
  }
}

run "access_api_keys_version_latest" {
  command         = plan
  expect_failures = [var.access]

  variables {
    access = { auth = "keys", api_keys_version = "latest" }
  }
}

run "access_origin_with_a_path" {
  command         = plan
  expect_failures = [var.access]

  variables {
    access = { cors_origins = ["https://app.example.com/"] }
  }
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

run "runtime" {
  command         = plan
  expect_failures = [var.runtime]

  variables {
    runtime = "python310"
  }
}

run "schedules_named_reconcile" {
  command         = plan
  expect_failures = [var.schedules]

  variables {
    schedules = { sweep = { cron = "* * * * *" }, reconcile = { cron = "* * * * *", images = [{ promptText = "x", referenceImages = [] }] } }
  }
}

run "reconcile_cron" {
  command         = plan
  expect_failures = [var.reconcile]

  variables {
    reconcile = { cron = "daily" }
  }
}

run "generation_history_over_http" {
  command         = plan
  expect_failures = [var.generation]

  variables {
    generation = { history_url = "http://history.example" }
  }
}

run "access_origins_that_iam_refuses" {
  command         = plan
  expect_failures = [var.access]

  variables {
    access = { cors_origins = ["https://app.example.com"] }
  }
}

run "access_open_behind_a_proxy" {
  command         = plan
  expect_failures = [var.access]

  variables {
    front      = { domains = ["images.example.com"], iap = true }
    generation = { images_per_day = 100 }
    access     = { auth = "keys", allow_unauthenticated = true }
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
