# What a platform team brings along: its foundation, its way in and out, and who is told. All of it is optional.

variable "foundation" {
  description = "What a central team owns or forbids. Set kms_key_name before the first apply: a secret is made anew with another key"
  type = object({
    project_number   = optional(string)          # spares the deployer the right to read the project
    enable_apis      = optional(bool, true)      # false: a central team switches them on (docs/deploy.md)
    project_grants   = optional(bool, true)      # false: a central team makes the four grants on the project (docs/deploy.md)
    service_accounts = optional(map(string), {}) # existing accounts of this project, by what they are for: http, events, schedule, trigger, scheduler, build, push
    worker_pool      = optional(string)          # private pool that builds: projects/…/locations/…/workerPools/…
    kms_key_name     = optional(string)          # a key in the region, for functions, registry, secrets, source, topics, and buckets without their own
    kms_grants       = optional(bool, true)      # false: a central team lets Google's agents use the keys (docs/deploy.md)
  })
  default = {}

  validation {
    condition     = var.foundation.project_number == null ? true : can(regex("^[0-9]+$", var.foundation.project_number))
    error_message = "foundation.project_number is a number."
  }

  validation {
    condition = alltrue([for key, email in var.foundation.service_accounts :
      contains(["http", "events", "schedule", "trigger", "scheduler", "build", "push"], key) && endswith(email, "@${var.project_id}.iam.gserviceaccount.com")
    ])
    error_message = "foundation.service_accounts are emails of this project's accounts, for http, events, schedule, trigger, scheduler, build or push."
  }

  validation {
    condition     = var.foundation.worker_pool == null ? true : can(regex("^projects/[^/]+/locations/[^/]+/workerPools/[^/]+$", var.foundation.worker_pool))
    error_message = "foundation.worker_pool is projects/…/locations/…/workerPools/…."
  }

  validation {
    condition     = var.foundation.kms_key_name == null ? true : can(regex("^projects/[^/]+/locations/${var.region}/keyRings/[^/]+/cryptoKeys/[^/]+$", var.foundation.kms_key_name))
    error_message = "foundation.kms_key_name is projects/…/locations/REGION/keyRings/…/cryptoKeys/…, in the region of the functions."
  }

  validation {
    condition     = var.foundation.kms_key_name == null || var.storage.kms_key_name != null || coalesce(var.storage.location, var.region) == var.region
    error_message = "Buckets outside the region need a key of their own in storage.kms_key_name: foundation.kms_key_name is the region's."
  }
}

variable "front" {
  description = "An external Application Load Balancer before the HTTP door, which then has no other way in"
  type = object({
    domains             = list(string)              # of the managed certificate; they have to point to the output front
    requests_per_minute = optional(number, 120)     # from one client address, in Cloud Armor
    iap                 = optional(bool, false)     # Identity-Aware Proxy asks who is there
    members             = optional(set(string), []) # who may pass the proxy: user:…, group:…, domain:…
  })
  default = null

  validation {
    condition     = var.front == null ? true : length(var.front.domains) >= 1 && length(var.front.domains) <= 100 && alltrue([for d in var.front.domains : can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", d))])
    error_message = "front.domains are 1 to 100 domain names, without wildcards."
  }

  validation {
    condition     = var.front == null ? true : var.front.requests_per_minute >= 1 && floor(var.front.requests_per_minute) == var.front.requests_per_minute
    error_message = "front.requests_per_minute is a whole number of 1 or more."
  }

  validation {
    condition     = var.front == null ? true : alltrue([for m in var.front.members : can(regex("^(user|group|serviceAccount|domain|principal|principalSet):.+", m))])
    error_message = "front.members are members such as user:…, group:… or domain:…."
  }

  validation {
    # A condition of IAM takes 12 operators, one between two names.
    condition     = var.front == null ? true : length(var.front.members) == 0 || (var.front.iap && length(var.front.domains) <= 13)
    error_message = "front.members belong to front.iap, with at most 13 front.domains."
  }

  validation {
    condition     = var.front == null ? true : var.doors.http.ingress == null || var.doors.http.ingress == "ALLOW_INTERNAL_AND_GCLB"
    error_message = "A front is no protection while doors.http.ingress leaves another way in: leave it out."
  }
}

variable "egress" {
  description = "Outgoing calls go through a VPC network, where Cloud NAT gives them a static address"
  type = object({
    connector           = optional(string)      # an existing connector: projects/…/locations/…/connectors/…
    subnet              = optional(string)      # or a /28 subnet of the region, which a connector is made in
    subnet_project      = optional(string)      # the host project of a shared VPC
    private_ranges_only = optional(bool, false) # true: only what goes to private addresses
  })
  default = null

  validation {
    condition     = var.egress == null ? true : (var.egress.connector == null) != (var.egress.subnet == null)
    error_message = "egress has either a connector or a subnet to make one in."
  }
}

variable "completion" {
  description = "Each ended image is pushed to a URL of yours, by Pub/Sub: attributes id, status and code, and the metadata of result.json as data"
  type = object({
    push_url = string
    audience = optional(string)     # of the OIDC token; push_url when not set
    attempts = optional(number, 20) # until a message goes to the dead letters
  })
  default = null

  validation {
    condition     = var.completion == null ? true : startswith(var.completion.push_url, "https://")
    error_message = "completion.push_url is an https URL."
  }

  validation {
    condition     = var.completion == null ? true : var.completion.attempts >= 5 && var.completion.attempts <= 100 && floor(var.completion.attempts) == var.completion.attempts
    error_message = "completion.attempts is a whole number from 5 to 100."
  }
}

variable "dead_letters" {
  description = "A topic and a subscription for storage events that Eventarc would drop after 24 hours; docs/deploy.md has the command that joins them to its own"
  type        = bool
  default     = false
}

variable "source_zip" {
  description = "Where the plan writes the zip that the apply uploads; function.zip in the module's folder when not set"
  type        = string
  default     = null
}
