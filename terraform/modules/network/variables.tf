variable "name" {
  description = "What everything is called."
  type        = string
}

variable "region" {
  description = "The AWS region."
  type        = string
}

variable "callers" {
  description = "From where the API may be called."
  type        = list(string)
}

variable "monitoring" {
  description = "From where /metrics may be read."
  type        = list(string)
}

variable "media_port" {
  description = "UDP, open to the world."
  type        = number
}

variable "lines_port" {
  description = "TCP, coordinators to workers."
  type        = number
}

variable "health_port" {
  description = "TCP, a worker's probes and metrics."
  type        = number
}
