# Where images are kept and for how long, and who is told when something is wrong.

variable "storage" {
  description = "The two buckets, and the links to what is in them"
  type = object({
    location               = optional(string)       # a region, or EU, US, ASIA; the region when not set
    kms_key_name           = optional(string)       # projects/…/cryptoKeys/…, in that location; foundation.kms_key_name when not set
    soft_delete_days       = optional(number, 7)    # a deleted object can be restored for so long; 0, or 7 to 90
    signed_url_ttl_seconds = optional(number, 3600) # how long a link to an image lasts
    force_destroy          = optional(bool, false)  # true: terraform destroy takes the images with it
    delete_after_days = optional(object({
      results    = optional(number)     # images and how each request ended; never when not set. An idempotency key is remembered as long
      spend      = optional(number, 90) # the day's slots, which the cap is counted with
      ledger     = optional(number)     # the account and its daily reports; never when not set. They hold no prompts
      references = optional(number, 7)  # uploaded and staged reference images
      jobs       = optional(number, 7)  # queued jobs; they hold prompts
      photos     = optional(number)     # photos that were dropped with a prompt, and all else in uploads; never when not set
    }), {})
  })
  default = {}

  validation {
    condition     = var.storage.location == null ? true : can(regex("^([a-z]+-[a-z]+[0-9]+|EU|US|ASIA)$", var.storage.location))
    error_message = "storage.location is a region such as europe-west1, or EU, US or ASIA."
  }

  validation {
    condition     = var.storage.kms_key_name == null ? true : can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.storage.kms_key_name))
    error_message = "storage.kms_key_name is projects/…/locations/…/keyRings/…/cryptoKeys/…."
  }

  validation {
    condition     = var.storage.soft_delete_days == 0 || (var.storage.soft_delete_days >= 7 && var.storage.soft_delete_days <= 90)
    error_message = "storage.soft_delete_days is 0 (off) or 7 to 90."
  }

  validation {
    condition     = var.storage.signed_url_ttl_seconds >= 60 && var.storage.signed_url_ttl_seconds <= 43200
    error_message = "storage.signed_url_ttl_seconds is 60 to 43200: the keys that IAM signs with rotate."
  }

  validation {
    # Below 2 a slot could go while its day still counts.
    condition     = alltrue([for days in values(var.storage.delete_after_days) : days == null ? true : days >= 2 && floor(days) == days])
    error_message = "storage.delete_after_days are whole numbers of 2 or more, or not set: never."
  }

  validation {
    # An unknown is asked about for eight days, and the traces of a call go a day before its end. A queued job that
    # outlives its result would be queued again.
    condition     = var.storage.delete_after_days.results == null ? true : var.storage.delete_after_days.results >= max(10, var.storage.delete_after_days.jobs)
    error_message = "storage.delete_after_days.results is 10 or more, and not less than jobs."
  }

  validation {
    condition     = var.storage.delete_after_days.ledger == null ? true : var.storage.delete_after_days.ledger >= 93
    error_message = "storage.delete_after_days.ledger is 93 or more: usage is told for 92 days."
  }

  validation {
    condition     = var.storage.delete_after_days.photos == null ? true : var.storage.delete_after_days.photos >= max(var.storage.delete_after_days.references, var.storage.delete_after_days.jobs)
    error_message = "storage.delete_after_days.photos is not less than references and jobs: its rule is for all of uploads."
  }
}

variable "monitoring" {
  description = "Who is told, and from which point on"
  type = object({
    emails                = optional(set(string), [])  # each becomes a notification channel; the first five are the budget's, too
    notification_channels = optional(list(string), []) # existing channels: projects/…/notificationChannels/…
    credits_low           = optional(number, 5)        # remaining Segmind credits, in USD
    error_ratio           = optional(number, 0.05)     # 5xx answers of the HTTP door, as a share of all, over 15 minutes
    p95_seconds           = optional(number, 90)       # Segmind's own time for an image, 95th percentile over 15 minutes
    event_backlog_seconds = optional(number, 900)      # age of the oldest event that waits
    no_success_seconds    = optional(number, 3600)     # scheduler without a success: longer than the sweep's period
    instances_share       = optional(number, 0.8)      # instances of a door, as a share of its max_instances
  })
  default = {}

  validation {
    condition     = alltrue([for e in var.monitoring.emails : can(regex("^[^@ ]+@[^@ ]+$", e))])
    error_message = "monitoring.emails are email addresses."
  }

  validation {
    condition     = var.monitoring.error_ratio > 0 && var.monitoring.error_ratio < 1
    error_message = "monitoring.error_ratio is a share between 0 and 1."
  }

  validation {
    condition     = var.monitoring.credits_low >= 0 && var.monitoring.p95_seconds > 0
    error_message = "monitoring.credits_low is 0 or more, p95_seconds more than 0."
  }

  validation {
    condition     = alltrue([for s in [var.monitoring.event_backlog_seconds, var.monitoring.no_success_seconds] : s >= 120 && s % 60 == 0 && s <= 84600])
    error_message = "monitoring.event_backlog_seconds and no_success_seconds are whole minutes from 120 (the API's least for an absence) to 84600 (23.5 hours)."
  }

  validation {
    condition     = var.monitoring.instances_share > 0 && var.monitoring.instances_share < 1
    error_message = "monitoring.instances_share is a share between 0 and 1."
  }
}

variable "budget" {
  description = "An optional budget on the project's Google Cloud bill (Segmind's bill is capped by generation.images_per_day)"
  type = object({
    billing_account = string           # 000000-000000-000000
    amount          = number           # a month, in whole units of the currency
    currency        = optional(string) # the billing account's own when not set
  })
  default = null

  validation {
    condition     = var.budget == null ? true : can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.budget.billing_account))
    error_message = "budget.billing_account looks like 012345-6789AB-CDEF01."
  }

  validation {
    condition     = var.budget == null ? true : var.budget.amount >= 1 && floor(var.budget.amount) == var.budget.amount
    error_message = "budget.amount is a whole number of 1 or more."
  }
}
