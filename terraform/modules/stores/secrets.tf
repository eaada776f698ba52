# What the farm's processes need to get in: one secret for coordinators, one for workers, which have no business with the records.

locals {
  bus_host = trimprefix(aws_mq_broker.bus.instances[0].endpoints[0], "amqps://")

  worker_secret = {
    bus    = "amqps://mouthpiece:${random_password.store["bus"].result}@${local.bus_host}"
    pool   = "rediss://:${random_password.store["pool"].result}@${aws_elasticache_replication_group.pool.primary_endpoint_address}:6379"
    secret = random_password.store["farm"].result
  }

  coordinator_secret = merge(local.worker_secret, {
    # Encrypted; the certificate's authority is Amazon's own and in no image, so it is not checked. It is one network.
    records = "postgres://mouthpiece:${random_password.store["records"].result}@${aws_db_instance.records.endpoint}/mouthpiece?sslmode=require"
  })
}

resource "aws_secretsmanager_secret" "coordinator" {
  name_prefix             = "${var.name}-coordinator-"
  description             = "What coordinators of ${var.name} connect with"
  recovery_window_in_days = var.keep_data ? 7 : 0
}

resource "aws_secretsmanager_secret_version" "coordinator" {
  secret_id     = aws_secretsmanager_secret.coordinator.id
  secret_string = jsonencode(local.coordinator_secret)
}

resource "aws_secretsmanager_secret" "worker" {
  name_prefix             = "${var.name}-worker-"
  description             = "What workers of ${var.name} connect with"
  recovery_window_in_days = var.keep_data ? 7 : 0
}

resource "aws_secretsmanager_secret_version" "worker" {
  secret_id     = aws_secretsmanager_secret.worker.id
  secret_string = jsonencode(local.worker_secret)
}
