# Deployed by GitHub Actions: a pull request shows a plan for each environment, main applies those very plans, and no
# key is kept anywhere. Copy this folder to the root of a repository of your own; docs/deploy.md has the steps.
#   identity/                 who GitHub is to Google Cloud: applied once by hand, for each environment
#   environments/NAME/        one folder of settings an environment
#   .github/workflows/        plan and apply

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

  backend "gcs" {} # environments/NAME/backend.hcl
}

provider "google" {
  project = var.project_id
}

variable "project_id" {
  description = "The environment's project"
  type        = string
}

variable "images_per_day" {
  description = "Cap on paid images a day"
  type        = number
}

variable "invokers" {
  description = "Who may call: user:…, group:… or serviceAccount:…"
  type        = set(string)
}

variable "emails" {
  description = "Who is told when something is wrong"
  type        = set(string)
}

module "imagegen" {
  # In your repository: source = "git::https://github.com/OWNER/REPOSITORY.git//infra?ref=v1.0.0"
  source = "../.."

  project_id = var.project_id
  source_zip = "${path.root}/function.zip" # handed over together with the plan

  generation = { images_per_day = var.images_per_day }
  access     = { invokers = var.invokers }
  monitoring = { emails = var.emails }
}

output "urls" {
  description = "Address of each door"
  value       = module.imagegen.urls
}
