variable "name" {
  description = "What everything is called."
  type        = string
}

variable "subnets" {
  description = "Private subnets, one a zone."
  type        = list(string)
}

variable "security_group" {
  description = "Who may reach them."
  type        = string
}

variable "sizes" {
  description = "Instance classes."
  type        = object({ records = string, pool = string, bus = string })
}

variable "highly_available" {
  description = "In several zones."
  type        = bool
}

variable "keep_data" {
  description = "The database is protected and leaves a snapshot."
  type        = bool
}
