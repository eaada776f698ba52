# Postgres (records), Valkey (pool), RabbitMQ (bus). What they are for: docs/several-processes.md.

# Letters and digits only: they stand in addresses.
resource "random_password" "store" {
  for_each = toset(["records", "pool", "bus", "farm"])

  length  = 48
  special = false
}

resource "aws_db_subnet_group" "records" {
  name       = "${var.name}-records"
  subnet_ids = var.subnets
}

resource "aws_db_instance" "records" {
  identifier                = "${var.name}-records"
  engine                    = "postgres"
  engine_version            = "17"
  instance_class            = var.sizes.records
  allocated_storage         = 20
  max_allocated_storage     = 200
  storage_type              = "gp3"
  storage_encrypted         = true
  db_name                   = "mouthpiece"
  username                  = "mouthpiece"
  password                  = random_password.store["records"].result
  db_subnet_group_name      = aws_db_subnet_group.records.name
  vpc_security_group_ids    = [var.security_group]
  multi_az                  = var.highly_available
  backup_retention_period   = 7
  copy_tags_to_snapshot     = true
  deletion_protection       = var.keep_data
  skip_final_snapshot       = !var.keep_data
  final_snapshot_identifier = "${var.name}-records-last"
  apply_immediately         = true
}

resource "aws_elasticache_subnet_group" "pool" {
  name       = "${var.name}-pool"
  subnet_ids = var.subnets
}

# Leases and heartbeats: seconds old. It needs no backup; what happens when it is lost is in ADR 0017.
resource "aws_elasticache_replication_group" "pool" {
  replication_group_id       = "${var.name}-pool"
  description                = "Leases and heartbeats of ${var.name}"
  engine                     = "valkey"
  engine_version             = "8.0"
  node_type                  = var.sizes.pool
  num_cache_clusters         = var.highly_available ? 2 : 1
  automatic_failover_enabled = var.highly_available
  multi_az_enabled           = var.highly_available
  subnet_group_name          = aws_elasticache_subnet_group.pool.name
  security_group_ids         = [var.security_group]
  at_rest_encryption_enabled = true
  transit_encryption_enabled = true
  auth_token                 = random_password.store["pool"].result
  apply_immediately          = true
}

resource "aws_mq_broker" "bus" {
  broker_name                = "${var.name}-bus"
  engine_type                = "RabbitMQ"
  engine_version             = "4.2"
  host_instance_type         = var.sizes.bus
  deployment_mode            = var.highly_available ? "CLUSTER_MULTI_AZ" : "SINGLE_INSTANCE"
  subnet_ids                 = var.highly_available ? var.subnets : slice(var.subnets, 0, 1)
  security_groups            = [var.security_group]
  publicly_accessible        = false
  auto_minor_version_upgrade = true
  apply_immediately          = true

  user {
    username = "mouthpiece"
    password = random_password.store["bus"].result
  }

  logs {
    general = true
  }
}
