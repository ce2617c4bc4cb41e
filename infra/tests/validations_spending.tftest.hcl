# What may be generated, and by whom: what is refused, one wrong thing at a time.
# tests/deploy holds that no validation is missing.

mock_provider "google" { source = "./tests/mocks" }
mock_provider "archive" { source = "./tests/mocks" }
mock_provider "time" {}

variables {
  project_id = "my-project"
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
