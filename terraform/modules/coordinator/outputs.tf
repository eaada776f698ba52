output "load_balancer" {
  description = "Its name in DNS."
  value       = aws_lb.front.dns_name
}

output "log_group" {
  description = "Where coordinators log."
  value       = aws_cloudwatch_log_group.coordinator.name
}

output "settings" {
  description = "What a coordinator is told, but for secrets."
  value       = var.settings
}
