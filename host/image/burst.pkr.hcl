# The image of burst hosts: Asterisk 22, the agent, a configuration that does nothing but dial.
#
#   npm run build                                       # puts the agent into dist/agent
#   packer init host/image && packer build -var region=eu-central-1 host/image
#
# The image id that it prints is the parameter burstImage of the deployment.

packer {
  required_version = ">= 1.10.0"
  required_plugins {
    amazon = {
      source  = "github.com/hashicorp/amazon"
      version = "~> 1.3"
    }
  }
}

variable "region" {
  type        = string
  description = "Where the burst hosts run."
}

variable "instance_type" {
  type        = string
  default     = "c7g.xlarge"
  description = "Builds the image; arm64, as the burst hosts are."
}

variable "asterisk_version" {
  type    = string
  default = "22.10.1"
}

variable "node_version" {
  type    = string
  default = "24.21.0"
}

variable "sounds" {
  type        = string
  default     = ""
  description = "Folder of sound files that campaigns play; ends with /. A campaign is not granted to a host that lacks its sound."
}

variable "dialplan" {
  type        = string
  default     = ""
  description = "File with contexts (burst-…) that campaigns name."
}

variable "kms_key_id" {
  type        = string
  default     = ""
  description = "Encrypts the image; default: the account's key for EBS."
}

source "amazon-ebs" "burst" {
  region        = var.region
  instance_type = var.instance_type
  ssh_username  = "admin"
  ami_name      = "burst-dialer-{{timestamp}}"

  source_ami_filter {
    # Debian 13 for arm64, by Debian's own account.
    owners      = ["136693071363"]
    most_recent = true
    filters = {
      name                = "debian-13-arm64-*"
      root-device-type    = "ebs"
      virtualization-type = "hvm"
    }
  }

  encrypt_boot  = true
  kms_key_id    = var.kms_key_id
  imds_support  = "v2.0"
  ena_support   = true

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  launch_block_device_mappings {
    device_name           = "/dev/xvda"
    volume_type           = "gp3"
    volume_size           = 8
    delete_on_termination = true
  }

  tags = {
    Name                    = "burst-dialer"
    "burst-dialer:asterisk" = var.asterisk_version
  }
}

build {
  sources = ["source.amazon-ebs.burst"]

  provisioner "shell" {
    inline = ["mkdir -p /tmp/burst-dialer/sounds"]
  }

  # Agent, install script, provisioning script and Asterisk's base configuration.
  provisioner "file" {
    source      = "${path.root}/../../dist/agent/"
    destination = "/tmp/burst-dialer/"
  }

  provisioner "file" {
    source      = var.sounds != "" ? var.sounds : "${path.root}/empty/"
    destination = "/tmp/burst-dialer/sounds/"
  }

  provisioner "file" {
    source      = var.dialplan != "" ? var.dialplan : "${path.root}/empty/dialplan.conf"
    destination = "/tmp/burst-dialer/dialplan.conf"
  }

  provisioner "shell" {
    execute_command = "sudo -n sh '{{ .Path }}' --from /tmp/burst-dialer --asterisk-version ${var.asterisk_version} --node-version ${var.node_version}"
    script          = "${path.root}/provision.sh"
  }
}
