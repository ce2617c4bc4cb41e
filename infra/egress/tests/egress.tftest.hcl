# One address for everything that goes out.

mock_provider "google" {}
mock_provider "time" {}

variables {
  project_id = "my-project"
}

run "one_static_address" {
  assert {
    condition     = google_compute_router_nat.out.nat_ip_allocate_option == "MANUAL_ONLY" && google_compute_router_nat.out.nat_ips == toset([google_compute_address.out.self_link]) && output.address == google_compute_address.out.address
    error_message = "The NAT has the reserved address and no other."
  }

  assert {
    condition     = [for s in google_compute_router_nat.out.subnetwork : s.name] == [google_compute_subnetwork.connector.self_link] && google_compute_router_nat.out.source_subnetwork_ip_ranges_to_nat == "LIST_OF_SUBNETWORKS"
    error_message = "It is the connector's, and not the whole network's."
  }

  assert {
    condition     = google_compute_router_nat.out.router == google_compute_router.out.name && google_compute_router.out.network == google_compute_network.out.id && google_compute_subnetwork.connector.network == google_compute_network.out.id && output.subnet == "imagegen-out"
    error_message = "All of it is one network."
  }

  assert {
    condition     = google_compute_router_nat.out.min_ports_per_vm * 3 <= 64512 && google_compute_router_nat.out.min_ports_per_vm >= 1000
    error_message = "One address serves the connector's three instances, and each as many open calls as an instance takes at once."
  }
}

run "another_size" {
  command         = plan
  expect_failures = [var.range]

  variables {
    range = "10.8.0.0/24"
  }
}
