# The three doors: what they run, as whom, how big, how long, with which environment.

mock_provider "google" { source = "./tests/mocks" }
mock_provider "archive" { source = "./tests/mocks" }
mock_provider "time" {}

variables {
  project_id = "my-project"
}

run "by_default" {
  assert {
    condition = [for f in [for door in ["http", "events", "schedule"] : google_cloudfunctions2_function.door[door]] : {
      name       = f.name
      project    = f.project
      location   = f.location
      runtime    = f.build_config[0].runtime
      entry      = f.build_config[0].entry_point
      built_by   = f.build_config[0].service_account
      built_into = f.build_config[0].docker_repository
      source     = "${f.build_config[0].source[0].storage_source[0].bucket}/${f.build_config[0].source[0].storage_source[0].object}"
      runs_as    = f.service_config[0].service_account_email
      ingress    = f.service_config[0].ingress_settings
      instances  = "${f.service_config[0].min_instance_count}-${f.service_config[0].max_instance_count}"
      size       = "${f.service_config[0].available_cpu} CPU ${f.service_config[0].available_memory}"
      timeout    = f.service_config[0].timeout_seconds
      }] == [
      for door in [
        { name = "http", entry = "generate_image", ingress = "ALLOW_ALL", instances = "0-10", timeout = 360 },
        { name = "events", entry = "on_upload", ingress = "ALLOW_INTERNAL_ONLY", instances = "0-10", timeout = 360 },
        { name = "schedule", entry = "on_schedule", ingress = "ALLOW_INTERNAL_ONLY", instances = "0-2", timeout = 1800 },
        ] : {
        name       = "imagegen-${door.name}"
        project    = "my-project"
        location   = "europe-west1"
        runtime    = "python311"
        entry      = door.entry
        built_by   = "accounts/build"
        built_into = "repositories/build"
        source     = "my-project-imagegen-source/function-0123abcd.zip"
        runs_as    = "${door.name}@accounts"
        ingress    = door.ingress
        instances  = door.instances
        size       = "1 CPU 512Mi"
        timeout    = door.timeout
      }
    ]
    error_message = "The doors differ in name, entry point, identity, ingress, instances and timeout, and in nothing else."
  }

  assert {
    condition = jsonencode(google_cloudfunctions2_function.door["events"].service_config[0].environment_variables) == jsonencode({
      DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA = "true"
      EVENT_MAX_AGE_SECONDS                          = "3600"
      GOOGLE_CLOUD_PROJECT                           = "my-project"
      LOG_EXECUTION_ID                               = "false"
      LOG_LEVEL                                      = "INFO"
      MAX_BODIES_IN_MEMORY                           = "16"
      MAX_IMAGES_PER_DAY                             = "0"
      MAX_IMAGES_PER_USER_PER_DAY                    = "0"
      REFERENCE_DELIVERY                             = "signed-url"
      RESULTS_BUCKET                                 = "my-project-imagegen-results"
      SEGMIND_API                                    = "v1"
      SEGMIND_TIMEOUT_SECONDS                        = "180"
      SIGNED_URL_TTL_SECONDS                         = "3600"
      THREADS                                        = "100"
      UPLOADS_BUCKET                                 = "my-project-imagegen-uploads"
    })
    error_message = "The environment of every door, whole."
  }

  assert {
    condition     = google_cloudfunctions2_function.door["schedule"].service_config[0].environment_variables == google_cloudfunctions2_function.door["events"].service_config[0].environment_variables
    error_message = "The schedule door has the events door's environment."
  }

  assert {
    condition = jsonencode({
      for name, value in google_cloudfunctions2_function.door["http"].service_config[0].environment_variables : name => value
      if !contains(keys(google_cloudfunctions2_function.door["events"].service_config[0].environment_variables), name)
    }) == jsonencode({ AUTH = "iam", CORS_ORIGINS = "", PLAYGROUND = "0" })
    error_message = "Who is asking is the HTTP door's question alone."
  }

  assert {
    condition = alltrue([for f in [for door in ["http", "events", "schedule"] : google_cloudfunctions2_function.door[door]] :
      [for s in f.service_config[0].secret_environment_variables : "${s.key}=${s.project_id}/${s.secret}/${s.version}"] == ["SEGMIND_API_KEY=my-project/imagegen-segmind-api-key/1"]
    ])
    error_message = "Every door gets Segmind's key, pinned, and no other secret."
  }

  assert {
    condition = jsonencode([for t in google_cloudfunctions2_function.door["events"].event_trigger : [
      t.event_type, t.trigger_region, t.retry_policy, t.service_account_email, [for f in t.event_filters : "${f.attribute}=${f.value}"]
    ]]) == jsonencode([["google.cloud.storage.object.v1.finalized", "europe-west1", "RETRY_POLICY_RETRY", "trigger@accounts", ["bucket=my-project-imagegen-uploads"]]])
    error_message = "The trigger: finalized objects of the uploads bucket, in its region, retried, as the trigger account."
  }

  assert {
    condition     = length(google_cloudfunctions2_function.door["http"].event_trigger) + length(google_cloudfunctions2_function.door["schedule"].event_trigger) == 0
    error_message = "Only the events door has a trigger."
  }
}

run "sized" {
  variables {
    sizing     = { concurrency = 250, cpu = 2, memory_mib = 1024, bodies_in_memory = 40 }
    generation = { timeout_seconds = 360 }
    doors = {
      http     = { min_instances = 1, max_instances = 3, ingress = "ALLOW_INTERNAL_AND_GCLB" }
      events   = { max_instances = 4 }
      schedule = { max_instances = 5 }
    }
  }

  assert {
    condition = alltrue([for f in [for door in ["http", "events", "schedule"] : google_cloudfunctions2_function.door[door]] :
      f.service_config[0].max_instance_request_concurrency == 250 && f.service_config[0].environment_variables.THREADS == "250"
    ])
    error_message = "As many threads as requests at once, at every door, from one variable."
  }

  assert {
    condition = alltrue([for f in [for door in ["http", "events", "schedule"] : google_cloudfunctions2_function.door[door]] :
      f.service_config[0].available_cpu == "2" && f.service_config[0].available_memory == "1024Mi" && f.service_config[0].environment_variables.MAX_BODIES_IN_MEMORY == "40"
    ])
    error_message = "CPU, memory and bodies are those of sizing."
  }

  assert {
    condition     = [for door in ["http", "events", "schedule"] : google_cloudfunctions2_function.door[door].service_config[0].timeout_seconds] == [540, 540, 1800]
    error_message = "The longest deadline still fits an event's 540 s, and the sweep's is its own."
  }

  assert {
    condition = [for f in [for door in ["http", "events", "schedule"] : google_cloudfunctions2_function.door[door]] :
      "${f.service_config[0].min_instance_count}-${f.service_config[0].max_instance_count} ${f.service_config[0].ingress_settings}"
    ] == ["1-3 ALLOW_INTERNAL_AND_GCLB", "0-4 ALLOW_INTERNAL_ONLY", "0-5 ALLOW_INTERNAL_ONLY"]
    error_message = "Instances and ingress of each door are its own."
  }
}

run "with_options" {
  variables {
    runtime    = "python313"
    generation = { history_url = "https://history.example/rows" }
    foundation = {
      project_number = "123456789012"
      worker_pool    = "projects/pools/locations/europe-west1/workerPools/private"
      kms_key_name   = "projects/keys/locations/europe-west1/keyRings/ring/cryptoKeys/key"
    }
    egress = { connector = "projects/net/locations/europe-west1/connectors/shared" }
  }

  assert {
    condition = alltrue([for f in google_cloudfunctions2_function.door : [
      f.build_config[0].runtime, f.build_config[0].worker_pool, f.kms_key_name, f.service_config[0].vpc_connector, f.service_config[0].vpc_connector_egress_settings
      ] == [
      "python313", "projects/pools/locations/europe-west1/workerPools/private", "projects/keys/locations/europe-west1/keyRings/ring/cryptoKeys/key",
      "projects/net/locations/europe-west1/connectors/shared", "ALL_TRAFFIC",
    ]])
    error_message = "Runtime, pool, key and connector are every door's."
  }

  assert {
    condition     = alltrue([for f in google_cloudfunctions2_function.door : f.service_config[0].environment_variables.SEGMIND_HISTORY_URL == "https://history.example/rows"])
    error_message = "The history's address reaches every door."
  }

  assert {
    condition     = length(google_vpc_access_connector.out) == 0 && length(data.google_project.this) == 0
    error_message = "An existing connector is used, and a known project number is not asked for."
  }
}

run "a_disabled_secret_version" {
  expect_failures = [data.google_secret_manager_secret_version.pinned]

  override_data {
    target = data.google_secret_manager_secret_version.pinned
    values = {
      enabled = false
    }
  }
}

run "open_with_keys" {
  variables {
    generation      = { images_per_day = 100, images_per_user_per_day = 10 }
    segmind_api_key = { version = "3" }
    access = {
      allow_unauthenticated = true
      auth                  = "keys"
      api_keys_version      = "2"
      cors_origins          = ["https://a.example", "https://b.example"]
      playground            = true
    }
  }

  assert {
    condition = sort([for s in google_cloudfunctions2_function.door["http"].service_config[0].secret_environment_variables : "${s.key}=${s.secret}/${s.version}"]) == sort([
      "API_KEYS=imagegen-api-keys/2", "SEGMIND_API_KEY=imagegen-segmind-api-key/3",
    ])
    error_message = "The HTTP door gets the callers' keys, at their own pinned version."
  }

  assert {
    condition     = [for s in google_cloudfunctions2_function.door["events"].service_config[0].secret_environment_variables : s.key] == ["SEGMIND_API_KEY"]
    error_message = "The other doors do not."
  }

  assert {
    condition = jsonencode({ for name, value in google_cloudfunctions2_function.door["http"].service_config[0].environment_variables : name => value if contains(["AUTH", "CORS_ORIGINS", "PLAYGROUND", "MAX_IMAGES_PER_DAY", "MAX_IMAGES_PER_USER_PER_DAY"], name) }) == jsonencode({
      AUTH = "keys", CORS_ORIGINS = "https://a.example,https://b.example", MAX_IMAGES_PER_DAY = "100", MAX_IMAGES_PER_USER_PER_DAY = "10", PLAYGROUND = "1"
    })
    error_message = "Access and caps reach the function."
  }

  assert {
    condition     = google_cloudfunctions2_function.door["events"].service_config[0].environment_variables.MAX_IMAGES_PER_DAY == "100"
    error_message = "The cap holds at every door."
  }
}

run "oidc" {
  variables {
    access = {
      auth = "oidc"
      oidc = { issuer = "https://securetoken.google.com/my-project", audience = "my-project" }
    }
  }

  assert {
    condition = [for name in ["AUTH", "OIDC_ISSUER", "OIDC_AUDIENCE"] : google_cloudfunctions2_function.door["http"].service_config[0].environment_variables[name]] == [
      "oidc", "https://securetoken.google.com/my-project", "my-project",
    ]
    error_message = "Issuer and audience reach the HTTP door."
  }
}
