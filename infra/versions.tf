terraform {
  # 1.9: a variable's validation may look at other variables, which the access rules need.
  required_version = ">= 1.9"

  required_providers {
    # Both majors: what 7.x made required (event_type in event_trigger) is written here too.
    google  = { source = "hashicorp/google", version = ">= 6.50, < 8.0" }
    archive = { source = "hashicorp/archive", version = ">= 2.7, < 3.0" }
    time    = { source = "hashicorp/time", version = ">= 0.13, < 1.0" }
  }
}

# No provider block: every resource names its project, so this folder works as a root and as a module.
