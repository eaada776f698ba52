# Two kinds of subnet, and no NAT gateway: video would go through it, at $0.045 a gigabyte on top of what the way out costs.
#
#   public    load balancer, coordinators, workers: each has an address of its own, and security groups before it
#   private   Postgres, Valkey, RabbitMQ: no way out, and none in but from those

data "aws_availability_zones" "here" {
  state = "available"
}

locals {
  zones  = slice(data.aws_availability_zones.here.names, 0, min(3, length(data.aws_availability_zones.here.names)))
  public = { for i, zone in local.zones : zone => cidrsubnet(aws_vpc.farm.cidr_block, 4, i) }
  inner  = { for i, zone in local.zones : zone => cidrsubnet(aws_vpc.farm.cidr_block, 4, i + 8) }
}

resource "aws_vpc" "farm" {
  cidr_block           = "10.64.0.0/16"
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = var.name }
}

resource "aws_internet_gateway" "out" {
  vpc_id = aws_vpc.farm.id

  tags = { Name = var.name }
}

resource "aws_subnet" "public" {
  for_each = local.public

  vpc_id                  = aws_vpc.farm.id
  availability_zone       = each.key
  cidr_block              = each.value
  map_public_ip_on_launch = true

  tags = { Name = "${var.name}-public-${each.key}" }
}

resource "aws_subnet" "private" {
  for_each = local.inner

  vpc_id            = aws_vpc.farm.id
  availability_zone = each.key
  cidr_block        = each.value

  tags = { Name = "${var.name}-private-${each.key}" }
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.farm.id

  tags = { Name = "${var.name}-public" }
}

resource "aws_route" "out" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.out.id
}

resource "aws_route_table_association" "public" {
  for_each = aws_subnet.public

  route_table_id = aws_route_table.public.id
  subnet_id      = each.value.id
}

# What goes to the bucket stays inside, and costs nothing.
resource "aws_vpc_endpoint" "bucket" {
  vpc_id            = aws_vpc.farm.id
  vpc_endpoint_type = "Gateway"
  service_name      = "com.amazonaws.${var.region}.s3"
  route_table_ids   = [aws_route_table.public.id]

  tags = { Name = "${var.name}-bucket" }
}
