output "urls" {
  description = "Address of each door; callers use http, or front where there is one"
  value       = { for door in keys(local.names) : door => google_cloudfunctions2_function.door[door].service_config[0].uri }
}

output "buckets" {
  description = "Names of the buckets: results, uploads and source"
  value       = merge({ for key, bucket in google_storage_bucket.kept : key => bucket.name }, { source = google_storage_bucket.source.name })
}

output "service_accounts" {
  description = "Email of each service account, by what it is for"
  value       = { for key, account in local.account : key => account.email }
}

output "secrets" {
  description = "Each secret that is mounted, and the version that is pinned"
  value       = { for key, s in local.mounted : key => "projects/${var.project_id}/secrets/${s.secret}/versions/${s.version}" }
}

output "source_files" {
  description = "What was deployed: every file in the zip"
  value       = local.source_files
}

output "source_zip" {
  description = "The zip that a plan wrote and that its apply reads: both have to run on the same files"
  value       = data.archive_file.source.output_path
}

output "front" {
  description = "URL of the load balancer, and the address that its domains have to point to; null without one"
  value       = var.front == null ? null : { url = local.url, address = google_compute_global_address.front["http"].address }
}

output "topics" {
  description = "Pub/Sub topics: the ended images, and what could not be delivered"
  value = merge(
    { for key, topic in google_pubsub_topic.completion : "completion" => topic.id },
    { for key, topic in google_pubsub_topic.dead : "${key}_dead" => topic.id },
  )
}

output "curl" {
  description = "A command that generates an image (USD 0.10), as the caller whom access lets in"
  value = join(" ", compact([
    "curl -sS '${local.url}/v1/images'",
    {
      iam  = "-H \"Authorization: Bearer $(gcloud auth print-identity-token)\""
      oidc = "-H \"Authorization: Bearer $ID_TOKEN\""
      keys = "-H \"x-api-key: $API_KEY\""
      none = ""
    }[var.access.auth],
    "-H 'Content-Type: application/json' -H \"Idempotency-Key: $(date +%s)\"",
    "-d '${jsonencode({ promptText = "A lighthouse at dawn", referenceImages = [] })}'",
  ]))
}

output "dashboard" {
  description = "The dashboard, in the console"
  value       = "https://console.cloud.google.com/monitoring/dashboards/builder/${basename(google_monitoring_dashboard.this.id)}?project=${var.project_id}"
}
