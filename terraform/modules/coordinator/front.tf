# The load balancer: TLS for the page, the API, WHEP and audio sockets. Media does not come through it.

resource "aws_lb" "front" {
  name               = "${var.name}-front"
  load_balancer_type = "application"
  subnets            = var.subnets
  security_groups    = [var.front_group]

  # Event streams and audio sockets are silent at times; both say something every half minute at least.
  idle_timeout               = 120
  drop_invalid_header_fields = true
}

resource "aws_lb_target_group" "coordinator" {
  name        = "${var.name}-coordinator"
  vpc_id      = var.vpc
  target_type = "ip"
  protocol    = "HTTP"
  port        = 8000

  # Audio sockets of a coordinator that goes are closed then; callers open them with another.
  deregistration_delay = 30

  # Not /readyz: while a store is away no coordinator is ready, and ECS would end them all, with the audio sockets that they hold. One that
  # waits for a store answers callers with 503 and Retry-After.
  health_check {
    path                = "/healthz"
    matcher             = "200"
    interval            = 5
    timeout             = 4
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.front.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.coordinator.arn
  }
}

# Counts and states are for Prometheus and the balancer, which come from inside.
resource "aws_lb_listener_rule" "inside_only" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 1

  condition {
    path_pattern {
      values = ["/metrics", "/readyz"]
    }
  }

  action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      message_body = "not here"
      status_code  = "404"
    }
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.front.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"

    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}
