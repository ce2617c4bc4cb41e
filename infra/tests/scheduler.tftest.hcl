# Schedules and the sweep: what is called, when, as whom, with which body.

mock_provider "google" { source = "./tests/mocks" }
mock_provider "archive" { source = "./tests/mocks" }
mock_provider "time" {}

variables {
  project_id = "my-project"
}

run "the_sweep_by_default" {
  assert {
    condition     = jsonencode({ for k, j in google_cloud_scheduler_job.this : k => [j.name, j.schedule, j.time_zone, j.paused, j.attempt_deadline] }) == jsonencode({ sweep = ["imagegen-sweep", "*/10 * * * *", "Etc/UTC", false, "270s"] })
    error_message = "One job, every ten minutes."
  }

  assert {
    condition     = jsonencode([for t in google_cloud_scheduler_job.this["sweep"].http_target : [t.http_method, t.uri, base64decode(t.body)]]) == jsonencode([["POST", "https://schedule.run.app/sweep", "{}"]])
    error_message = "It posts to /sweep."
  }

  assert {
    condition     = google_cloud_scheduler_job.this["sweep"].retry_config[0].retry_count == 5
    error_message = "A failed tick is tried again."
  }
}

run "images_on_a_schedule" {
  variables {
    schedules = {
      sweep = { cron = "*/5 * * * *" }
      daily-hero = {
        cron      = "0 6 * * 1-5"
        time_zone = "Europe/Berlin"
        paused    = true
        images = [
          { promptText = "@model at dawn", ratio = "1920:1080", referenceImages = [{ tag = "model", uri = "https://example.com/m.jpg" }] },
          { promptText = "@cloth", referenceImages = [{ tag = "cloth" }] },
        ]
      }
    }
  }

  assert {
    condition = jsondecode(base64decode(google_cloud_scheduler_job.this["daily-hero"].http_target[0].body)) == {
      name = "daily-hero"
      images = [
        { promptText = "@model at dawn", ratio = "1920:1080", referenceImages = [{ tag = "model", uri = "https://example.com/m.jpg" }] },
        { promptText = "@cloth", referenceImages = [{ tag = "cloth" }] },
      ]
    }
    error_message = "The body is the contract's, and what is not set is not there."
  }

  assert {
    condition     = jsonencode([for j in [google_cloud_scheduler_job.this["daily-hero"]] : [j.name, j.schedule, j.time_zone, j.paused, j.http_target[0].uri]]) == jsonencode([["imagegen-daily-hero", "0 6 * * 1-5", "Europe/Berlin", true, "https://schedule.run.app/"]])
    error_message = "Cron, time zone and pause are the schedule's own; it posts to /."
  }

  assert {
    condition     = alltrue([for j in google_cloud_scheduler_job.this : jsonencode([for t in j.http_target[0].oidc_token : [t.service_account_email, t.audience]]) == jsonencode([["scheduler@accounts", "https://schedule.run.app"]])])
    error_message = "Every job shows an OIDC token of the scheduler account, for the service's URL without a path."
  }
}
