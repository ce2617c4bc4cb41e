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
  domain          = "images.example.com"
  images_per_day  = 20
  emails          = ["ops@example.com"]
  environment     = "production"
  repository      = "octo-org/images"
  repository_id   = "123"
  state_bucket    = "my-project-terraform-state"
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

run "public_front" {
  module {
    source = "./examples/public-front"
  }

  assert {
    condition     = output.url == "https://images.example.com"
    error_message = "Callers use the domain."
  }
}

run "public_front_with_a_proxy" {
  module {
    source = "./examples/public-front"
  }

  variables {
    iap     = true
    members = ["group:designers@example.com"]
  }

  assert {
    condition     = output.url == "https://images.example.com"
    error_message = "The proxy's variant is a configuration, too."
  }
}

run "github_actions" {
  module {
    source = "./examples/github-actions"
  }

  assert {
    condition     = sort(keys(output.urls)) == sort(["http", "events", "schedule"])
    error_message = "The example that GitHub Actions applies has three doors."
  }
}

run "github_actions_identity" {
  module {
    source = "./examples/github-actions/identity"
  }

  assert {
    condition = jsonencode({ for key, g in google_service_account_iam_member.github : key => [g.role, trimprefix(g.member, "principal://iam.googleapis.com/${google_iam_workload_identity_pool.github.name}/subject/")] }) == jsonencode({
      apply = ["roles/iam.workloadIdentityUser", "repo:octo-org/images:environment:production"]
      plan  = ["roles/iam.workloadIdentityUser", "repo:octo-org/images:pull_request"]
    })
    error_message = "A pull request plans, and only a job of the environment applies."
  }

  assert {
    condition     = google_iam_workload_identity_pool_provider.github.attribute_condition == "assertion.repository_id == \"123\"" && length([for g in google_project_iam_member.github : g.role if g.member == google_service_account.github["plan"].member && !contains(["roles/viewer", "roles/iam.securityReviewer"], g.role)]) == 0
    error_message = "No other repository gets in, and a plan can only read."
  }
}
