# One identity for each job, so that each can do only its own. What they may do is iam.tf.

locals {
  service_accounts = {
    http      = "runs the HTTP door"
    events    = "runs the events door"
    schedule  = "runs the schedule door"
    trigger   = "delivers storage events to the events door"
    scheduler = "calls the schedule door"
    build     = "builds the functions"
  }
}

resource "google_service_account" "this" {
  for_each = local.service_accounts

  project      = var.project_id
  account_id   = "${var.name}-${each.key}"
  display_name = "${var.name}: ${each.value}"

  depends_on = [time_sleep.apis]
}
