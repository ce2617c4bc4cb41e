# Who GitHub Actions is to one environment's project: two accounts without keys. A pull request may plan, which reads;
# a job that names the GitHub environment may apply.

terraform {
  required_version = ">= 1.9"

  required_providers {
    google = { source = "hashicorp/google", version = ">= 6.50, < 8.0" }
  }
}

provider "google" {
  project = var.project_id
}

variable "project_id" {
  description = "The environment's project"
  type        = string
}

variable "environment" {
  description = "The GitHub environment, whose reviewers approve an apply"
  type        = string
}

variable "repository" {
  description = "OWNER/NAME of the repository"
  type        = string
}

variable "repository_id" {
  description = "The repository's number (gh api repos/OWNER/NAME --jq .id): a name can be registered again by a stranger"
  type        = string
}

variable "state_bucket" {
  description = "The bucket of Terraform's state"
  type        = string
}

locals {
  # GitHub's `sub` of a job of a pull request, and of one that names an environment.
  accounts = {
    plan  = { subject = "repo:${var.repository}:pull_request", state = "roles/storage.objectViewer" }
    apply = { subject = "repo:${var.repository}:environment:${var.environment}", state = "roles/storage.objectUser" }
  }

  # A plan reads everything and changes nothing. An apply has the roles of docs/deploy.md.
  roles = {
    plan = ["roles/viewer", "roles/iam.securityReviewer"]
    apply = [
      "roles/artifactregistry.admin",
      "roles/cloudfunctions.developer",
      "roles/cloudscheduler.admin",
      "roles/iam.serviceAccountAdmin",
      "roles/iam.serviceAccountUser",
      "roles/logging.configWriter",
      "roles/monitoring.editor",
      "roles/resourcemanager.projectIamAdmin",
      "roles/run.admin",
      "roles/secretmanager.admin",
      "roles/serviceusage.serviceUsageAdmin",
      "roles/storage.admin",
    ]
  }

  grants = merge([for account, roles in local.roles : { for role in roles : "${account} ${role}" => { account = account, role = role } }]...)
}

resource "google_iam_workload_identity_pool" "github" {
  project                   = var.project_id
  workload_identity_pool_id = "github"
}

resource "google_iam_workload_identity_pool_provider" "github" {
  # checkov:skip=CKV_GCP_125:It looks for assertion.sub; here the repository's number is asked for, and each account takes one sub.
  project                            = var.project_id
  workload_identity_pool_id          = google_iam_workload_identity_pool.github.workload_identity_pool_id
  workload_identity_pool_provider_id = "github"

  attribute_mapping   = { "google.subject" = "assertion.sub" }
  attribute_condition = "assertion.repository_id == \"${var.repository_id}\""

  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

resource "google_service_account" "github" {
  for_each = local.accounts

  project      = var.project_id
  account_id   = "imagegen-${each.key}"
  display_name = "GitHub Actions: ${each.key}"
}

resource "google_service_account_iam_member" "github" {
  for_each = local.accounts

  service_account_id = google_service_account.github[each.key].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principal://iam.googleapis.com/${google_iam_workload_identity_pool.github.name}/subject/${each.value.subject}"
}

resource "google_project_iam_member" "github" {
  for_each = local.grants

  project = var.project_id
  role    = each.value.role
  member  = google_service_account.github[each.value.account].member
}

resource "google_storage_bucket_iam_member" "state" {
  for_each = local.accounts

  bucket = var.state_bucket
  role   = each.value.state
  member = google_service_account.github[each.key].member
}

output "identity_env" {
  description = "The lines of environments/NAME/identity.env"
  value       = <<-EOT
    WORKLOAD_IDENTITY_PROVIDER=${google_iam_workload_identity_pool_provider.github.name}
    PLANNER=${google_service_account.github["plan"].email}
    APPLIER=${google_service_account.github["apply"].email}
  EOT
}
