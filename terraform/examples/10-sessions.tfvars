# Ten sessions at a time. Two coordinators; the stores are in several zones.
image_tag             = "0.1.0"
certificate_arn       = "arn:aws:acm:eu-central-1:123456789012:certificate/..."
public_url            = "https://faces.example.com/"
alarm_email           = "you@example.com"
worker_instance_types = ["g4dn.xlarge", "g4dn.2xlarge", "g5.xlarge"]
warm_workers          = 2
max_workers           = 12
max_usd_per_hour      = "6"
coordinators          = 2
coordinator_size      = { cpu = 512, memory = 1024 }
highly_available      = true
store_sizes           = { records = "db.t4g.small", pool = "cache.t4g.small", bus = "mq.m7g.medium" }
monthly_budget_usd    = 2500
