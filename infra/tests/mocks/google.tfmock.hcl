# What Google would answer, where a test asks for it. Everything else is made up by terraform test.

mock_data "google_project" {
  defaults = {
    number = "123456789012"
  }
}

mock_data "google_secret_manager_secret_version" {
  defaults = {
    enabled = true
  }
}

override_resource {
  target = google_service_account.this["http"]
  values = {
    id     = "accounts/http"
    name   = "accounts/http"
    email  = "http@accounts"
    member = "serviceAccount:http"
  }
}

override_resource {
  target = google_service_account.this["events"]
  values = {
    id     = "accounts/events"
    name   = "accounts/events"
    email  = "events@accounts"
    member = "serviceAccount:events"
  }
}

override_resource {
  target = google_service_account.this["schedule"]
  values = {
    id     = "accounts/schedule"
    name   = "accounts/schedule"
    email  = "schedule@accounts"
    member = "serviceAccount:schedule"
  }
}

override_resource {
  target = google_service_account.this["trigger"]
  values = {
    id     = "accounts/trigger"
    name   = "accounts/trigger"
    email  = "trigger@accounts"
    member = "serviceAccount:trigger"
  }
}

override_resource {
  target = google_service_account.this["scheduler"]
  values = {
    id     = "accounts/scheduler"
    name   = "accounts/scheduler"
    email  = "scheduler@accounts"
    member = "serviceAccount:scheduler"
  }
}

override_resource {
  target = google_service_account.this["build"]
  values = {
    id     = "accounts/build"
    name   = "accounts/build"
    email  = "build@accounts"
    member = "serviceAccount:build"
  }
}

override_resource {
  target = google_cloudfunctions2_function.door["http"]
  values = {
    service_config = {
      uri = "https://http.run.app"
    }
  }
}

override_resource {
  target = google_cloudfunctions2_function.door["events"]
  values = {
    service_config = {
      uri = "https://events.run.app"
    }
  }
}

override_resource {
  target = google_cloudfunctions2_function.door["schedule"]
  values = {
    service_config = {
      uri = "https://schedule.run.app"
    }
  }
}

override_resource {
  target = google_artifact_registry_repository.build
  values = {
    id = "repositories/build"
  }
}

override_resource {
  target = google_monitoring_dashboard.this
  values = {
    id = "projects/123456789012/dashboards/board"
  }
}
