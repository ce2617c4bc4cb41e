# For a browser application: its users' own tokens, caps for all and for each, alerts, a key of your own, a
# bucket in the EU, one image every weekday morning.

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

variable "billing_account" {
  description = "Billing account of the project"
  type        = string
}

variable "kms_key_name" {
  description = "A key in location europe: projects/…/locations/europe/keyRings/…/cryptoKeys/…"
  type        = string
}

module "imagegen" {
  source = "../.."

  project_id = var.project_id
  region     = "europe-west1"
  labels     = { app = "imagegen", environment = "production" }

  # Firebase: the browser sends its user's ID token.
  access = {
    allow_unauthenticated = true
    auth                  = "oidc"
    cors_origins          = ["https://app.example.com"]
    oidc = {
      issuer   = "https://securetoken.google.com/${var.project_id}"
      audience = var.project_id
    }
  }

  generation = {
    api                     = "v2" # goes on after a crash
    images_per_day          = 1000 # USD 100 a day at the most
    images_per_user_per_day = 20
  }

  doors = {
    http   = { min_instances = 1, max_instances = 5 }
    events = { max_instances = 3 }
  }

  storage = {
    location     = "EU"
    kms_key_name = var.kms_key_name
    delete_after_days = {
      results = 365
    }
  }

  schedules = {
    sweep = { cron = "*/5 * * * *" }
    hero = {
      cron      = "0 6 * * 1-5"
      time_zone = "Europe/Berlin"
      images = [{
        promptText      = "@product on a table in the morning sun"
        ratio           = "1920:1080"
        referenceImages = [{ tag = "product", uri = "https://www.example.com/product.jpg" }]
      }]
    }
  }

  monitoring = {
    emails      = ["ops@example.com"]
    credits_low = 50
  }

  budget = {
    billing_account = var.billing_account
    amount          = 100
  }
}

output "urls" {
  description = "Address of each door"
  value       = module.imagegen.urls
}

output "dashboard" {
  description = "The dashboard, in the console"
  value       = module.imagegen.dashboard
}
