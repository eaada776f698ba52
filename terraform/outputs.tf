output "load_balancer" {
  description = "Where the name of public_url has to point (CNAME or alias)."
  value       = module.coordinator.load_balancer
}

output "registries" {
  description = "Where the images of docker/ go, by name: coordinator, worker."
  value       = module.storage.registries
}

output "bucket" {
  description = "Uploads, prepared avatars and results."
  value       = module.storage.bucket
}

output "worker_group" {
  description = "The Auto Scaling group of the workers. The coordinators set its size; nothing else should."
  value       = module.workers.group
}

output "coordinator_log" {
  description = "The log group with the first API key, which the first coordinator prints once."
  value       = module.coordinator.log_group
}
