terraform {
  required_providers {
    google  = { source = "hashicorp/google", version = ">= 6.50, < 8.0" }
    archive = { source = "hashicorp/archive", version = ">= 2.7, < 3.0" }
    time    = { source = "hashicorp/time", version = ">= 0.13, < 1.0" }
  }
}

module "imagegen" {
  source     = "git::file://REPOSITORY//infra?ref=v0.0.1-test"
  project_id = "my-project"
}

output "source_files" {
  value = module.imagegen.source_files
}
