variable "name" {
  description = "What everything is called."
  type        = string
}


variable "keep_data" {
  description = "Bucket and registries are only removed when they are empty."
  type        = bool
}
