project_id     = "my-production-project"
images_per_day = 1000
invokers       = ["group:designers@example.com"]
emails         = ["ops@example.com"]
