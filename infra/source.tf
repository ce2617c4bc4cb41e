# From the folder function/ to an object that Google builds from.

locals {
  source_dir = "${path.module}/../function"

  # What is deployed is listed, not what is not: nothing gets in by lying around.
  source_globs = ["main.py", "requirements.txt", "imagegen/**"]
  junk_globs   = ["**/__pycache__/**", "**/*.pyc", "**/.*"]

  wanted       = setunion([for glob in local.source_globs : fileset(local.source_dir, glob)]...)
  junk         = setunion([for glob in local.junk_globs : fileset(local.source_dir, glob)]...)
  source_files = setsubtract(local.wanted, local.junk)
}

data "archive_file" "source" {
  type        = "zip"
  source_dir  = local.source_dir
  excludes    = setsubtract(fileset(local.source_dir, "**"), local.source_files)
  output_path = coalesce(var.source_zip, "${path.module}/function.zip")

  # The same zip under every umask.
  output_file_mode = "0644"
}

resource "google_storage_bucket" "source" {
  # checkov:skip=CKV_GCP_62:Access logs of a bucket that only builds read tell nothing; audit logs are the project's.
  # checkov:skip=CKV_GCP_78:A new source is a new object: nothing is ever overwritten.
  project                     = var.project_id
  name                        = "${var.project_id}-${var.name}-source"
  location                    = var.region
  labels                      = var.labels
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true # every object in it can be made again from function/

  soft_delete_policy {
    retention_duration_seconds = 0
  }

  dynamic "encryption" {
    for_each = local.regional_key[*]
    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [time_sleep.apis, time_sleep.keys]
}

resource "google_storage_bucket_object" "source" {
  # The name is what a function's update looks at: other content, other name, another deployment. The file is written
  # by the plan and read by the apply: where those run on two machines, it goes along with the plan (docs/deploy.md).
  name   = "function-${data.archive_file.source.output_sha256}.zip"
  bucket = google_storage_bucket.source.name
  source = data.archive_file.source.output_path
}

# Not the shared gcf-artifacts: there the build account would need a role on everyone's images.
resource "google_artifact_registry_repository" "build" {
  project                = var.project_id
  location               = var.region
  repository_id          = "${var.name}-build"
  description            = "Images of the ${var.name} functions"
  format                 = "DOCKER"
  labels                 = var.labels
  kms_key_name           = local.regional_key
  cleanup_policy_dry_run = false

  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"
    most_recent_versions {
      keep_count = 5
    }
  }
  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      older_than = "2592000s" # 30 days
    }
  }

  depends_on = [time_sleep.apis, time_sleep.keys]
}
