# Who may reach whom. Whatever is not here is closed.

resource "aws_security_group" "front" {
  name        = "${var.name}-front"
  description = "The load balancer"
  vpc_id      = aws_vpc.farm.id

  tags = { Name = "${var.name}-front" }
}

resource "aws_security_group" "coordinator" {
  name        = "${var.name}-coordinator"
  description = "Coordinators"
  vpc_id      = aws_vpc.farm.id

  tags = { Name = "${var.name}-coordinator" }
}

resource "aws_security_group" "worker" {
  name        = "${var.name}-worker"
  description = "Workers"
  vpc_id      = aws_vpc.farm.id

  tags = { Name = "${var.name}-worker" }
}

resource "aws_security_group" "stores" {
  name        = "${var.name}-stores"
  description = "Postgres, Valkey, RabbitMQ"
  vpc_id      = aws_vpc.farm.id

  tags = { Name = "${var.name}-stores" }
}

locals {
  https    = { for cidr in var.callers : "https from ${cidr}" => { port = 443, cidr = cidr } }
  http     = { for cidr in var.callers : "http from ${cidr}, redirected" => { port = 80, cidr = cidr } }
  to_front = merge(local.https, local.http)

  # {who: {group, port, from}}
  inside = {
    "front to coordinators"   = { group = aws_security_group.coordinator.id, port = 8000, from = aws_security_group.front.id }
    "lines to workers"        = { group = aws_security_group.worker.id, port = var.lines_port, from = aws_security_group.coordinator.id }
    "coordinators to records" = { group = aws_security_group.stores.id, port = 5432, from = aws_security_group.coordinator.id }
    "coordinators to pool"    = { group = aws_security_group.stores.id, port = 6379, from = aws_security_group.coordinator.id }
    "workers to pool"         = { group = aws_security_group.stores.id, port = 6379, from = aws_security_group.worker.id }
    "coordinators to bus"     = { group = aws_security_group.stores.id, port = 5671, from = aws_security_group.coordinator.id }
    "workers to bus"          = { group = aws_security_group.stores.id, port = 5671, from = aws_security_group.worker.id }
  }

  scraped = merge(
    { for cidr in var.monitoring : "metrics of coordinators to ${cidr}" => { group = aws_security_group.coordinator.id, port = 8000, cidr = cidr } },
    { for cidr in var.monitoring : "metrics of workers to ${cidr}" => { group = aws_security_group.worker.id, port = var.health_port, cidr = cidr } },
  )
}

resource "aws_vpc_security_group_ingress_rule" "front" {
  for_each = local.to_front

  security_group_id = aws_security_group.front.id
  description       = each.key
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = each.value.cidr
}

resource "aws_vpc_security_group_ingress_rule" "media" {
  security_group_id = aws_security_group.worker.id
  description       = "WebRTC from viewers everywhere"
  ip_protocol       = "udp"
  from_port         = var.media_port
  to_port           = var.media_port
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_ingress_rule" "inside" {
  for_each = local.inside

  security_group_id            = each.value.group
  description                  = each.key
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  referenced_security_group_id = each.value.from
}

resource "aws_vpc_security_group_ingress_rule" "scraped" {
  for_each = local.scraped

  security_group_id = each.value.group
  description       = each.key
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = each.value.cidr
}

# Images, secrets, logs, and media to viewers go out. The stores begin nothing.
resource "aws_vpc_security_group_egress_rule" "out" {
  for_each = {
    front       = aws_security_group.front.id
    coordinator = aws_security_group.coordinator.id
    worker      = aws_security_group.worker.id
  }

  security_group_id = each.value
  description       = "out"
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}
