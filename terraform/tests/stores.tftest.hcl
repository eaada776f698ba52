mock_provider "aws" {
  mock_resource "aws_mq_broker" {
    defaults = { instances = [{ endpoints = ["amqps://b-1.mq.eu-central-1.on.aws:5671"] }] }
  }
  mock_resource "aws_db_instance" {
    defaults = { endpoint = "records.example.internal:5432" }
  }
  mock_resource "aws_elasticache_replication_group" {
    defaults = { primary_endpoint_address = "pool.example.internal" }
  }
}

mock_provider "random" {
  mock_resource "random_password" {
    defaults = { result = "sEcReT" }
  }
}

variables {
  name             = "farm"
  subnets          = ["subnet-1", "subnet-2", "subnet-3"]
  security_group   = "sg-1"
  sizes            = { records = "db.t4g.small", pool = "cache.t4g.small", bus = "mq.m7g.large" }
  highly_available = true
  keep_data        = true
}

run "several_zones_nothing_lost_by_mistake_and_addresses_that_the_settings_take" {
  command = apply
  module {
    source = "./modules/stores"
  }

  assert {
    condition     = aws_db_instance.records.multi_az && aws_db_instance.records.deletion_protection && !aws_db_instance.records.skip_final_snapshot
    error_message = "records"
  }
  assert {
    condition     = aws_elasticache_replication_group.pool.num_cache_clusters == 2 && aws_elasticache_replication_group.pool.automatic_failover_enabled
    error_message = "pool"
  }
  assert {
    condition     = aws_mq_broker.bus.deployment_mode == "CLUSTER_MULTI_AZ" && length(aws_mq_broker.bus.subnet_ids) == 3 && !aws_mq_broker.bus.publicly_accessible
    error_message = "bus"
  }
  assert {
    condition     = aws_db_instance.records.storage_encrypted && aws_elasticache_replication_group.pool.transit_encryption_enabled && aws_elasticache_replication_group.pool.at_rest_encryption_enabled
    error_message = "encrypted"
  }
  assert {
    condition     = jsondecode(aws_secretsmanager_secret_version.coordinator.secret_string).bus == "amqps://mouthpiece:sEcReT@b-1.mq.eu-central-1.on.aws:5671"
    error_message = "stores.bus"
  }
  assert {
    condition     = jsondecode(aws_secretsmanager_secret_version.coordinator.secret_string).pool == "rediss://:sEcReT@pool.example.internal:6379"
    error_message = "stores.pool"
  }
  assert {
    condition     = jsondecode(aws_secretsmanager_secret_version.coordinator.secret_string).records == "postgres://mouthpiece:sEcReT@records.example.internal:5432/mouthpiece?sslmode=require"
    error_message = "stores.records"
  }
  assert {
    condition     = sort(keys(jsondecode(aws_secretsmanager_secret_version.worker.secret_string))) == tolist(["bus", "pool", "secret"])
    error_message = "workers are not told where the records are"
  }
  assert {
    condition     = toset(values(output.coordinator_secret_fields)) == toset(keys(jsondecode(aws_secretsmanager_secret_version.coordinator.secret_string)))
    error_message = "every field is for a setting, and every setting has its field"
  }
}

run "one_zone_where_that_is_enough" {
  command = apply
  module {
    source = "./modules/stores"
  }
  variables {
    highly_available = false
    keep_data        = false
  }

  assert {
    condition     = !aws_db_instance.records.multi_az && aws_elasticache_replication_group.pool.num_cache_clusters == 1 && aws_mq_broker.bus.deployment_mode == "SINGLE_INSTANCE" && length(aws_mq_broker.bus.subnet_ids) == 1
    error_message = "one of each, RabbitMQ in one subnet"
  }
  assert {
    condition     = aws_db_instance.records.skip_final_snapshot && !aws_db_instance.records.deletion_protection && aws_secretsmanager_secret.worker.recovery_window_in_days == 0
    error_message = "nothing stands in the way of removing it"
  }
}
