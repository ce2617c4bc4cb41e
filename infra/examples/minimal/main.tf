# Private and small: only those in `invokers` may call.

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

variable "invokers" {
  description = "Who may call: user:…, group:… or serviceAccount:…"
  type        = set(string)
}

module "imagegen" {
  source = "../.."

  project_id = var.project_id
  access     = { invokers = var.invokers }
}

output "curl" {
  description = "A command that generates an image (USD 0.10)"
  value       = module.imagegen.curl
}
