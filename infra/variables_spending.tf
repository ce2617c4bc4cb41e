# What may be generated, by whom, and how much of it at once.

variable "generation" {
  description = "How images are generated, and how many a day"
  type = object({
    api                     = optional(string, "v1")         # v1: one blocking call; v2: submit and poll, survives a crash
    timeout_seconds         = optional(number, 180)          # the whole generation, retries included
    reference_delivery      = optional(string, "signed-url") # or segmind-asset
    images_per_day          = optional(number, 0)            # cap on paid images a day (UTC); 0: none
    images_per_user_per_day = optional(number, 0)            # the same for each caller; 0: none
    event_max_age_seconds   = optional(number, 3600)         # an event that failed for so long is given up
    history_url             = optional(string)               # Segmind's request history; the function's own default when not set, "": none
  })
  default = {}

  validation {
    condition     = contains(["v1", "v2"], var.generation.api)
    error_message = "generation.api is v1 or v2."
  }

  validation {
    # The platform's timeout is 180 s more (local.request_seconds), and an event's run ends at 540 s.
    condition     = var.generation.timeout_seconds >= 30 && var.generation.timeout_seconds <= 360
    error_message = "generation.timeout_seconds is 30 to 360: a generation takes about 30 s, an event's run at most 540 s."
  }

  validation {
    condition     = contains(["signed-url", "segmind-asset"], var.generation.reference_delivery)
    error_message = "generation.reference_delivery is signed-url or segmind-asset."
  }

  validation {
    condition     = alltrue([for cap in [var.generation.images_per_day, var.generation.images_per_user_per_day] : cap >= 0 && cap <= 100000 && floor(cap) == cap])
    error_message = "The caps generation.images_per_day and images_per_user_per_day are whole numbers from 0 to 100000."
  }

  validation {
    condition     = var.generation.event_max_age_seconds >= 600 && var.generation.event_max_age_seconds <= 86400
    error_message = "generation.event_max_age_seconds is 600 (one run) to 86400 (the platform drops the event then)."
  }

  validation {
    condition     = var.generation.history_url == null ? true : var.generation.history_url == "" || startswith(var.generation.history_url, "https://")
    error_message = "generation.history_url is an https URL, or empty."
  }
}

variable "access" {
  description = "Who may call the HTTP door. Private by default"
  type = object({
    invokers              = optional(set(string), []) # members who get run.invoker: user:…, group:…, serviceAccount:…
    allow_unauthenticated = optional(bool, false)     # the platform lets every call through; auth decides
    auth                  = optional(string, "iam")   # iam, oidc, keys or none
    oidc = optional(object({                          # for auth = oidc
      issuer   = string
      audience = string
    }))
    api_keys_version = optional(string, "1")      # for auth = keys: pinned version of the secret NAME-api-keys
    cors_origins     = optional(list(string), []) # origins of browser front ends, or ["*"]
    playground       = optional(bool, false)      # a page at GET / to try it
  })
  default = {}

  validation {
    condition     = contains(["iam", "oidc", "keys", "none"], var.access.auth)
    error_message = "access.auth is iam, oidc, keys or none."
  }

  validation {
    condition     = !var.access.allow_unauthenticated || (var.access.auth != "iam" && var.generation.images_per_day > 0)
    error_message = "access.allow_unauthenticated needs an access.auth other than iam and a cap in generation.images_per_day: an open image endpoint is drained by strangers."
  }

  validation {
    condition     = var.access.auth != "none" || var.generation.images_per_day > 0
    error_message = "access.auth = none needs a cap in generation.images_per_day."
  }

  validation {
    condition     = (var.access.auth == "oidc") == (var.access.oidc != null)
    error_message = "access.oidc belongs to access.auth = oidc: set both or neither."
  }

  validation {
    condition     = var.access.oidc == null ? true : startswith(var.access.oidc.issuer, "https://") && var.access.oidc.audience != ""
    error_message = "access.oidc.issuer is an https URL, and access.oidc.audience is not empty."
  }

  validation {
    # allUsers is what allow_unauthenticated is for, with its own rules.
    condition     = alltrue([for m in var.access.invokers : can(regex("^(user|group|serviceAccount|domain|principal|principalSet):.+", m))])
    error_message = "access.invokers are members such as user:…, group:… or serviceAccount:…; all callers at once are access.allow_unauthenticated."
  }

  validation {
    condition     = can(regex("^[1-9][0-9]*$", var.access.api_keys_version))
    error_message = "access.api_keys_version is a number."
  }

  validation {
    condition     = alltrue([for o in var.access.cors_origins : o == "*" || can(regex("^https?://[^/,]+$", o))])
    error_message = "access.cors_origins are origins (https://app.example.com, without a path) or \"*\"."
  }

  validation {
    # A browser sends no credentials with a preflight, and Cloud Run's IAM refuses what has none.
    condition     = length(var.access.cors_origins) == 0 || var.access.allow_unauthenticated || var.front != null
    error_message = "access.cors_origins needs access.allow_unauthenticated or a front: Cloud Run's IAM refuses every preflight."
  }

  validation {
    # The proxy replaces the Authorization header with its own.
    condition     = var.front == null ? true : !var.front.iap || (var.access.auth == "iam" && !var.access.allow_unauthenticated)
    error_message = "With front.iap access.auth stays iam and access.allow_unauthenticated false: the proxy is the only caller."
  }
}

variable "sizing" {
  description = "One instance: the same for all doors"
  type = object({
    # Threads do the waiting: 500 requests that wait for Segmind take 109 MB and hardly any CPU.
    concurrency = optional(number, 100) # requests an instance takes at once; also its number of threads
    cpu         = optional(number, 1)   # CPUs; less than 1 only with concurrency 1; more memory needs more
    # Bodies are what takes memory: 1,000 images that end in the same moment stay below 256 MB with 16 bodies
    # read at a time. Twice that leaves room for bigger images, and is the least that Cloud Run's second
    # generation takes.
    memory_mib       = optional(number, 512) # raise it together with bodies_in_memory
    bodies_in_memory = optional(number, 16)  # images read and stored at the same time; the others wait
  })
  default = {}

  validation {
    condition     = var.sizing.concurrency >= 1 && var.sizing.concurrency <= 1000 && floor(var.sizing.concurrency) == var.sizing.concurrency
    error_message = "sizing.concurrency is a whole number from 1 to 1000."
  }

  validation {
    condition     = var.sizing.concurrency == 1 || var.sizing.cpu >= 1
    error_message = "sizing.concurrency above 1 needs a full CPU: sizing.cpu >= 1."
  }

  validation {
    condition     = contains([1, 2, 4, 6, 8], var.sizing.cpu) || (var.sizing.cpu >= 0.333 && var.sizing.cpu < 1)
    error_message = "sizing.cpu is 0.333 (the least for 512 MiB) to 1, or 2, 4, 6 or 8."
  }

  validation {
    condition     = var.sizing.memory_mib >= 512 && var.sizing.memory_mib <= 32768
    error_message = "sizing.memory_mib is 512 to 32768."
  }

  validation {
    condition     = var.sizing.cpu < 4 || var.sizing.memory_mib >= (var.sizing.cpu == 4 ? 2048 : 4096)
    error_message = "4 CPUs need sizing.memory_mib >= 2048, 6 and 8 need 4096."
  }

  validation {
    # What Cloud Run asks for: so many MiB at the most with so many CPUs.
    condition     = var.sizing.memory_mib <= max(0, [for cpu, mib in { "0.333" = 512, "0.5" = 1024, "1" = 4096, "2" = 8192, "4" = 16384, "6" = 24576, "8" = 32768 } : mib if tonumber(cpu) <= var.sizing.cpu]...)
    error_message = "sizing.memory_mib above 512 needs 0.5 CPUs, above 1024 one, above 4096 two, above 8192 four, above 16384 six, above 24576 eight."
  }

  validation {
    condition     = var.sizing.bodies_in_memory >= 1 && var.sizing.bodies_in_memory <= 1000 && floor(var.sizing.bodies_in_memory) == var.sizing.bodies_in_memory
    error_message = "sizing.bodies_in_memory is a whole number from 1 to 1000."
  }
}

variable "doors" {
  description = "Instances and ingress of each door. max_instances times concurrency bounds what can run, and be paid for, at once"
  type = object({
    http = optional(object({
      min_instances = optional(number, 0)  # 1 or more: no cold start, paid for all day
      max_instances = optional(number, 10) # a cost cap
      ingress       = optional(string)     # who reaches it at all; ALLOW_ALL when not set, or with a front ALLOW_INTERNAL_AND_GCLB
    }), {})
    events = optional(object({
      min_instances = optional(number, 0)
      max_instances = optional(number, 10)
      ingress       = optional(string, "ALLOW_INTERNAL_ONLY") # Eventarc counts as internal
    }), {})
    schedule = optional(object({
      min_instances = optional(number, 0)
      max_instances = optional(number, 2)
      ingress       = optional(string, "ALLOW_INTERNAL_ONLY") # so does Cloud Scheduler, at a run.app URL
    }), {})
  })
  default = {}

  validation {
    condition     = alltrue([for d in values(var.doors) : d.min_instances >= 0 && d.max_instances >= 1 && d.min_instances <= d.max_instances])
    error_message = "doors: min_instances is 0 or more, max_instances 1 or more and not below min_instances."
  }

  validation {
    condition     = alltrue([for d in values(var.doors) : d.ingress == null ? true : contains(["ALLOW_ALL", "ALLOW_INTERNAL_ONLY", "ALLOW_INTERNAL_AND_GCLB"], d.ingress)])
    error_message = "doors: ingress is ALLOW_ALL, ALLOW_INTERNAL_ONLY or ALLOW_INTERNAL_AND_GCLB."
  }
}
