project_id     = "my-staging-project"
images_per_day = 20
invokers       = ["group:designers@example.com"]
emails         = ["ops@example.com"]
