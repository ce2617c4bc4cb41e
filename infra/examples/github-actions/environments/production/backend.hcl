bucket = "my-production-project-terraform-state"
prefix = "imagegen"
