mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["a", "b", "c", "d"] }
  }
}

variables {
  name        = "farm"
  region      = "eu-central-1"
  callers     = ["192.0.2.0/24"]
  monitoring  = []
  media_port  = 40000
  lines_port  = 8002
  health_port = 8001
}

run "one_udp_port_is_open_to_the_world_and_stores_to_nobody_outside" {
  command = apply
  module {
    source = "./modules/network"
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.media.ip_protocol == "udp" && aws_vpc_security_group_ingress_rule.media.from_port == 40000 && aws_vpc_security_group_ingress_rule.media.to_port == 40000
    error_message = "media"
  }
  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.front : rule.cidr_ipv4 == "192.0.2.0/24"])
    error_message = "callers, and nobody else"
  }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.scraped) == 0
    error_message = "metrics are shown to nobody unless somebody is named"
  }
  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.inside : rule.cidr_ipv4 == null || rule.referenced_security_group_id != null])
    error_message = "no address may reach them"
  }
  assert {
    condition     = !contains([for rule in aws_vpc_security_group_egress_rule.out : rule.security_group_id], aws_security_group.stores.id)
    error_message = "they begin nothing"
  }
  assert {
    condition     = !contains(keys(aws_vpc_security_group_ingress_rule.inside), "workers to records")
    error_message = "workers have no business with the records"
  }
  assert {
    condition     = length(aws_subnet.private) == 3 && length(aws_route_table_association.public) == 3
    error_message = "private subnets are in no route table with a way out"
  }
  assert {
    condition = length(distinct(concat(
      [for subnet in aws_subnet.public : subnet.cidr_block],
      [for subnet in aws_subnet.private : subnet.cidr_block],
    ))) == 6
    error_message = "six subnets, six ranges"
  }
}

run "prometheus_is_let_in_where_it_is_named" {
  command = apply
  module {
    source = "./modules/network"
  }
  variables {
    monitoring = ["10.64.200.0/24"]
  }

  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.scraped : rule.from_port]) == toset([8000, 8001])
    error_message = "coordinators at 8000, workers at 8001"
  }
}
