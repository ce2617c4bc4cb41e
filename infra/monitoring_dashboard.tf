# One page, in PromQL: a metric a.b/c/d is a_b:c_d there, and of a log-based one it is logging_googleapis_com:user_NAME.

locals {
  in_logs = { for key in concat(keys(local.counters), keys(local.distributions)) : key => "logging_googleapis_com:user_${local.metric_prefix}_${key}" }
  in_run  = "monitored_resource=\"cloud_run_revision\""

  charts = [
    { title = "Images, by door", query = "sum by (door) (increase(${local.in_logs.images}{${local.in_run}}[5m]))" },
    { title = "Failures, by code", query = "sum by (code) (increase(${local.in_logs.failures}{${local.in_run}}[5m]))" },
    { title = "Spent in an hour (USD)", query = "sum(increase(${local.in_logs.spend_usd}_sum{${local.in_run}}[1h]))" },
    { title = "Billed or maybe billed, and lost", query = "sum by (code) (increase(${local.in_logs.unknowns}{${local.in_run}}[1h]))" },
    { title = "Segmind, 95th percentile (s)", query = "histogram_quantile(0.95, sum by (le) (rate(${local.in_logs.segmind_seconds}_bucket{${local.in_run}}[15m])))" },
    { title = "Events asked for again", query = "sum(increase(${local.in_logs.redeliveries}{${local.in_run}}[5m]))" },
    { title = "Answers, by door and class", query = "sum by (service_name, response_code_class) (rate(run_googleapis_com:request_count{${local.in_run}, service_name=~\"${join("|", values(local.names))}\"}[5m]))" },
    { title = "Instances, by door", query = "sum by (service_name) (max_over_time(run_googleapis_com:container_instance_count{${local.in_run}, service_name=~\"${join("|", values(local.names))}\"}[5m]))" },
    { title = "Refused by the cap", query = "sum by (scope) (increase(${local.in_logs.cap_refusals}{${local.in_run}}[1h]))" },
    { title = "Oldest waiting event (s)", query = "max(pubsub_googleapis_com:subscription_oldest_unacked_message_age{monitored_resource=\"pubsub_subscription\", subscription_id=~\"${local.event_queue}.*\"})" },
  ]
}

resource "google_monitoring_dashboard" "this" {
  project = var.project_id

  dashboard_json = jsonencode({
    displayName = var.name
    mosaicLayout = {
      columns = 48
      # The API leaves out what is 0, and a plan would find a difference for ever.
      tiles = [for i, chart in local.charts : merge(
        { for side, cells in { xPos = i % 2 * 24, yPos = floor(i / 2) * 16 } : side => cells if cells != 0 },
        {
          width  = 24
          height = 16
          widget = {
            title   = chart.title
            xyChart = { dataSets = [{ plotType = "LINE", timeSeriesQuery = { prometheusQuery = chart.query } }] }
          }
        },
      )]
    }
  })

  depends_on = [time_sleep.apis]
}
