output "coordinator_secret_arn" {
  description = "JSON: records, bus, pool, secret."
  value       = aws_secretsmanager_secret_version.coordinator.arn
}

output "coordinator_secret_fields" {
  description = "Which setting each field is for."
  value = {
    MOUTHPIECE_STORES__RECORDS = "records"
    MOUTHPIECE_STORES__BUS     = "bus"
    MOUTHPIECE_STORES__POOL    = "pool"
    MOUTHPIECE_FARM__SECRET    = "secret"
  }
}

output "worker_secret_arn" {
  description = "JSON: bus, pool, secret."
  value       = aws_secretsmanager_secret_version.worker.arn
}
