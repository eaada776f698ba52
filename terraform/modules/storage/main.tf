# The bucket of uploads, prepared avatars and results, and the registries of the two images.

resource "aws_s3_bucket" "farm" {
  bucket_prefix = "${var.name}-farm-"
  force_destroy = !var.keep_data
}

resource "aws_s3_bucket_public_access_block" "farm" {
  bucket                  = aws_s3_bucket.farm.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "farm" {
  bucket = aws_s3_bucket.farm.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "farm" {
  bucket = aws_s3_bucket.farm.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

# What is old is removed by the farm itself, which knows what an open session needs ([retention]). Here goes only what it cannot see:
# pieces of uploads that broke off.
resource "aws_s3_bucket_lifecycle_configuration" "farm" {
  bucket = aws_s3_bucket.farm.id

  rule {
    id     = "broken-uploads"
    status = "Enabled"
    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

data "aws_iam_policy_document" "only_tls" {
  statement {
    sid       = "OnlyTls"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.farm.arn, "${aws_s3_bucket.farm.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "farm" {
  bucket = aws_s3_bucket.farm.id
  policy = data.aws_iam_policy_document.only_tls.json
}

resource "aws_ecr_repository" "image" {
  for_each = toset(["coordinator", "worker"])

  name                 = "${var.name}/${each.key}"
  image_tag_mutability = "IMMUTABLE"
  force_delete         = !var.keep_data

  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_lifecycle_policy" "image" {
  for_each = aws_ecr_repository.image

  repository = each.value.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "the last twenty"
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 20 }
      action       = { type = "expire" }
    }]
  })
}
