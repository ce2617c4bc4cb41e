# For a vendor or proxy that admits known addresses only: everything that the doors call, they call from one address.

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

module "way_out" {
  source = "../../egress"

  project_id = var.project_id
}

module "imagegen" {
  source = "../.."

  project_id = var.project_id
  access     = { invokers = var.invokers }
  egress     = { subnet = module.way_out.subnet }
}

output "address" {
  description = "What the vendor or proxy has to admit"
  value       = module.way_out.address
}

output "curl" {
  description = "A command that generates an image (USD 0.10)"
  value       = module.imagegen.curl
}
