# The bucket that the state is kept in: made once, by hand, with a state of its own in this folder.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.25"
    }
  }
}

variable "name" {
  description = "As in the folder above."
  type        = string
  default     = "mouthpiece"
}

variable "region" {
  description = "The AWS region."
  type        = string
  default     = "eu-central-1"
}

provider "aws" {
  region = var.region
}

# It holds passwords, as every state does: nobody else reads it, and earlier versions of it are kept for three months.
resource "aws_s3_bucket" "state" {
  bucket_prefix = "${var.name}-state-"
}

resource "aws_s3_bucket_versioning" "state" {
  bucket = aws_s3_bucket.state.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "state" {
  bucket = aws_s3_bucket.state.id

  rule {
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm = "aws:kms"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "state" {
  bucket                  = aws_s3_bucket.state.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_lifecycle_configuration" "state" {
  bucket = aws_s3_bucket.state.id

  rule {
    id     = "earlier-versions"
    status = "Enabled"
    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 90
    }
  }

  depends_on = [aws_s3_bucket_versioning.state]
}

output "backend" {
  description = "What backend.hcl has to say."
  value       = <<-HCL
    bucket       = "${aws_s3_bucket.state.bucket}"
    key          = "${var.name}.tfstate"
    region       = "${var.region}"
    encrypt      = true
    use_lockfile = true
  HCL
}
