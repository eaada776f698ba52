# The whole, and what it refuses.

mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["a", "b", "c"] }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_data "aws_ssm_parameter" {
    defaults = { insecure_value = "ami-0123456789abcdef0" }
  }
  mock_resource "aws_vpc" {
    defaults = { cidr_block = "10.64.0.0/16" }
  }
  mock_resource "aws_ecr_repository" {
    defaults = { repository_url = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/mouthpiece/image" }
  }
  mock_resource "aws_mq_broker" {
    defaults = { instances = [{ endpoints = ["amqps://b-1.mq.eu-central-1.on.aws:5671"] }] }
  }
}

mock_provider "random" {}

variables {
  image_tag          = "1"
  certificate_arn    = "arn:aws:acm:eu-central-1:123456789012:certificate/1"
  public_url         = "https://faces.example.com/"
  max_workers        = 7
  monthly_budget_usd = 700
  alarm_email        = "farm@example.com"
}

run "coordinators_and_workers_belong_together" {
  command = apply

  assert {
    condition     = module.coordinator.settings.MOUTHPIECE_STORES__FLEET == "aws:${output.worker_group}"
    error_message = "coordinators ask the group that there is"
  }
  assert {
    condition     = strcontains(module.workers.user_data, "MOUTHPIECE_STORES__FLEET=aws:${output.worker_group}")
    error_message = "workers know that their machine is of it"
  }
  assert {
    condition     = module.coordinator.settings.MOUTHPIECE_STORES__BLOBS == "s3://${output.bucket}/farm" && strcontains(module.workers.user_data, "s3://${output.bucket}/farm")
    error_message = "one bucket"
  }
  assert {
    condition     = module.coordinator.settings.MOUTHPIECE_COORDINATOR__MAX_WORKERS == "7"
    error_message = "no more is asked for than the group allows"
  }
  assert {
    condition     = strcontains(module.workers.user_data, "MOUTHPIECE_WORKER__SLOTS=2") && module.coordinator.settings.MOUTHPIECE_COORDINATOR__SLOTS_PER_WORKER == "2"
    error_message = "what workers offer is what coordinators expect"
  }
}

run "a_page_without_tls_is_refused" {
  command = plan
  variables {
    public_url = "http://faces.example.com/"
  }
  expect_failures = [var.public_url]
}

run "a_reserve_above_the_ceiling_is_refused" {
  command = plan
  variables {
    warm_workers = 8
  }
  expect_failures = [var.max_workers]
}

run "a_name_that_aws_would_refuse_is_refused_before" {
  command = plan
  variables {
    name = "A farm"
  }
  expect_failures = [var.name]
}

run "no_budget_is_refused" {
  command = plan
  variables {
    monthly_budget_usd = 0
  }
  expect_failures = [var.monthly_budget_usd]
}
