# For an organisation that forbids allUsers and run.app addresses: a load balancer with a certificate of its own, a
# limit for each client address, logs of every request. With iap = true the organisation's sign-in stands before it.

terraform {
  required_version = ">= 1.9"

  required_providers {
    google = { source = "hashicorp/google", version = ">= 6.50, < 8.0" }
    # The module's own. Named here because terraform test mocks only what its root names.
    # tflint-ignore: terraform_unused_required_providers
    archive = { source = "hashicorp/archive", version = ">= 2.7, < 3.0" }
    # tflint-ignore: terraform_unused_required_providers
    time = { source = "hashicorp/time", version = ">= 0.13, < 1.0" }
  }
}

provider "google" {
  project = var.project_id
}

variable "project_id" {
  description = "The existing project that everything is created in"
  type        = string
}

variable "domain" {
  description = "The name that callers use; its A record has to show the output address"
  type        = string
}

variable "iap" {
  description = "Identity-Aware Proxy signs people in; false: callers have API keys"
  type        = bool
  default     = false
}

variable "members" {
  description = "Who may pass the proxy, such as group:designers@example.com"
  type        = set(string)
  default     = []
}

module "imagegen" {
  source = "../.."

  project_id = var.project_id

  front = {
    domains             = [var.domain]
    requests_per_minute = 60
    iap                 = var.iap
    members             = var.members
  }

  # Without a proxy the function asks for keys itself. The platform's own question is then switched off with gcloud
  # (docs/deploy.md, "A public front"): that is no grant to allUsers.
  access     = { auth = var.iap ? "iam" : "keys" }
  generation = { images_per_day = 500 }
}

output "address" {
  description = "What the domain's A record has to show"
  value       = module.imagegen.front.address
}

output "url" {
  description = "What callers use"
  value       = module.imagegen.front.url
}
