output "vpc" {
  description = "Its id."
  value       = aws_vpc.farm.id
}

output "public_subnets" {
  description = "Ids, one a zone."
  value       = [for subnet in aws_subnet.public : subnet.id]
}

output "private_subnets" {
  description = "Ids, one a zone."
  value       = [for subnet in aws_subnet.private : subnet.id]
}

output "front_group" {
  description = "The load balancer's security group."
  value       = aws_security_group.front.id
}

output "coordinator_group" {
  description = "The coordinators' security group."
  value       = aws_security_group.coordinator.id
}

output "worker_group" {
  description = "The workers' security group."
  value       = aws_security_group.worker.id
}

output "stores_group" {
  description = "The stores' security group."
  value       = aws_security_group.stores.id
}
