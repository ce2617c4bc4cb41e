# The way in (var.front) and the way out (var.egress). Both are optional: without them the HTTP door has its run.app
# address, and outgoing calls come from Google's own.

locals {
  behind_iap = var.front == null ? false : var.front.iap
  front      = var.front == null ? toset([]) : toset(["http"])
  url        = var.front == null ? google_cloudfunctions2_function.door["http"].service_config[0].uri : "https://${var.front.domains[0]}"

  makes_connector  = var.egress == null ? false : var.egress.subnet != null
  connector        = var.egress == null ? null : coalesce(var.egress.connector, one(google_vpc_access_connector.out[*].id))
  connector_egress = var.egress == null ? null : var.egress.private_ranges_only ? "PRIVATE_RANGES_ONLY" : "ALL_TRAFFIC"
}

resource "google_compute_global_address" "front" {
  for_each = local.front

  project = var.project_id
  name    = "${var.name}-front"
  labels  = var.labels

  depends_on = [time_sleep.apis]
}

resource "google_compute_managed_ssl_certificate" "front" {
  for_each = local.front

  project = var.project_id
  name    = "${var.name}-${substr(sha256(join(",", var.front.domains)), 0, 8)}" # other domains, another certificate

  managed {
    domains = var.front.domains
  }

  lifecycle {
    create_before_destroy = true
  }

  depends_on = [time_sleep.apis]
}

resource "google_compute_region_network_endpoint_group" "front" {
  for_each = local.front

  project               = var.project_id
  name                  = "${var.name}-http"
  region                = var.region
  network_endpoint_type = "SERVERLESS"

  cloud_run {
    service = google_cloudfunctions2_function.door["http"].name
  }
}

resource "google_compute_security_policy" "front" {
  # checkov:skip=CKV_GCP_73:The rule is for log4j, which a Python function does not have.
  for_each = local.front

  project     = var.project_id
  name        = "${var.name}-front"
  description = "So many requests a minute from one address"

  rule {
    action      = "throttle"
    priority    = 1000
    description = "${var.front.requests_per_minute} a minute for one address"

    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }

    rate_limit_options {
      conform_action = "allow"
      exceed_action  = "deny(429)"
      enforce_on_key = "IP"

      rate_limit_threshold {
        count        = var.front.requests_per_minute
        interval_sec = 60
      }
    }
  }

  rule {
    action      = "allow"
    priority    = 2147483647
    description = "the API wants a last rule"

    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }
  }

  depends_on = [time_sleep.apis]
}

resource "google_compute_backend_service" "front" {
  for_each = local.front

  project               = var.project_id
  name                  = "${var.name}-http"
  protocol              = "HTTPS"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  security_policy       = google_compute_security_policy.front[each.key].id

  backend {
    group = google_compute_region_network_endpoint_group.front[each.key].id
  }

  # Google's own OAuth client; who may pass is a grant in iam.tf.
  dynamic "iap" {
    for_each = local.behind_iap ? [true] : []
    content {
      enabled = true
    }
  }

  log_config {
    enable      = true
    sample_rate = 1
  }
}

resource "google_compute_url_map" "front" {
  for_each = local.front

  project         = var.project_id
  name            = "${var.name}-front"
  default_service = google_compute_backend_service.front[each.key].id
}

resource "google_compute_target_https_proxy" "front" {
  for_each = local.front

  project          = var.project_id
  name             = "${var.name}-front"
  url_map          = google_compute_url_map.front[each.key].id
  ssl_certificates = [google_compute_managed_ssl_certificate.front[each.key].id]
}

# Only HTTPS: a request that began in clear text would have shown its key already.
resource "google_compute_global_forwarding_rule" "front" {
  for_each = local.front

  project               = var.project_id
  name                  = "${var.name}-front"
  target                = google_compute_target_https_proxy.front[each.key].id
  ip_address            = google_compute_global_address.front[each.key].id
  port_range            = "443"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  labels                = var.labels
}

resource "google_vpc_access_connector" "out" {
  count = local.makes_connector ? 1 : 0

  project       = var.project_id
  region        = var.region
  name          = "${var.name}-out"
  machine_type  = "e2-micro"
  min_instances = 2
  max_instances = 3

  subnet {
    name       = var.egress.subnet
    project_id = coalesce(var.egress.subnet_project, var.project_id)
  }

  depends_on = [time_sleep.apis]
}
