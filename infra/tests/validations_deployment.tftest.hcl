# What every deployment sets: what is refused, one wrong thing at a time.
# tests/deploy holds that no validation is missing.

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
