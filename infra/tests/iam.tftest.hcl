# Every grant there is, as whole tables: one more, one less or another one fails. tests/deploy holds that no
# resource that grants something is missing here.

mock_provider "google" { source = "./tests/mocks" }
mock_provider "archive" { source = "./tests/mocks" }
mock_provider "time" {}

variables {
  project_id = "my-project"
}

run "by_default" {
  assert {
    condition = sort([for g in values(google_project_iam_member.project) : join(" ", concat([g.project, g.role, g.member], g.condition[*].expression))]) == sort([
      "my-project roles/pubsub.publisher serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com",
      "my-project roles/eventarc.eventReceiver serviceAccount:trigger",
      "my-project roles/logging.logWriter serviceAccount:build",
      "my-project roles/storage.objectViewer serviceAccount:build resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-123456789012-europe-west1\")",
    ])
    error_message = "These and no other grants on the project."
  }

  assert {
    condition = sort([for g in values(google_storage_bucket_iam_member.bucket) : "${g.bucket} ${g.role} ${g.member}"]) == sort([
      "my-project-imagegen-results roles/storage.objectUser serviceAccount:http",
      "my-project-imagegen-results roles/storage.objectUser serviceAccount:events",
      "my-project-imagegen-results roles/storage.objectUser serviceAccount:schedule",
      "my-project-imagegen-uploads roles/storage.objectCreator serviceAccount:http",
      "my-project-imagegen-uploads roles/storage.objectViewer serviceAccount:http",
      "my-project-imagegen-uploads roles/storage.objectCreator serviceAccount:events",
      "my-project-imagegen-uploads roles/storage.objectViewer serviceAccount:events",
      "my-project-imagegen-uploads roles/storage.objectCreator serviceAccount:schedule",
      "my-project-imagegen-uploads roles/storage.objectViewer serviceAccount:schedule",
      "my-project-imagegen-source roles/storage.objectViewer serviceAccount:build",
    ])
    error_message = "These and no other grants on buckets."
  }

  assert {
    condition = sort([for g in values(google_secret_manager_secret_iam_member.secret) : "${g.secret_id} ${g.role} ${g.member}"]) == sort([
      "imagegen-segmind-api-key roles/secretmanager.secretAccessor serviceAccount:http",
      "imagegen-segmind-api-key roles/secretmanager.secretAccessor serviceAccount:events",
      "imagegen-segmind-api-key roles/secretmanager.secretAccessor serviceAccount:schedule",
    ])
    error_message = "These and no other grants on secrets."
  }

  assert {
    condition = sort([for g in values(google_service_account_iam_member.signs_as_itself) : "${g.service_account_id} ${g.role} ${g.member}"]) == sort([
      "accounts/http roles/iam.serviceAccountTokenCreator serviceAccount:http",
      "accounts/events roles/iam.serviceAccountTokenCreator serviceAccount:events",
    ])
    error_message = "Each signing door signs as itself, and as no other account."
  }

  assert {
    condition = [for g in [google_artifact_registry_repository_iam_member.build] : "${g.repository} ${g.role} ${g.member}"] == [
      "imagegen-build roles/artifactregistry.writer serviceAccount:build",
    ]
    error_message = "Only the build account writes images."
  }

  assert {
    condition = sort([for g in concat(values(google_cloud_run_v2_service_iam_member.callers), values(google_cloud_run_v2_service_iam_member.platform)) : "${g.name} ${g.role} ${g.member}"]) == sort([
      "imagegen-events roles/run.invoker serviceAccount:trigger",
      "imagegen-schedule roles/run.invoker serviceAccount:scheduler",
    ])
    error_message = "By default only Google's own callers may call, and each only its door."
  }

  assert {
    condition     = length(google_kms_crypto_key_iam_member.agent) + length(time_sleep.keys) + length(google_pubsub_topic_iam_member.publishes) + length(google_pubsub_subscription_iam_member.forwards) == 0
    error_message = "Without a key or a topic there is no grant on one, and no wait."
  }
}

run "with_everything_on" {
  variables {
    generation      = { images_per_day = 100 }
    segmind_api_key = { create = false, secret_id = "company-segmind-key", version = "7" }
    storage         = { kms_key_name = "projects/keys/locations/europe-west1/keyRings/ring/cryptoKeys/key" }
    access = {
      allow_unauthenticated = true
      auth                  = "keys"
      invokers              = ["group:designers@example.com"]
    }
  }

  assert {
    condition     = sort([for g in values(google_cloud_run_v2_service_iam_member.callers) : "${g.name} ${g.role} ${g.member}"]) == sort(["imagegen-http roles/run.invoker allUsers", "imagegen-http roles/run.invoker group:designers@example.com"])
    error_message = "allow_unauthenticated and invokers open the HTTP door, and only that."
  }

  assert {
    condition = sort([for g in values(google_secret_manager_secret_iam_member.secret) : "${g.secret_id} ${g.role} ${g.member}"]) == sort([
      "company-segmind-key roles/secretmanager.secretAccessor serviceAccount:http",
      "company-segmind-key roles/secretmanager.secretAccessor serviceAccount:events",
      "company-segmind-key roles/secretmanager.secretAccessor serviceAccount:schedule",
      "imagegen-api-keys roles/secretmanager.secretAccessor serviceAccount:http",
    ])
    error_message = "Callers' keys are read by the HTTP door alone."
  }

  assert {
    condition = [for g in values(google_kms_crypto_key_iam_member.agent) : "${g.crypto_key_id} ${g.role} ${g.member}"] == [
      "projects/keys/locations/europe-west1/keyRings/ring/cryptoKeys/key roles/cloudkms.cryptoKeyEncrypterDecrypter serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com",
    ]
    error_message = "Cloud Storage's agent uses the key, on that key alone."
  }

  assert {
    condition     = length(google_project_iam_member.project) == 4 && length(google_storage_bucket_iam_member.bucket) == 10 && length(google_service_account_iam_member.signs_as_itself) == 2
    error_message = "No option adds a grant on the project, a bucket or a service account."
  }
}

run "with_a_key_for_everything" {
  variables {
    storage      = { location = "EU", kms_key_name = "projects/keys/locations/europe/keyRings/ring/cryptoKeys/data" }
    foundation   = { kms_key_name = "projects/keys/locations/europe-west1/keyRings/ring/cryptoKeys/key" }
    completion   = { push_url = "https://app.example.com/ended" }
    dead_letters = true
  }

  assert {
    condition = jsonencode({ for use, g in google_kms_crypto_key_iam_member.agent : use => "${basename(g.crypto_key_id)} ${g.role} ${g.member}" }) == jsonencode({ for use, agent in {
      functions = "key gcf-admin-robot", gcs = "data gs-project-accounts", gcs_source = "key gs-project-accounts", pubsub = "key gcp-sa-pubsub",
      registry  = "key gcp-sa-artifactregistry", run = "key serverless-robot-prod", secrets = "key gcp-sa-secretmanager"
    } : use => "${split(" ", agent)[0]} roles/cloudkms.cryptoKeyEncrypterDecrypter serviceAccount:service-123456789012@${split(" ", agent)[1]}.iam.gserviceaccount.com" })
    error_message = "Each agent that encrypts may use its key, and no other."
  }

  assert {
    condition     = jsonencode(time_sleep.keys[0].triggers) == jsonencode({ for use, g in google_kms_crypto_key_iam_member.agent : use => g.crypto_key_id })
    error_message = "After a grant on a key there is a wait, and another after a grant that is added later."
  }

  assert {
    condition = sort([for g in values(google_pubsub_topic_iam_member.publishes) : "${g.topic} ${g.role} ${g.member}"]) == sort([
      "imagegen-completion roles/pubsub.publisher serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com",
      "imagegen-completion-dead roles/pubsub.publisher serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com",
      "imagegen-events-dead roles/pubsub.publisher serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com",
    ])
    error_message = "Cloud Storage tells what ended, Pub/Sub moves what could not be delivered."
  }

  assert {
    condition = [for g in values(google_pubsub_subscription_iam_member.forwards) : "${g.subscription} ${g.role} ${g.member}"] == [
      "imagegen-completion roles/pubsub.subscriber serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com",
    ]
    error_message = "Moving a message acknowledges it in the subscription."
  }
}

run "on_a_foundation" {
  variables {
    foundation = {
      project_number   = "210987654321"
      enable_apis      = false
      project_grants   = false
      kms_grants       = false
      kms_key_name     = "projects/keys/locations/europe-west1/keyRings/ring/cryptoKeys/key"
      service_accounts = { for key in ["http", "events", "schedule", "trigger", "scheduler", "build"] : key => "own-${key}@my-project.iam.gserviceaccount.com" }
    }
  }

  assert {
    condition     = length(google_project_iam_member.project) + length(google_project_service.apis) + length(google_kms_crypto_key_iam_member.agent) + length(google_service_account.this) == 0
    error_message = "What the central team does is left to it."
  }

  assert {
    condition     = alltrue([for b in concat(values(google_storage_bucket.kept), [google_storage_bucket.source]) : b.encryption[0].default_kms_key_name == "projects/keys/locations/europe-west1/keyRings/ring/cryptoKeys/key"])
    error_message = "The key is used, also where a central team made the grants."
  }

  assert {
    condition = jsonencode({ for door, f in google_cloudfunctions2_function.door : door => [f.service_config[0].service_account_email, f.build_config[0].service_account] }) == jsonencode({ for door in ["events", "http", "schedule"] : door => [
      "own-${door}@my-project.iam.gserviceaccount.com", "projects/my-project/serviceAccounts/own-build@my-project.iam.gserviceaccount.com"
    ] })
    error_message = "The doors run and are built as the accounts that exist."
  }

  assert {
    condition = sort([for g in concat(values(google_cloud_run_v2_service_iam_member.platform), values(google_service_account_iam_member.signs_as_itself)) : g.member]) == sort([
      for key in ["trigger", "scheduler", "http", "events"] : "serviceAccount:own-${key}@my-project.iam.gserviceaccount.com"
    ])
    error_message = "The grants on what the module owns go to them."
  }
}

run "behind_a_proxy" {
  variables {
    front = { domains = ["images.example.com", "img.example.com"], iap = true, members = ["group:designers@example.com"] }
  }

  assert {
    condition = [for g in values(google_project_iam_member.project) : join(" ", concat([g.role, g.member], g.condition[*].expression)) if strcontains(g.role, "iap")] == [
      "roles/iap.httpsResourceAccessor group:designers@example.com request.host == \"images.example.com\" || request.host == \"img.example.com\"",
    ]
    error_message = "Its members may pass, to the front's names alone."
  }

  assert {
    condition     = [for g in values(google_cloud_run_v2_service_iam_member.callers) : "${g.name} ${g.role} ${g.member}"] == ["imagegen-http roles/run.invoker serviceAccount:service-123456789012@gcp-sa-iap.iam.gserviceaccount.com"]
    error_message = "With IAP its agent calls, and no other."
  }
}

run "an_api_that_comes_later" {
  variables {
    front = { domains = ["images.example.com"] }
  }

  assert {
    condition     = strcontains(time_sleep.apis.triggers.apis, "compute.googleapis.com") && strcontains(time_sleep.apis.triggers.apis, "storage.googleapis.com")
    error_message = "Every API is in the wait's triggers, so that one which an option adds gets a wait of its own."
  }
}
