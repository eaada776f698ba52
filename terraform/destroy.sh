#!/bin/sh
# Removes everything that Terraform made here, data included: destroy.sh [terraform's options, such as -var-file=...].
# Protection is taken away first, by an ordinary apply that Terraform asks about; so it does before it destroys.
set -eu
cd "$(dirname -- "$0")"
terraform apply -var keep_data=false "$@"
terraform destroy -var keep_data=false "$@"
