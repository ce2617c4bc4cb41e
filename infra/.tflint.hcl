# Only the ruleset that tflint brings along: nothing is downloaded.
plugin "terraform" {
  enabled = true
  preset  = "all"
}

# Wants everything in main.tf; here files are named after what is in them.
rule "terraform_standard_module_structure" {
  enabled = false
}
