# One session at a time, to try it out. One zone: what fails stops the farm.
image_tag             = "0.1.0"
certificate_arn       = "arn:aws:acm:eu-central-1:123456789012:certificate/..."
public_url            = "https://faces.example.com/"
alarm_email           = "you@example.com"
worker_instance_types = ["g4dn.xlarge", "g4dn.2xlarge", "g5.xlarge"]
warm_workers          = 2
max_workers           = 4
max_usd_per_hour      = "2"
coordinators          = 1
coordinator_size      = { cpu = 256, memory = 512 }
highly_available      = false
store_sizes           = { records = "db.t4g.micro", pool = "cache.t4g.micro", bus = "mq.m7g.medium" }
monthly_budget_usd    = 800
