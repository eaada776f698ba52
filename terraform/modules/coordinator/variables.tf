variable "name" {
  description = "What everything is called."
  type        = string
}

variable "region" {
  description = "The AWS region."
  type        = string
}

variable "image" {
  description = "The coordinator's image, with its tag."
  type        = string
}

variable "registry_arn" {
  description = "Where it lies."
  type        = string
}

variable "bucket_arn" {
  description = "The artifact store."
  type        = string
}

variable "group" {
  description = "The name of the workers' Auto Scaling group."
  type        = string
}

variable "vpc" {
  description = "Its id."
  type        = string
}

variable "subnets" {
  description = "Public subnets, one a zone."
  type        = list(string)
}

variable "front_group" {
  description = "The load balancer's security group."
  type        = string
}

variable "security_group" {
  description = "The coordinators' security group."
  type        = string
}

variable "certificate_arn" {
  description = "The load balancer's certificate."
  type        = string
}

variable "secret_arn" {
  description = "What they connect with: a secret with a JSON object."
  type        = string
}

variable "secret_fields" {
  description = "Which of its fields is for which environment variable."
  type        = map(string)
}

variable "settings" {
  description = "Everything else that they are told, as environment variables."
  type        = map(string)
}

variable "tasks" {
  description = "How many there are."
  type        = number
}

variable "size" {
  description = "CPU units and MiB of one."
  type        = object({ cpu = number, memory = number })
}
