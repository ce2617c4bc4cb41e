# Schedules and the sweep: what is called, when, as whom, with which body.

mock_provider "google" { source = "./tests/mocks" }
mock_provider "archive" { source = "./tests/mocks" }
mock_provider "time" {}

variables {
  project_id = "my-project"
}

run "the_sweep_by_default" {
  assert {
    condition = jsonencode({ for k, j in google_cloud_scheduler_job.this : k => [j.name, j.schedule, j.time_zone, j.paused, j.attempt_deadline] }) == jsonencode({
      reconcile = ["imagegen-reconcile", "0 5 * * *", "Etc/UTC", false, "1800s"]
      sweep     = ["imagegen-sweep", "*/10 * * * *", "Etc/UTC", false, "1800s"]
    })
    error_message = "A sweep every ten minutes and a daily reconcile, each with as much time as its door."
  }

  assert {
    condition     = jsonencode([for t in google_cloud_scheduler_job.this["sweep"].http_target : [t.http_method, t.uri, base64decode(t.body)]]) == jsonencode([["POST", "https://schedule.run.app/sweep", "{}"]])
    error_message = "It posts to /sweep."
  }

  assert {
    condition     = jsonencode([for t in google_cloud_scheduler_job.this["reconcile"].http_target : [t.http_method, t.uri, base64decode(t.body)]]) == jsonencode([["POST", "https://schedule.run.app/reconcile", "{}"]])
    error_message = "The reconcile posts to /reconcile."
  }

  assert {
    condition     = alltrue([for j in google_cloud_scheduler_job.this : j.attempt_deadline == "${google_cloudfunctions2_function.door["schedule"].service_config[0].timeout_seconds}s"])
    error_message = "Cloud Scheduler waits as long as the door runs."
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

run "without_a_history" {
  variables {
    generation = { history_url = "" }
  }

  assert {
    condition     = keys(google_cloud_scheduler_job.this) == ["sweep"]
    error_message = "Without the vendor's history nothing reconciles."
  }

  assert {
    condition     = google_cloudfunctions2_function.door["schedule"].service_config[0].environment_variables.SEGMIND_HISTORY_URL == ""
    error_message = "And the doors know it."
  }
}

run "reconciled_at_another_time" {
  variables {
    reconcile = { cron = "30 7 * * 1-5", time_zone = "Europe/Berlin", paused = true }
  }

  assert {
    condition     = jsonencode([for j in [google_cloud_scheduler_job.this["reconcile"]] : [j.schedule, j.time_zone, j.paused]]) == jsonencode([["30 7 * * 1-5", "Europe/Berlin", true]])
    error_message = "Its time is a variable."
  }
}
