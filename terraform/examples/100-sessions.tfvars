# A hundred sessions at a time.
image_tag             = "0.1.0"
certificate_arn       = "arn:aws:acm:eu-central-1:123456789012:certificate/..."
public_url            = "https://faces.example.com/"
alarm_email           = "you@example.com"
worker_instance_types = ["g4dn.xlarge", "g4dn.2xlarge", "g5.xlarge"]
warm_workers          = 2
max_workers           = 80
max_usd_per_hour      = "40"
coordinators          = 3
coordinator_size      = { cpu = 1024, memory = 2048 }
highly_available      = true
store_sizes           = { records = "db.t4g.medium", pool = "cache.t4g.medium", bus = "mq.m7g.large" }
monthly_budget_usd    = 12000
