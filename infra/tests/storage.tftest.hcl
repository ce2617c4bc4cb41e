# Buckets, secrets and what is zipped.

mock_provider "google" { source = "./tests/mocks" }
mock_provider "archive" { source = "./tests/mocks" }
mock_provider "time" {}

variables {
  project_id = "my-project"
}

run "by_default" {
  assert {
    condition = [for b in [google_storage_bucket.kept["results"], google_storage_bucket.kept["uploads"], google_storage_bucket.source] :
      "${b.name} ${b.location} ${b.uniform_bucket_level_access} ${b.public_access_prevention} ${b.force_destroy} ${b.soft_delete_policy[0].retention_duration_seconds}"
      ] == [
      "my-project-imagegen-results europe-west1 true enforced false 604800",
      "my-project-imagegen-uploads europe-west1 true enforced false 604800",
      "my-project-imagegen-source europe-west1 true enforced true 0",
    ]
    error_message = "Three private buckets, soft delete set for each."
  }

  assert {
    condition = jsonencode([for b in [google_storage_bucket.kept["results"], google_storage_bucket.kept["uploads"]] :
      { for r in b.lifecycle_rule : one(one(r.condition).matches_prefix) => "${one(r.action).type} ${one(r.condition).age}" }
    ]) == jsonencode([{ "spend/" = "Delete 90" }, { "jobs/" = "Delete 7", "references/" = "Delete 7" }])
    error_message = "Images, the account and photos stay; slots, references and queued jobs go."
  }

  assert {
    condition     = length(google_storage_bucket.kept["uploads"].cors) + length(google_storage_bucket.kept["results"].cors) + length(google_storage_bucket.kept["results"].encryption) + length(google_storage_bucket.kept["uploads"].encryption) == 0
    error_message = "No CORS and no key unless asked for."
  }

  assert {
    condition     = google_storage_bucket_object.source.name == "function-0123abcd.zip" && google_storage_bucket_object.source.source == data.archive_file.source.output_path
    error_message = "The object's name has the zip's hash, so that a change redeploys."
  }

  assert {
    condition     = [data.archive_file.source.type, data.archive_file.source.source_dir, data.archive_file.source.output_file_mode] == ["zip", "./../function", "0644"]
    error_message = "The zip is made of function/ alone."
  }

  assert {
    condition     = length(output.source_files) > 10 && contains(output.source_files, "main.py") && contains(output.source_files, "requirements.txt") && contains(output.source_files, "imagegen/settings.py")
    error_message = "The zip has the entry points, the requirements and the package."
  }

  assert {
    condition     = alltrue([for file in output.source_files : can(regex("^(main\\.py|requirements\\.txt|imagegen/.+)$", file)) && !can(regex("__pycache__|\\.pyc$|test|(^|/)\\.", file))])
    error_message = "The zip has no tests, caches or hidden files."
  }

  assert {
    condition     = setunion(output.source_files, data.archive_file.source.excludes) == fileset("../function", "**") && length(setintersection(output.source_files, data.archive_file.source.excludes)) == 0
    error_message = "Every file of function/ is either deployed or excluded."
  }

  assert {
    condition     = google_secret_manager_secret.own["segmind_api_key"].secret_id == "imagegen-segmind-api-key" && length(google_secret_manager_secret.own) == 1
    error_message = "One secret."
  }

  assert {
    condition     = jsonencode({ for k, v in data.google_secret_manager_secret_version.pinned : k => [v.secret, v.version, v.fetch_secret_data] }) == jsonencode({ SEGMIND_API_KEY = ["imagegen-segmind-api-key", "1", false] })
    error_message = "The pinned version is looked up, and its value is not."
  }

  assert {
    condition     = alltrue([for api in google_project_service.apis : !api.disable_on_destroy]) && length(google_project_service.apis) == 14
    error_message = "No API is switched off by a destroy."
  }

  assert {
    condition     = sort([for policy in google_artifact_registry_repository.build.cleanup_policies : policy.action]) == sort(["DELETE", "KEEP"]) && !google_artifact_registry_repository.build.cleanup_policy_dry_run
    error_message = "Old images of the functions are cleaned up."
  }
}

run "with_everything_on" {
  variables {
    segmind_api_key = { create = false, secret_id = "company-key" }
    generation      = { images_per_day = 100 }
    access          = { auth = "keys", allow_unauthenticated = true, cors_origins = ["https://app.example.com"] }
    storage = {
      location          = "EU"
      kms_key_name      = "projects/keys/locations/europe/keyRings/ring/cryptoKeys/key"
      soft_delete_days  = 0
      force_destroy     = true
      delete_after_days = { results = 365, spend = 30, ledger = 400, references = 2, jobs = 3, photos = 30 }
    }
  }

  assert {
    condition = [for b in [google_storage_bucket.kept["results"], google_storage_bucket.kept["uploads"]] :
      "${b.location} ${b.force_destroy} ${b.soft_delete_policy[0].retention_duration_seconds} ${b.encryption[0].default_kms_key_name}"
    ] == [for n in [1, 2] : "EU true 0 projects/keys/locations/europe/keyRings/ring/cryptoKeys/key"]
    error_message = "Both buckets take location, key and soft delete."
  }

  assert {
    condition = jsonencode([for b in [google_storage_bucket.kept["results"], google_storage_bucket.kept["uploads"]] : [
      for r in b.lifecycle_rule : join(" ", concat([one(r.condition).age], coalesce(one(r.condition).matches_prefix, []), coalesce(one(r.condition).matches_suffix, [])))
      ]]) == jsonencode([
      [
        "364 jobs/ /sent.json /submitted.json",
        "365 jobs/ /image.jpg /image.png /image.webp /result.json /lost.json /rejected /deleted.json",
        "366 jobs/",
        "30 spend/",
        "400 ledger/ reports/ settled/",
      ],
      ["3 jobs/", "2 references/", "30"],
    ])
    error_message = "Each prefix has its own days, and a claim goes after its end, which goes after the traces of its call."
  }

  assert {
    condition     = google_cloudfunctions2_function.door["events"].event_trigger[0].trigger_region == "eu"
    error_message = "The trigger is where the bucket is, not where the function is."
  }

  assert {
    condition = jsonencode([for b in [google_storage_bucket.kept["results"], google_storage_bucket.kept["uploads"]] : [for c in b.cors : [c.origin, c.method]]]) == jsonencode([
      [[["https://app.example.com", "null"], ["GET", "HEAD"]]],
      [[["https://app.example.com"], ["PUT"]]],
    ])
    error_message = "Browsers of these origins may read images, also behind a redirect, and PUT uploads."
  }

  assert {
    condition     = length(google_secret_manager_secret.own) == 1 && google_secret_manager_secret.own["api_keys"].secret_id == "imagegen-api-keys"
    error_message = "An existing secret is used, not created; callers' keys have their own."
  }
}

run "every_origin_and_a_key_for_all" {
  variables {
    generation = { images_per_day = 100 }
    access     = { auth = "none", allow_unauthenticated = true, cors_origins = ["*"] }
    foundation = { kms_key_name = "projects/keys/locations/europe-west1/keyRings/ring/cryptoKeys/key" }
    source_zip = "build/function.zip"
  }

  assert {
    condition     = alltrue([for b in google_storage_bucket.kept : b.cors[0].origin == tolist(["*"])])
    error_message = "A star is not mixed with origins."
  }

  assert {
    condition = alltrue([for key in concat(
      [for b in google_storage_bucket.kept : b.encryption[0].default_kms_key_name],
      [google_storage_bucket.source.encryption[0].default_kms_key_name, google_artifact_registry_repository.build.kms_key_name],
      [for r in google_secret_manager_secret.own["segmind_api_key"].replication[0].user_managed[0].replicas : r.customer_managed_encryption[0].kms_key_name],
    ) : key == "projects/keys/locations/europe-west1/keyRings/ring/cryptoKeys/key"])
    error_message = "One key of the region encrypts images, uploads, source, function images and secrets."
  }

  assert {
    condition     = [for r in google_secret_manager_secret.own["segmind_api_key"].replication[0].user_managed[0].replicas : r.location] == ["europe-west1"]
    error_message = "A secret under a key of the region stays in the region."
  }

  assert {
    condition     = data.archive_file.source.output_path == "build/function.zip" && output.source_zip == "build/function.zip" && google_storage_bucket_object.source.source == "build/function.zip"
    error_message = "The zip is where a pipeline wants it, to hand it over together with the plan."
  }
}
