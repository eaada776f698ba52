# A group of spot machines, a worker each. Coordinators set its size and take machines out of it by name (docs/aws.md); Terraform makes
# it empty and never looks at its size again.

data "aws_ssm_parameter" "system" {
  name = var.gpu ? local.systems.gpu : local.systems.plain
}

locals {
  # Both have Docker; the first has NVIDIA's driver and container toolkit, too.
  systems = {
    gpu   = "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-amazon-linux-2023/latest/ami-id"
    plain = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
  }

  user_data = templatefile("${path.module}/user_data.sh.tftpl", {
    region    = var.region
    image     = var.image
    registry  = split("/", var.image)[0]
    secret    = var.secret_arn
    log_group = aws_cloudwatch_log_group.worker.name
    gpus      = var.gpu ? "--gpus all" : ""
    settings  = join("\n", [for key, value in var.settings : "${key}=${value}"])
  })
}

resource "aws_cloudwatch_log_group" "worker" {
  name              = "/${var.name}/worker"
  retention_in_days = 30
}

resource "aws_launch_template" "worker" {
  name_prefix            = "${var.name}-worker-"
  image_id               = data.aws_ssm_parameter.system.insecure_value
  update_default_version = true
  ebs_optimized          = true
  user_data              = base64encode(local.user_data)

  iam_instance_profile {
    arn = aws_iam_instance_profile.worker.arn
  }

  network_interfaces {
    device_index                = 0
    associate_public_ip_address = true
    security_groups             = [var.security_group]
    delete_on_termination       = true
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 2
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_size           = var.gpu ? 80 : 30
      volume_type           = "gp3"
      encrypted             = "true"
      delete_on_termination = "true"
    }
  }

  monitoring {
    enabled = false
  }

  tag_specifications {
    resource_type = "instance"
    tags          = { Name = "${var.name}-worker", Project = var.name }
  }

  tag_specifications {
    resource_type = "volume"
    tags          = { Name = "${var.name}-worker", Project = var.name }
  }
}

resource "aws_autoscaling_group" "workers" {
  name                = var.group
  min_size            = 0
  max_size            = var.max_workers
  vpc_zone_identifier = var.subnets
  health_check_type   = "EC2"
  default_cooldown    = 0
  force_delete        = true

  # A worker hears of a machine at risk by itself, and moves its sessions. The group would start a machine beside it, which nobody
  # asked for: how many there are is the coordinators' to say.
  capacity_rebalance = false

  mixed_instances_policy {
    instances_distribution {
      on_demand_base_capacity                  = var.on_demand_base
      on_demand_percentage_above_base_capacity = 0
      spot_allocation_strategy                 = "price-capacity-optimized"
    }

    launch_template {
      launch_template_specification {
        launch_template_id = aws_launch_template.worker.id
        version            = aws_launch_template.worker.latest_version
      }

      dynamic "override" {
        for_each = var.instance_types

        content {
          instance_type = override.value
        }
      }
    }
  }

  tag {
    key                 = "Name"
    value               = "${var.name}-worker"
    propagate_at_launch = true
  }

  lifecycle {
    ignore_changes = [desired_capacity]
  }
}
