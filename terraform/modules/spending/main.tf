# Mail when a month becomes dearer than wanted. It stops nothing: coordinator.max_usd_per_hour and max_workers do.

resource "aws_budgets_budget" "month" {
  name         = var.name
  budget_type  = "COST"
  limit_amount = tostring(var.monthly_budget_usd)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"

  # The tag has to be activated for cost allocation once, by hand, in the billing console.
  cost_filter {
    name   = "TagKeyValue"
    values = ["user:Project$${var.name}"]
  }

  notification {
    comparison_operator        = "GREATER_THAN"
    threshold                  = 80
    threshold_type             = "PERCENTAGE"
    notification_type          = "ACTUAL"
    subscriber_email_addresses = [var.alarm_email]
  }

  notification {
    comparison_operator        = "GREATER_THAN"
    threshold                  = 100
    threshold_type             = "PERCENTAGE"
    notification_type          = "FORECASTED"
    subscriber_email_addresses = [var.alarm_email]
  }
}

# The whole account's bill, looked at every six hours: what no tag catches. AWS keeps this metric in one region only.
resource "aws_sns_topic" "bill" {
  region = "us-east-1"
  name   = "${var.name}-bill"
}

resource "aws_sns_topic_subscription" "bill" {
  region    = "us-east-1"
  topic_arn = aws_sns_topic.bill.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

resource "aws_cloudwatch_metric_alarm" "bill" {
  region              = "us-east-1"
  alarm_name          = "${var.name}-bill"
  alarm_description   = "This month's bill of the account has passed the budget of ${var.name}"
  namespace           = "AWS/Billing"
  metric_name         = "EstimatedCharges"
  dimensions          = { Currency = "USD" }
  statistic           = "Maximum"
  period              = 21600
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.monthly_budget_usd
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.bill.arn]
}
