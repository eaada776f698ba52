# The fleet's own module, with a provider that invents what AWS would answer.

mock_provider "aws" {
  mock_data "aws_ssm_parameter" {
    defaults = { insecure_value = "ami-0123456789abcdef0" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:/farm/worker" }
  }
}

variables {
  name           = "farm"
  region         = "eu-central-1"
  image          = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/farm/worker:1"
  registry_arn   = "arn:aws:ecr:eu-central-1:123456789012:repository/farm/worker"
  bucket_arn     = "arn:aws:s3:::farm"
  group          = "farm-workers"
  subnets        = ["subnet-1", "subnet-2"]
  security_group = "sg-1"
  secret_arn     = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:farm-worker"
  instance_types = ["g4dn.xlarge", "g5.xlarge"]
  gpu            = true
  max_workers    = 7
  on_demand_base = 0
  settings       = { MOUTHPIECE_RTC__PORT = "40000" }
}

run "a_fleet_of_spot_machines_with_few_rights" {
  command = apply
  module {
    source = "./modules/workers"
  }

  assert {
    condition     = aws_autoscaling_group.workers.mixed_instances_policy[0].instances_distribution[0].on_demand_percentage_above_base_capacity == 0
    error_message = "workers are spot machines"
  }
  assert {
    condition     = aws_autoscaling_group.workers.mixed_instances_policy[0].instances_distribution[0].spot_allocation_strategy == "price-capacity-optimized"
    error_message = "of the cheap pools those that last"
  }
  assert {
    condition     = [for o in aws_autoscaling_group.workers.mixed_instances_policy[0].launch_template[0].override : o.instance_type] == ["g4dn.xlarge", "g5.xlarge"]
    error_message = "every type is a fallback for the others"
  }
  assert {
    condition     = aws_autoscaling_group.workers.min_size == 0 && aws_autoscaling_group.workers.max_size == 7
    error_message = "the coordinators may ask for any number up to the maximum"
  }
  assert {
    condition     = !aws_autoscaling_group.workers.capacity_rebalance
    error_message = "a machine at risk is the worker's affair, not the group's"
  }
  assert {
    condition     = aws_launch_template.worker.metadata_options[0].http_tokens == "required" && aws_launch_template.worker.metadata_options[0].http_put_response_hop_limit == 2
    error_message = "version 2, reachable from a container"
  }
  assert {
    condition     = aws_launch_template.worker.image_id == "ami-0123456789abcdef0"
    error_message = "the system's image is the newest of its kind"
  }
  assert {
    condition     = strcontains(output.user_data, "MOUTHPIECE_RTC__PORT=40000") && strcontains(output.user_data, "--gpus all")
    error_message = "settings and the GPU"
  }
  assert {
    condition     = strcontains(output.user_data, "--secret-id \"${var.secret_arn}\"") && !strcontains(output.user_data, "amqps://")
    error_message = "it fetches its secret itself: user data can be read by whoever may describe the machine"
  }
  assert {
    condition     = base64decode(aws_launch_template.worker.user_data) == output.user_data
    error_message = "the template starts with it"
  }
  assert {
    condition     = length(output.user_data) < 16384
    error_message = "EC2 takes 16 KiB"
  }
  assert {
    condition     = alltrue([for s in data.aws_iam_policy_document.worker.statement : alltrue([for a in s.actions : !strcontains(a, "*")])])
    error_message = "every action is named"
  }
  assert {
    condition     = [for s in data.aws_iam_policy_document.worker.statement : s.sid if contains(s.resources, "*")] == ["Login"]
    error_message = "only logging in to the registry cannot be narrowed"
  }
  assert {
    condition     = !anytrue([for s in data.aws_iam_policy_document.worker.statement : contains(s.actions, "s3:DeleteObject")])
    error_message = "workers delete nothing"
  }
}

run "without_gpus_none_are_asked_for" {
  command = apply
  module {
    source = "./modules/workers"
  }
  variables {
    gpu            = false
    instance_types = ["c7i.large"]
  }

  assert {
    condition     = !strcontains(output.user_data, "--gpus")
    error_message = "Docker would refuse to start"
  }
  assert {
    condition     = data.aws_ssm_parameter.system.name == "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
    error_message = "a system without NVIDIA's driver"
  }
}
