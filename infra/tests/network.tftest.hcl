# The load balancer before the HTTP door, and the connector behind all.

mock_provider "google" { source = "./tests/mocks" }
mock_provider "archive" { source = "./tests/mocks" }
mock_provider "time" {}

variables {
  project_id = "my-project"
}

run "no_front_by_default" {
  assert {
    condition     = length(google_compute_global_forwarding_rule.front) + length(google_compute_backend_service.front) + length(google_compute_security_policy.front) + length(google_vpc_access_connector.out) == 0 && output.front == null
    error_message = "Nothing that costs by the hour unless asked for."
  }
}

run "a_front" {
  variables {
    labels     = { team = "web" }
    generation = { images_per_day = 100 }
    access     = { auth = "keys", cors_origins = ["https://app.example.com"] }
    front      = { domains = ["images.example.com", "img.example.com"], requests_per_minute = 60 }
  }

  assert {
    condition     = google_cloudfunctions2_function.door["http"].service_config[0].ingress_settings == "ALLOW_INTERNAL_AND_GCLB"
    error_message = "There is no other way in."
  }

  assert {
    condition     = [for n in google_compute_region_network_endpoint_group.front : "${n.network_endpoint_type} ${n.region} ${n.cloud_run[0].service}"] == ["SERVERLESS europe-west1 imagegen-http"]
    error_message = "It leads to the HTTP door."
  }

  assert {
    condition = [for b in google_compute_backend_service.front : [b.load_balancing_scheme, b.security_policy, one(b.backend[*].group), tostring(b.log_config[0].enable), tostring(b.log_config[0].sample_rate), tostring(length(b.iap))]] == [
      ["EXTERNAL_MANAGED", google_compute_security_policy.front["http"].id, google_compute_region_network_endpoint_group.front["http"].id, "true", "1", "0"]
    ]
    error_message = "Cloud Armor stands before it, and every request is logged."
  }

  assert {
    condition = sort([for r in google_compute_security_policy.front["http"].rule : join(" ", concat([r.priority, r.action], [for o in r.rate_limit_options : "${o.enforce_on_key} ${o.rate_limit_threshold[0].count}/${o.rate_limit_threshold[0].interval_sec} ${o.exceed_action}"]))]) == sort([
      "1000 throttle IP 60/60 deny(429)", "2147483647 allow",
    ])
    error_message = "One address gets so many requests a minute."
  }

  assert {
    condition     = google_compute_managed_ssl_certificate.front["http"].managed[0].domains == tolist(["images.example.com", "img.example.com"]) && google_compute_target_https_proxy.front["http"].ssl_certificates == tolist([google_compute_managed_ssl_certificate.front["http"].id])
    error_message = "The certificate is for its domains."
  }

  assert {
    condition     = [for r in google_compute_global_forwarding_rule.front : "${r.port_range} ${r.load_balancing_scheme} ${r.labels.team}"] == ["443 EXTERNAL_MANAGED web"] && google_compute_global_forwarding_rule.front["http"].ip_address == google_compute_global_address.front["http"].id
    error_message = "HTTPS alone, at a static address."
  }

  assert {
    condition     = output.front.url == "https://images.example.com" && output.front.address == google_compute_global_address.front["http"].address && startswith(output.curl, "curl -sS 'https://images.example.com/v1/images' ")
    error_message = "Callers are told the front's name."
  }

  assert {
    condition     = length(google_cloud_run_v2_service_iam_member.callers) == 0
    error_message = "A front needs no allUsers."
  }
}

run "a_front_with_a_proxy" {
  variables {
    front = { domains = ["images.example.com"], iap = true }
  }

  assert {
    condition     = google_compute_backend_service.front["http"].iap[0].enabled && contains(keys(google_project_service.apis), "iap.googleapis.com")
    error_message = "IAP asks who is there."
  }
}

run "with_a_connector_of_its_own" {
  variables {
    egress = { subnet = "serverless", subnet_project = "host-project", private_ranges_only = true }
  }

  assert {
    condition     = [for c in google_vpc_access_connector.out : "${c.name} ${c.region} ${c.subnet[0].project_id}/${c.subnet[0].name}"] == ["imagegen-out europe-west1 host-project/serverless"]
    error_message = "The connector is made in the subnet of the shared network."
  }

  assert {
    condition     = alltrue([for f in google_cloudfunctions2_function.door : f.service_config[0].vpc_connector == google_vpc_access_connector.out[0].id && f.service_config[0].vpc_connector_egress_settings == "PRIVATE_RANGES_ONLY"])
    error_message = "Every door uses it."
  }

  assert {
    condition     = contains(keys(google_project_service.apis), "vpcaccess.googleapis.com")
    error_message = "A connector needs its API."
  }
}
