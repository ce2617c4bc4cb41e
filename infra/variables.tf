# What every deployment sets. What may be spent and by whom, where it is kept, and what a platform team brings along:
# variables_*.tf.

variable "project_id" {
  description = "The existing project that everything is created in"
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id is 6 to 30 lower-case letters, digits and hyphens, a letter first."
  }
}

variable "region" {
  description = "Region of the functions, the scheduler and (unless storage.location says otherwise) the buckets"
  type        = string
  default     = "europe-west1"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region is a Cloud region such as europe-west1."
  }
}

variable "name" {
  description = "First part of every name; another name is another, independent deployment in the same project"
  type        = string
  default     = "imagegen"

  validation {
    # The longest of them is a service account, NAME-scheduler, and those end at 30 characters.
    condition     = can(regex("^[a-z][a-z0-9-]{0,18}[a-z0-9]$", var.name))
    error_message = "name is 2 to 20 lower-case letters, digits and hyphens, a letter first."
  }
}

variable "labels" {
  description = "Labels on everything that takes labels"
  type        = map(string)
  default     = {}
}

variable "log_level" {
  description = "DEBUG, INFO, WARNING, ERROR or CRITICAL; the metrics and alerts need INFO or DEBUG"
  type        = string
  default     = "INFO"

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], var.log_level)
    error_message = "log_level is DEBUG, INFO, WARNING, ERROR or CRITICAL."
  }
}

variable "runtime" {
  description = "Python of the functions. All tests run on python311, those of units and contracts on the newer ones, too"
  type        = string
  default     = "python311"

  validation {
    condition     = contains(["python311", "python312", "python313", "python314"], var.runtime)
    error_message = "runtime is python311, python312, python313 or python314."
  }
}

variable "segmind_api_key" {
  description = "Where Segmind's API key is kept. Its value never passes through Terraform"
  type = object({
    create    = optional(bool, true)  # false: secret_id exists already, with its version
    secret_id = optional(string)      # NAME-segmind-api-key when not set
    version   = optional(string, "1") # the pinned version: rotate by adding one and raising this
  })
  default = {}

  validation {
    condition     = can(regex("^[1-9][0-9]*$", var.segmind_api_key.version))
    error_message = "segmind_api_key.version is a number: \"latest\" would change under running instances."
  }

  validation {
    condition     = var.segmind_api_key.create || var.segmind_api_key.secret_id != null
    error_message = "segmind_api_key.create = false needs the secret_id of the secret that exists."
  }
}

variable "schedules" {
  description = "What Cloud Scheduler calls, by name. An entry with images queues them at every tick; the one without is the sweep"
  type = map(object({
    cron      = string                      # five fields
    time_zone = optional(string, "Etc/UTC") # of the cron
    paused    = optional(bool, false)       # kept, not run
    images = optional(list(object({         # requests, as POST /v1/images takes them
      promptText = string
      ratio      = optional(string)
      referenceImages = list(object({
        tag = string
        uri = optional(string)
      }))
    })), [])
  }))
  default = { sweep = { cron = "*/10 * * * *" } }

  validation {
    condition     = alltrue([for name in keys(var.schedules) : can(regex("^[a-z][a-z0-9-]{0,38}[a-z0-9]$", name)) && name != "reconcile"])
    error_message = "The name of a schedule is 2 to 40 lower-case letters, digits and hyphens, a letter first, and not reconcile, which is var.reconcile."
  }

  validation {
    condition     = alltrue([for s in values(var.schedules) : length(split(" ", s.cron)) == 5])
    error_message = "cron has five fields, separated by one space."
  }

  validation {
    condition     = length([for s in values(var.schedules) : s if length(s.images) == 0]) == 1
    error_message = "Exactly one schedule has no images: the sweep, which ends what crashed instances left behind."
  }

  validation {
    condition     = alltrue(flatten([for s in values(var.schedules) : [for i in s.images : length(i.referenceImages) <= 3]]))
    error_message = "An image takes at most 3 referenceImages."
  }
}

variable "reconcile" {
  description = "When yesterday's account (UTC) is compared with Segmind's history. Not at all with generation.history_url = \"\""
  type = object({
    cron      = optional(string, "0 5 * * *") # five fields; hours after midnight UTC, since rows of the history can be late
    time_zone = optional(string, "Etc/UTC")   # of the cron
    paused    = optional(bool, false)         # kept, not run
  })
  default = {}

  validation {
    condition     = length(split(" ", var.reconcile.cron)) == 5
    error_message = "reconcile.cron has five fields, separated by one space."
  }
}
