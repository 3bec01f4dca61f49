#!/bin/sh
# Makes a machine a burst host's image: Asterisk, Node.js, a configuration that does nothing but dial, and the agent.
set -eu

usage() {
	cat <<'HELP'
Usage: provision.sh --from DIR [options]

Run as root on the machine that becomes the image (host/image/burst.pkr.hcl does it). DIR is what `npm run build` put into dist/agent, with the
folder sounds/ and the file dialplan.conf beside it, if there are such.

  --from DIR               agent.mjs, install.sh, asterisk/*.conf
  --control-plane URL      address of the API; default: from the instance's user data
  --asterisk-version V     default 22.10.1
  --node-version V         default 24.21.0
  --node FILE              use this Node.js, download none
  --configure-only         download and build nothing: Asterisk is there
  --root DIR               configure below DIR instead of / (implies --configure-only)
  --help                   this text
HELP
}

fail() {
	printf 'provision.sh: %s\n' "$1" >&2
	exit 1
}

from='' control_plane='' root='' node=''
asterisk_version=22.10.1
node_version=24.21.0
configure_only=no
while [ $# -gt 0 ]; do
	case $1 in
	--from | --control-plane | --asterisk-version | --node-version | --node | --root)
		[ $# -ge 2 ] || fail "$1 needs a value; see --help"
		case $1 in
		--from) from=$2 ;;
		--control-plane) control_plane=$2 ;;
		--asterisk-version) asterisk_version=$2 ;;
		--node-version) node_version=$2 ;;
		--node) node=$2 ;;
		--root) root=${2%/} configure_only=yes ;;
		esac
		shift
		;;
	--configure-only) configure_only=yes ;;
	--help)
		usage
		exit 0
		;;
	*) fail "unknown option $1; see --help" ;;
	esac
	shift
done
[ -n "$from" ] || fail '--from is missing; see --help'
for file in agent.mjs install.sh asterisk/pjsip.conf asterisk/asterisk.conf; do
	[ -r "$from/$file" ] || fail "$from/$file is not there; build it with: npm run build"
done
[ "$(id -u)" = 0 ] || [ -n "$root" ] || fail 'run it as root'
case $asterisk_version$node_version in *[!0-9.]*) fail 'versions are digits and dots' ;; esac

# Downloads a file and checks it by the list of sums that its maker publishes beside it. $1 URL of the file, $2 URL of the sums, $3 where to
download() {
	name=$(basename "$1")
	curl -fsSL --proto '=https' --retry 3 -o "$3/$name" "$1"
	sum=$(curl -fsSL --proto '=https' --retry 3 "$2" | awk -v name="$name" '$2 == name || $2 == "*" name { print $1; exit }')
	[ -n "$sum" ] || fail "$2 has no sum of $name"
	printf '%s  %s\n' "$sum" "$3/$name" | sha256sum -c - >/dev/null || fail "$name is not what its maker published"
}

if [ "$configure_only" = no ]; then
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -q
	apt-get install -qy --no-install-recommends build-essential ca-certificates curl xz-utils libedit-dev uuid-dev libjansson-dev \
		libxml2-dev libsqlite3-dev libssl-dev libsrtp2-dev libgsm1-dev

	if [ -z "$node" ]; then
		case $(uname -m) in
		aarch64) arch=arm64 ;;
		x86_64) arch=x64 ;;
		*) fail "there is no Node.js for $(uname -m)" ;;
		esac
		name="node-v$node_version-linux-$arch"
		base="https://nodejs.org/dist/v$node_version"
		download "$base/$name.tar.xz" "$base/SHASUMS256.txt" "$work"
		mkdir -p /opt/node
		tar -xJf "$work/$name.tar.xz" -C /opt/node --strip-components=1
		node=/opt/node/bin/node
	fi

	base=https://downloads.asterisk.org/pub/telephony/asterisk/releases
	name="asterisk-$asterisk_version"
	download "$base/$name.tar.gz" "$base/$name.sha256" "$work"
	tar -xzf "$work/$name.tar.gz" -C "$work"
	(
		cd "$work/$name"
		./configure --with-jansson-bundled=no --with-pjproject-bundled >/dev/null
		make -s menuselect.makeopts
		menuselect/menuselect --disable BUILD_NATIVE --enable res_ari --enable res_pjsip --enable chan_iax2 --enable app_amd \
			--enable app_waitforsilence --enable res_tonedetect menuselect.makeopts
		make -s -j"$(nproc)"
		make -s install
	)
	ldconfig
	id asterisk >/dev/null 2>&1 || useradd --system --home-dir /var/lib/asterisk --shell /usr/sbin/nologin asterisk
	chown -R asterisk:asterisk /var/lib/asterisk /var/spool/asterisk /var/log/asterisk /var/run/asterisk
	cat >/etc/systemd/system/asterisk.service <<'UNIT'
[Unit]
Description=Asterisk
After=network-online.target
Wants=network-online.target

[Service]
User=asterisk
RuntimeDirectory=asterisk
ExecStart=/usr/sbin/asterisk -f -C /etc/asterisk/asterisk.conf
Restart=always
RestartSec=1
# Two descriptors and more for each channel.
LimitNOFILE=20000

[Install]
WantedBy=multi-user.target
UNIT
	systemctl enable asterisk.service
	apt-get purge -qy build-essential && apt-get autoremove -qy && apt-get clean
fi

# Asterisk's configuration: what the agent needs, nothing that answers anybody.
etc=$root/etc/asterisk
mkdir -p "$etc" "$root/etc/systemd/system"
for file in "$from"/asterisk/*.conf; do
	name=$(basename "$file")
	case $name in
	# install.sh writes users, password and the connection to the agent.
	ari.conf | websocket_client.conf) continue ;;
	# ARI is for this machine only; carriers come in on every address.
	http.conf) sed 's/@HOST_IP@/127.0.0.1/g' "$file" >"$etc/$name" ;;
	*) sed 's/@HOST_IP@/0.0.0.0/g' "$file" >"$etc/$name" ;;
	esac
	if grep -q '@[A-Z_]*@' "$etc/$name"; then fail "$name has a name that nobody fills in"; fi
done
printf '[general]\nenabled=yes\npretty=no\nwebsocket_write_timeout=1000\n' >"$etc/ari.conf"
: >"$etc/websocket_client.conf"
if [ -s "$from/dialplan.conf" ]; then
	cp "$from/dialplan.conf" "$etc/burst-local.conf"
	grep -qxF '#tryinclude burst-local.conf' "$etc/extensions.conf" || printf '\n#tryinclude burst-local.conf\n' >>"$etc/extensions.conf"
fi

set -- --burst --no-start --bundle "$from/agent.mjs"
[ -z "$control_plane" ] || set -- "$@" --control-plane "$control_plane"
[ -z "$node" ] || set -- "$@" --node "$node"
[ -z "$root" ] || set -- "$@" --root "$root"
sh "$from/install.sh" "$@"

if [ -d "$from/sounds" ]; then
	find "$from/sounds" -type f -exec cp {} "$root/var/lib/burst-dialer/sounds/" \;
fi

# Nothing of this machine goes into the image: every instance makes its own.
rm -rf "$root/var/lib/burst-dialer/state"
mkdir -p -m 700 "$root/var/lib/burst-dialer/state"
if [ -z "$root" ]; then
	chown asterisk:asterisk /var/lib/burst-dialer/state
	rm -f /etc/ssh/ssh_host_*
	: >/etc/machine-id
fi
printf 'The image is ready.\n'
