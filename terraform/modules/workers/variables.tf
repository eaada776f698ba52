variable "name" {
  description = "What everything is called."
  type        = string
}

variable "region" {
  description = "The AWS region."
  type        = string
}

variable "image" {
  description = "The worker's image, with its tag."
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
  description = "What the Auto Scaling group is called."
  type        = string
}

variable "subnets" {
  description = "Public subnets, one a zone: viewers reach workers directly."
  type        = list(string)
}

variable "security_group" {
  description = "The workers' security group."
  type        = string
}

variable "secret_arn" {
  description = "What they connect with: a secret with a JSON object {bus, pool, secret}."
  type        = string
}

variable "settings" {
  description = "Everything else that they are told, as environment variables."
  type        = map(string)
}

variable "instance_types" {
  description = "What may be taken."
  type        = list(string)
}

variable "gpu" {
  description = "The container gets the machine's GPUs."
  type        = bool
}

variable "max_workers" {
  description = "The group's maximum."
  type        = number
}

variable "on_demand_base" {
  description = "So many that are not spot machines."
  type        = number
}
