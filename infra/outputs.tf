output "urls" {
  description = "Address of each door; callers use http"
  value = {
    http     = google_cloudfunctions2_function.http.service_config[0].uri
    events   = google_cloudfunctions2_function.events.service_config[0].uri
    schedule = google_cloudfunctions2_function.schedule.service_config[0].uri
  }
}

output "buckets" {
  description = "Names of the buckets: results, uploads and source"
  value = {
    results = google_storage_bucket.results.name
    uploads = google_storage_bucket.uploads.name
    source  = google_storage_bucket.source.name
  }
}

output "service_accounts" {
  description = "Email of each service account, by what it is for"
  value       = { for key, account in google_service_account.this : key => account.email }
}

output "secrets" {
  description = "Each secret that is mounted, and the version that is pinned"
  value       = { for key, s in local.http_secret_environment : key => "projects/${var.project_id}/secrets/${s.secret}/versions/${s.version}" }
}

output "source_files" {
  description = "What was deployed: every file in the zip"
  value       = local.source_files
}

output "curl" {
  description = "A command that generates an image (USD 0.10), as the caller whom access lets in"
  value = join(" ", compact([
    "curl -sS '${google_cloudfunctions2_function.http.service_config[0].uri}/v1/images'",
    {
      iam  = "-H \"Authorization: Bearer $(gcloud auth print-identity-token)\""
      oidc = "-H \"Authorization: Bearer $ID_TOKEN\""
      keys = "-H \"x-api-key: $API_KEY\""
      none = ""
    }[var.access.auth],
    "-H 'Content-Type: application/json' -H \"Idempotency-Key: $(uuidgen)\"",
    "-d '${jsonencode({ promptText = "A lighthouse at dawn", referenceImages = [] })}'",
  ]))
}

output "dashboard" {
  description = "The dashboard, in the console"
  value       = "https://console.cloud.google.com/monitoring/dashboards/builder/${basename(google_monitoring_dashboard.this.id)}?project=${var.project_id}"
}
