output "bucket" {
  description = "Its name."
  value       = aws_s3_bucket.farm.bucket
}

output "bucket_arn" {
  description = "Its ARN."
  value       = aws_s3_bucket.farm.arn
}

output "registries" {
  description = "Addresses of the registries, by image."
  value       = { for name, one in aws_ecr_repository.image : name => one.repository_url }
}

output "registry_arns" {
  description = "Their ARNs, by image."
  value       = { for name, one in aws_ecr_repository.image : name => one.arn }
}
