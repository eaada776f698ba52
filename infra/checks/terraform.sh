#!/usr/bin/env bash
# Format, validation and tests of terraform/ without a cloud: the providers are stand-ins that know the real ones' schemas
# (schemas/*.json.gz) and nothing else. Needs terraform 1.11 or newer; without it, says so and ends well.
set -euo pipefail
here=$(cd -- "$(dirname -- "$0")" && pwd)
root=$(cd -- "$here/../.." && pwd)

if ! command -v terraform >/dev/null; then
    echo "terraform is not installed: terraform/ was not checked (https://developer.hashicorp.com/terraform/install, 1.11 or newer)"
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/plugins"
for schema in "$here"/schemas/*.json.gz; do
    plugin=$work/plugins/terraform-provider-$(basename "$schema" .json.gz)
    printf '#!/bin/sh\nexec "%s" terraform_provider "%s"\n' "$here/python.sh" "$schema" >"$plugin"
    chmod +x "$plugin"
done
cat >"$work/terraformrc" <<RC
provider_installation {
  dev_overrides {
    "hashicorp/aws"    = "$work/plugins"
    "hashicorp/random" = "$work/plugins"
  }
}
disable_checkpoint = true
RC
export TF_CLI_CONFIG_FILE=$work/terraformrc TF_DISABLE_PLUGIN_TLS=1 TF_IN_AUTOMATION=1 TF_INPUT=0

terraform fmt -check -recursive -diff "$root/terraform"
# Terraform wants the plugin ready within seconds: its packages are brought before.
"$here/python.sh" ready
for folder in "$root"/terraform "$root"/terraform/state; do
    # A copy: what Terraform leaves behind, and secrets of an operator's own that lie there, stay out of it.
    copy=$work/copy/$(basename "$folder")
    mkdir -p "$copy"
    tar -C "$folder" --exclude=.terraform --exclude='*.tfstate*' --exclude='*.auto.tfvars' --exclude=terraform.tfvars -c . | tar -C "$copy" -x
    run() { terraform -chdir="$copy" "$@" >"$work/said" 2>&1 || { cat "$work/said" >&2; exit 1; }; }
    run get -no-color
    run validate -no-color
    if [ -d "$copy/tests" ]; then
        run test -no-color
        tail -n 1 "$work/said"
    fi
done
