# How it fits together: README.md.

module "network" {
  source = "./modules/network"

  name        = var.name
  region      = var.region
  callers     = var.callers
  monitoring  = var.monitoring
  media_port  = var.media_port
  lines_port  = local.lines_port
  health_port = local.health_port
}

module "storage" {
  source = "./modules/storage"

  name      = var.name
  keep_data = var.keep_data
}

module "stores" {
  source = "./modules/stores"

  name             = var.name
  subnets          = module.network.private_subnets
  security_group   = module.network.stores_group
  sizes            = var.store_sizes
  highly_available = var.highly_available
  keep_data        = var.keep_data
}

locals {
  lines_port  = 8002
  health_port = 8001
  group       = "${var.name}-workers"

  # What coordinators and workers must be told alike. Nothing secret is in it.
  common_settings = {
    MOUTHPIECE_STORES__BLOBS  = "s3://${module.storage.bucket}/farm"
    MOUTHPIECE_STORES__FLEET  = "aws:${local.group}"
    MOUTHPIECE_S3__REGION     = var.region
    MOUTHPIECE_S3__ENCRYPTION = "bucket"
    MOUTHPIECE_AWS__REGION    = var.region
    MOUTHPIECE_LOG__FORMAT    = "json"
  }
}

module "coordinator" {
  source = "./modules/coordinator"

  name            = var.name
  region          = var.region
  image           = "${module.storage.registries["coordinator"]}:${var.image_tag}"
  registry_arn    = module.storage.registry_arns["coordinator"]
  bucket_arn      = module.storage.bucket_arn
  group           = local.group
  vpc             = module.network.vpc
  subnets         = module.network.public_subnets
  front_group     = module.network.front_group
  security_group  = module.network.coordinator_group
  certificate_arn = var.certificate_arn
  secret_arn      = module.stores.coordinator_secret_arn
  secret_fields   = module.stores.coordinator_secret_fields
  tasks           = var.coordinators
  size            = var.coordinator_size

  settings = merge(local.common_settings, {
    MOUTHPIECE_HTTP__BIND                    = "0.0.0.0"
    MOUTHPIECE_HTTP__PORT                    = "8000"
    MOUTHPIECE_HTTP__PUBLIC_URL              = var.public_url
    MOUTHPIECE_LIVE__ICE_SERVERS             = var.ice_servers
    MOUTHPIECE_S3__LINKS                     = "true"
    MOUTHPIECE_COORDINATOR__WARM_WORKERS     = tostring(var.warm_workers)
    MOUTHPIECE_COORDINATOR__MAX_WORKERS      = tostring(var.max_workers)
    MOUTHPIECE_COORDINATOR__MAX_USD_PER_HOUR = var.max_usd_per_hour
    MOUTHPIECE_COORDINATOR__SLOTS_PER_WORKER = tostring(var.slots_per_worker)
  })
}

module "workers" {
  source = "./modules/workers"

  name           = var.name
  region         = var.region
  image          = "${module.storage.registries["worker"]}:${var.image_tag}"
  registry_arn   = module.storage.registry_arns["worker"]
  bucket_arn     = module.storage.bucket_arn
  group          = local.group
  subnets        = module.network.public_subnets
  security_group = module.network.worker_group
  secret_arn     = module.stores.worker_secret_arn
  instance_types = var.worker_instance_types
  gpu            = var.gpu
  max_workers    = var.max_workers
  on_demand_base = var.on_demand_base

  settings = merge(local.common_settings, {
    MOUTHPIECE_WORKER__ENGINE           = var.engine
    MOUTHPIECE_WORKER__SLOTS            = tostring(var.slots_per_worker)
    MOUTHPIECE_WORKER__COUNTS_FROM_BOOT = "true"
    MOUTHPIECE_WORKER__GRACE            = "90s"
    MOUTHPIECE_LINES__BIND              = "0.0.0.0"
    MOUTHPIECE_LINES__PORT              = tostring(local.lines_port)
    MOUTHPIECE_HEALTH__BIND             = "0.0.0.0"
    MOUTHPIECE_HEALTH__PORT             = tostring(local.health_port)
    MOUTHPIECE_RTC__PORT                = tostring(var.media_port)
    MOUTHPIECE_RTC__PUBLIC              = "true"
  })
}

module "spending" {
  source = "./modules/spending"

  name               = var.name
  monthly_budget_usd = var.monthly_budget_usd
  alarm_email        = var.alarm_email
}
