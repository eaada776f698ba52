output "group" {
  description = "The Auto Scaling group's name."
  value       = aws_autoscaling_group.workers.name
}

output "user_data" {
  description = "What a machine does when it boots."
  value       = local.user_data
}
