# What is told to others, and what could not be delivered. Pub/Sub does it; no code of ours delivers anything.

locals {
  completion   = var.completion == null ? toset([]) : toset(["told"])
  dead_letters = toset(concat(var.dead_letters ? ["events"] : [], var.completion == null ? [] : ["completion"]))

  # A notification's filter knows prefixes only, so the subscription takes result.json out of all that is finalized
  # below jobs/, and lifts the object's metadata into attributes. tests/deploy runs it.
  only_ends = <<-EOT
    function onlyEnds(message, metadata) {
      if (!message.attributes.objectId.endsWith("/result.json")) {
        return null;
      }
      const told = JSON.parse(message.data).metadata || {};
      const attributes = Object.assign({}, message.attributes);
      for (const field of ["id", "status", "code"]) {
        if (told[field]) {
          attributes[field] = told[field];
        }
      }
      return { data: message.data, attributes: attributes };
    }
  EOT
}

resource "google_pubsub_topic" "completion" {
  for_each = local.completion

  project      = var.project_id
  name         = "${var.name}-completion"
  labels       = var.labels
  kms_key_name = local.regional_key

  depends_on = [time_sleep.apis, time_sleep.keys]
}

# Cloud Storage looks for its right to publish when this is made.
resource "google_storage_notification" "completion" {
  for_each = local.completion

  bucket             = google_storage_bucket.kept["results"].name
  topic              = google_pubsub_topic.completion[each.key].id
  payload_format     = "JSON_API_V1"
  event_types        = ["OBJECT_FINALIZE"]
  object_name_prefix = "jobs/"

  depends_on = [time_sleep.grants]
}

resource "google_pubsub_subscription" "completion" {
  for_each = local.completion

  project                    = var.project_id
  name                       = "${var.name}-completion"
  topic                      = google_pubsub_topic.completion[each.key].id
  labels                     = var.labels
  ack_deadline_seconds       = 60
  message_retention_duration = "604800s"

  message_transforms {
    javascript_udf {
      function_name = "onlyEnds"
      code          = local.only_ends
    }
  }

  push_config {
    push_endpoint = var.completion.push_url
    oidc_token {
      service_account_email = local.account.push.email
      audience              = coalesce(var.completion.audience, var.completion.push_url)
    }
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead["completion"].id
    max_delivery_attempts = var.completion.attempts
  }

  expiration_policy {
    ttl = "" # never: a quiet month must not end it
  }
}

resource "google_pubsub_topic" "dead" {
  for_each = local.dead_letters

  project      = var.project_id
  name         = "${var.name}-${each.key}-dead"
  labels       = var.labels
  kms_key_name = local.regional_key

  depends_on = [time_sleep.apis, time_sleep.keys]
}

# Kept for a person to look at and to send again.
resource "google_pubsub_subscription" "dead" {
  for_each = local.dead_letters

  project                    = var.project_id
  name                       = "${var.name}-${each.key}-dead"
  topic                      = google_pubsub_topic.dead[each.key].id
  labels                     = var.labels
  message_retention_duration = "604800s"

  expiration_policy {
    ttl = ""
  }
}
