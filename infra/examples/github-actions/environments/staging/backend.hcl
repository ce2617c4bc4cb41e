bucket = "my-staging-project-terraform-state"
prefix = "imagegen"
