# Coordinators on Fargate. Any of them answers any request, so the balancer needs no stickiness; one that is stopped finishes its
# requests, and what it held another one takes over.

resource "aws_cloudwatch_log_group" "coordinator" {
  name              = "/${var.name}/coordinator"
  retention_in_days = 30
}

resource "aws_ecs_cluster" "farm" {
  name = var.name
}

resource "aws_ecs_task_definition" "coordinator" {
  family                   = "${var.name}-coordinator"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = tostring(var.size.cpu)
  memory                   = tostring(var.size.memory)
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn

  # The image's root is read-only; what it writes goes here and is gone with the task.
  volume {
    name = "data"
  }

  volume {
    name = "tmp"
  }

  container_definitions = jsonencode([{
    name                   = "coordinator"
    image                  = var.image
    command                = ["coordinator", "--data", "/var/lib/mouthpiece"]
    essential              = true
    readonlyRootFilesystem = true
    stopTimeout            = 60
    portMappings           = [{ containerPort = 8000, protocol = "tcp" }]
    environment            = [for key, value in var.settings : { name = key, value = value }]
    secrets                = [for key, field in var.secret_fields : { name = key, valueFrom = "${var.secret_arn}:${field}::" }]
    mountPoints = [
      { sourceVolume = "data", containerPath = "/var/lib/mouthpiece", readOnly = false },
      { sourceVolume = "tmp", containerPath = "/tmp", readOnly = false },
    ]
    linuxParameters = { initProcessEnabled = true }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.coordinator.name
        awslogs-region        = var.region
        awslogs-stream-prefix = "coordinator"
      }
    }
  }])
}

resource "aws_ecs_service" "coordinator" {
  name            = "coordinator"
  cluster         = aws_ecs_cluster.farm.id
  task_definition = aws_ecs_task_definition.coordinator.arn
  desired_count   = var.tasks
  launch_type     = "FARGATE"

  # A new one is there and ready before an old one goes.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = 120

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.subnets
    security_groups  = [var.security_group]
    assign_public_ip = true
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.coordinator.arn
    container_name   = "coordinator"
    container_port   = 8000
  }

  depends_on = [aws_lb_listener.https]
}
