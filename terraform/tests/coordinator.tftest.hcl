mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
}

variables {
  name            = "farm"
  region          = "eu-central-1"
  image           = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/farm/coordinator:1"
  registry_arn    = "arn:aws:ecr:eu-central-1:123456789012:repository/farm/coordinator"
  bucket_arn      = "arn:aws:s3:::farm"
  group           = "farm-workers"
  vpc             = "vpc-1"
  subnets         = ["subnet-1", "subnet-2"]
  front_group     = "sg-1"
  security_group  = "sg-2"
  certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1"
  secret_arn      = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:farm"
  secret_fields   = { MOUTHPIECE_STORES__RECORDS = "records" }
  settings        = { MOUTHPIECE_HTTP__PORT = "8000" }
  tasks           = 2
  size            = { cpu = 512, memory = 1024 }
}

run "coordinators_behind_tls_with_few_rights" {
  command = apply
  module {
    source = "./modules/coordinator"
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.coordinator.container_definitions)[0].secrets == [{ name = "MOUTHPIECE_STORES__RECORDS", valueFrom = "${var.secret_arn}:records::" }]
    error_message = "secrets are named, not held: whoever may read task definitions may not read them"
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.coordinator.container_definitions)[0].readonlyRootFilesystem
    error_message = "what it writes has its places"
  }
  assert {
    condition     = aws_lb_target_group.coordinator.health_check[0].path == "/healthz"
    error_message = "a store that is away must not end all coordinators"
  }
  assert {
    condition     = aws_lb_listener.http.default_action[0].type == "redirect" && aws_lb_listener.https.protocol == "HTTPS"
    error_message = "plain HTTP is sent to TLS"
  }
  assert {
    condition     = aws_lb_listener_rule.inside_only.action[0].fixed_response[0].status_code == "404"
    error_message = "metrics are not shown to the world"
  }
  assert {
    condition     = aws_ecs_service.coordinator.deployment_minimum_healthy_percent == 100
    error_message = "an old one goes when a new one is there"
  }
  assert {
    condition     = [for s in data.aws_iam_policy_document.task.statement : s.sid if contains(s.resources, "*")] == ["FleetAndPrices"]
    error_message = "only what cannot be narrowed is not"
  }
  assert {
    condition     = anytrue([for s in data.aws_iam_policy_document.task.statement : s.resources == toset(["arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:*:autoScalingGroupName/farm-workers"])])
    error_message = "one group"
  }
}
