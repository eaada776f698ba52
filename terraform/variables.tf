variable "name" {
  description = "What everything that is made is called, and what cost reports group by (tag Project)."
  type        = string
  default     = "mouthpiece"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,17}$", var.name))
    error_message = "name: 2 to 18 lower-case letters, digits and hyphens, a letter first (AWS bounds what is made from it)."
  }
}

variable "region" {
  description = "The AWS region."
  type        = string
  default     = "eu-central-1"
}

variable "image_tag" {
  description = "The tag of both images in the registries that this makes."
  type        = string
}

# --- the front ----------------------------------------------------------------------------------------------------------------

variable "certificate_arn" {
  description = "A certificate of ACM, in this region, for the name that callers use. The load balancer speaks TLS with it."
  type        = string

  validation {
    condition     = startswith(var.certificate_arn, "arn:")
    error_message = "certificate_arn: the ARN of an ACM certificate in this region. Browsers give no microphone to a page without TLS."
  }
}

variable "public_url" {
  description = "The address that callers use, for example https://faces.example.com/ (http.public_url). Point its name at the output load_balancer."
  type        = string

  validation {
    condition     = startswith(var.public_url, "https://") && endswith(var.public_url, "/")
    error_message = "public_url: https://NAME/, with a slash at the end."
  }
}

variable "callers" {
  description = "From where the API may be called, as CIDR blocks."
  type        = list(string)
  default     = ["0.0.0.0/0"]
}

variable "monitoring" {
  description = "From where /metrics of workers and coordinators may be read, as CIDR blocks. Prometheus itself is yours to run."
  type        = list(string)
  default     = []
}

variable "ice_servers" {
  description = "STUN and TURN servers that viewers are told (live.ice_servers), as JSON. TURN is for viewers whose network lets no UDP out."
  type        = string
  default     = "[]"
}

# --- the fleet ----------------------------------------------------------------------------------------------------------------

variable "worker_instance_types" {
  description = "What workers run on. The more there are, the rarer is a spot machine not to be had."
  type        = list(string)
  default     = ["g4dn.xlarge", "g4dn.2xlarge", "g5.xlarge"]

  validation {
    condition     = length(var.worker_instance_types) > 0
    error_message = "worker_instance_types: at least one."
  }
}

variable "gpu" {
  description = "Workers get their machine's GPU, and an image of the system that has its driver."
  type        = bool
  default     = true
}

variable "engine" {
  description = "What generates the mouth (worker.engine)."
  type        = string
  default     = "puppet"
}

variable "slots_per_worker" {
  description = "Sessions that one worker serves at a time (worker.slots, coordinator.slots_per_worker)."
  type        = number
  default     = 2

  validation {
    condition     = var.slots_per_worker >= 1 && var.slots_per_worker <= 64
    error_message = "slots_per_worker: 1 to 64."
  }
}

variable "warm_workers" {
  description = "Idle workers in reserve (coordinator.warm_workers)."
  type        = number
  default     = 2
}

variable "max_workers" {
  description = "The most machines there may be (coordinator.max_workers, and the group's maximum)."
  type        = number

  validation {
    condition     = var.max_workers >= 1 && var.max_workers >= var.warm_workers
    error_message = "max_workers: at least 1, and at least warm_workers."
  }
}

variable "max_usd_per_hour" {
  description = "The most that workers' machines may cost an hour (coordinator.max_usd_per_hour); \"0\" is any amount."
  type        = string
  default     = "0"
}

variable "on_demand_base" {
  description = "So many of the workers are not spot machines: they are not taken away, and cost about three times as much."
  type        = number
  default     = 0
}

variable "media_port" {
  description = "The UDP port at which viewers reach every worker (rtc.port). It is open to the world: that is how WebRTC comes in."
  type        = number
  default     = 40000

  validation {
    condition     = var.media_port >= 1024 && var.media_port <= 65535
    error_message = "media_port: 1024 to 65535."
  }
}

# --- the rest -----------------------------------------------------------------------------------------------------------------

variable "coordinators" {
  description = "Processes behind the load balancer. With two, one may fail or be renewed."
  type        = number
  default     = 2
}

variable "coordinator_size" {
  description = "CPU units and MiB of memory of one of them, as Fargate has them."
  type        = object({ cpu = number, memory = number })
  default     = { cpu = 512, memory = 1024 }
}

variable "highly_available" {
  description = "Database, pool and broker in several zones, each with a stand-in. Without it, one zone that fails stops the farm."
  type        = bool
  default     = true
}

variable "store_sizes" {
  description = "Instance classes of Postgres, Valkey and RabbitMQ."
  type        = object({ records = string, pool = string, bus = string })
  default     = { records = "db.t4g.small", pool = "cache.t4g.small", bus = "mq.m7g.large" }
}

variable "keep_data" {
  description = "The database is protected and leaves a snapshot, bucket and registries are only removed when they are empty. destroy.sh sets it to false."
  type        = bool
  default     = true
}

variable "monthly_budget_usd" {
  description = "At 80% of it, or when it is going to be passed, somebody gets mail."
  type        = number

  validation {
    condition     = var.monthly_budget_usd > 0
    error_message = "monthly_budget_usd: more than nothing."
  }
}

variable "alarm_email" {
  description = "Who gets that mail."
  type        = string

  validation {
    condition     = can(regex("^[^@\\s]+@[^@\\s]+$", var.alarm_email))
    error_message = "alarm_email: an address."
  }
}
