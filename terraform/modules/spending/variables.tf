variable "name" {
  description = "The tag Project of what counts."
  type        = string
}

variable "monthly_budget_usd" {
  description = "What a month may cost."
  type        = number
}

variable "alarm_email" {
  description = "Who is told."
  type        = string
}
