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
      "my-project roles/pubsub.publisher serviceAccount:gcs-agent",
      "my-project roles/eventarc.serviceAgent serviceAccount:service-123456789012@gcp-sa-eventarc.iam.gserviceaccount.com",
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
    error_message = "Each signing door signs as itself, and nobody as somebody else."
  }

  assert {
    condition = [for g in [google_artifact_registry_repository_iam_member.build] : "${g.repository} ${g.role} ${g.member}"] == [
      "imagegen-build roles/artifactregistry.writer serviceAccount:build",
    ]
    error_message = "Only the build account writes images."
  }

  assert {
    condition = sort([for g in concat(values(google_cloud_run_v2_service_iam_member.callers), [google_cloud_run_v2_service_iam_member.trigger, google_cloud_run_v2_service_iam_member.scheduler]) : "${g.name} ${g.role} ${g.member}"]) == sort([
      "imagegen-events roles/run.invoker serviceAccount:trigger",
      "imagegen-schedule roles/run.invoker serviceAccount:scheduler",
    ])
    error_message = "By default nobody but Google's own callers may call, and each only its door."
  }

  assert {
    condition     = length(google_kms_crypto_key_iam_member.gcs) == 0
    error_message = "Without a key there is no grant on one."
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
    condition = [for g in google_kms_crypto_key_iam_member.gcs : "${g.crypto_key_id} ${g.role} ${g.member}"] == [
      "projects/keys/locations/europe-west1/keyRings/ring/cryptoKeys/key roles/cloudkms.cryptoKeyEncrypterDecrypter serviceAccount:gcs-agent",
    ]
    error_message = "Cloud Storage's agent uses the key, on that key alone."
  }

  assert {
    condition     = length(google_project_iam_member.project) == 5 && length(google_storage_bucket_iam_member.bucket) == 10 && length(google_service_account_iam_member.signs_as_itself) == 2
    error_message = "No option adds a grant on the project, a bucket or a service account."
  }
}
