# A way out with a static address, for a project that has no network of its own: a subnet for the connector, and a NAT
# that gives all of it one address. A module beside imagegen, because a network often belongs to another team.

terraform {
  required_version = ">= 1.9"

  required_providers {
    google = { source = "hashicorp/google", version = ">= 6.50, < 8.0" }
    time   = { source = "hashicorp/time", version = ">= 0.13, < 1.0" }
  }
}

variable "project_id" {
  description = "The existing project that the network is created in"
  type        = string
}

variable "region" {
  description = "Region of the functions"
  type        = string
  default     = "europe-west1"
}

variable "name" {
  description = "First part of every name"
  type        = string
  default     = "imagegen"
}

variable "range" {
  description = "Addresses of the connector's instances: a /28, by the connector's rule"
  type        = string
  default     = "10.8.0.0/28"

  validation {
    condition     = can(cidrnetmask(var.range)) && endswith(var.range, "/28")
    error_message = "range is a /28 such as 10.8.0.0/28."
  }
}

variable "labels" {
  description = "Labels on the address"
  type        = map(string)
  default     = {}
}

resource "google_project_service" "compute" {
  project            = var.project_id
  service            = "compute.googleapis.com"
  disable_on_destroy = false
}

# A freshly enabled API answers 403 for a moment.
resource "time_sleep" "api" {
  create_duration = "60s"
  triggers        = { api = google_project_service.compute.service }
}

resource "google_compute_network" "out" {
  # checkov:skip=CKV2_GCP_18:The connector brings its own firewall rules; nothing else is in this network.
  project                 = var.project_id
  name                    = "${var.name}-out"
  auto_create_subnetworks = false

  depends_on = [time_sleep.api]
}

resource "google_compute_subnetwork" "connector" {
  # checkov:skip=CKV_GCP_26:The doors' own log has a line for each call; flow logs would repeat them, for money.
  # checkov:skip=CKV_GCP_76:It has no IPv6.
  project                  = var.project_id
  region                   = var.region
  name                     = "${var.name}-out"
  network                  = google_compute_network.out.id
  ip_cidr_range            = var.range
  private_ip_google_access = true # calls of Google's own APIs need no NAT
}

resource "google_compute_address" "out" {
  project = var.project_id
  region  = var.region
  name    = "${var.name}-out"
  labels  = var.labels

  depends_on = [time_sleep.api]
}

resource "google_compute_router" "out" {
  project = var.project_id
  region  = var.region
  name    = "${var.name}-out"
  network = google_compute_network.out.id
}

resource "google_compute_router_nat" "out" {
  project                            = var.project_id
  region                             = var.region
  name                               = "${var.name}-out"
  router                             = google_compute_router.out.name
  nat_ip_allocate_option             = "MANUAL_ONLY"
  nat_ips                            = [google_compute_address.out.self_link]
  source_subnetwork_ip_ranges_to_nat = "LIST_OF_SUBNETWORKS"

  # Every open call to Segmind is a port, all to one address; by default there were 64 for each of the connector's
  # instances. One address has 64,512: enough for seven instances.
  min_ports_per_vm = 8192

  subnetwork {
    name                    = google_compute_subnetwork.connector.self_link
    source_ip_ranges_to_nat = ["ALL_IP_RANGES"]
  }

  log_config {
    enable = true
    filter = "ERRORS_ONLY" # a NAT without free ports drops connections
  }
}

output "subnet" {
  description = "What goes into the module's egress.subnet; known once there is a way out"
  value       = google_compute_subnetwork.connector.name

  depends_on = [google_compute_router_nat.out]
}

output "address" {
  description = "The static address that the vendor or proxy has to admit"
  value       = google_compute_address.out.address
}
