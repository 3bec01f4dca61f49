#!/bin/sh
# Installs the burst-dialer agent beside an Asterisk on this machine. Run it again to update; nothing is changed twice.
set -eu

usage() {
	cat <<'HELP'
Usage: install.sh --host-id ID --control-plane URL --token-file FILE [options]     a host of your own
       install.sh --burst [--control-plane URL] [options]                          an image for burst hosts

Installs the agent beside the Asterisk on this machine, as a systemd service. Run as root; running it again updates.

  --host-id ID          the id that the host was enrolled with (burst-dialer host add)
  --control-plane URL   address of the API, https://…
  --token-file FILE     file with the host's token; copied, then yours to delete
  --burst               the host is an EC2 instance: it enrols itself by its signed identity document at every start and has neither id nor
                        token before; the address of the API comes from the instance's user data where it is not given
  --bundle FILE         the agent; default agent.mjs beside this script
  --etc DIR             Asterisk's configuration; default /etc/asterisk
  --user NAME           user that Asterisk and the agent run as; default asterisk
  --node FILE           Node.js 24 or newer; default: node on the PATH
  --ari-url URL         default http://127.0.0.1:8088/ari
  --inbound             for Asterisk before 22: the agent connects to Asterisk
  --no-start            do not enable or start the service
  --root DIR            install below DIR instead of / (for images and tests)
  --help                this text

What it writes: /opt/burst-dialer, /etc/burst-dialer, /var/lib/burst-dialer, the unit burst-dialer-agent.service, and in Asterisk's folder
only burst-dialer/ and, once each, one "#tryinclude burst-dialer/…" line at the end of pjsip.conf, iax.conf (if there is one),
extensions.conf, ari.conf and websocket_client.conf. http.conf must have enabled=yes; it is not changed.
HELP
}

fail() {
	printf 'install.sh: %s\n' "$1" >&2
	exit 1
}

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
host_id='' control_plane='' token_file='' root='' node=''
bundle="$here/agent.mjs"
etc=/etc/asterisk
user=asterisk
ari_url=http://127.0.0.1:8088/ari
events=outbound
start=yes
tier=steady
# Where the agent listens for Asterisk.
events_port=8090

while [ $# -gt 0 ]; do
	case $1 in
	--host-id | --control-plane | --token-file | --bundle | --etc | --user | --node | --ari-url | --root)
		[ $# -ge 2 ] || fail "$1 needs a value; see --help"
		case $1 in
		--host-id) host_id=$2 ;;
		--control-plane) control_plane=$2 ;;
		--token-file) token_file=$2 ;;
		--bundle) bundle=$2 ;;
		--etc) etc=$2 ;;
		--user) user=$2 ;;
		--node) node=$2 ;;
		--ari-url) ari_url=$2 ;;
		--root) root=${2%/} ;;
		esac
		shift
		;;
	--inbound) events=inbound ;;
	--burst) tier=burst ;;
	--no-start) start=no ;;
	--help)
		usage
		exit 0
		;;
	*) fail "unknown option $1; see --help" ;;
	esac
	shift
done

# Values go into JSON, a unit file and Asterisk's files: only plain ones.
plain() {
	case $2 in
	'') fail "$1 is missing; see --help" ;;
	*[!A-Za-z0-9_./:@-]*) fail "$1 may have letters, digits and _ . / : @ - only" ;;
	esac
}
if [ "$tier" = burst ]; then
	[ -z "$host_id$token_file" ] || fail '--burst hosts get id and token by themselves: leave --host-id and --token-file out'
	[ -z "$control_plane" ] || plain --control-plane "$control_plane"
else
	plain --host-id "$host_id"
	plain --control-plane "$control_plane"
	[ -n "$token_file" ] || fail '--token-file is missing; see --help'
	[ -r "$token_file" ] || fail "$token_file cannot be read"
fi
plain --etc "$etc"
plain --user "$user"
plain --ari-url "$ari_url"
[ -r "$bundle" ] || fail "$bundle is not there; build it with: npm run build"
[ "$(id -u)" = 0 ] || [ -n "$root" ] || fail 'run it as root'
[ -n "$node" ] || node=$(command -v node || true)
[ -n "$node" ] || fail 'Node.js is not on the PATH; install version 24 or name it with --node'
plain --node "$node"
"$node" -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 24 ? 0 : 1)' || fail "$node is older than Node.js 24"
[ -d "$root$etc" ] || fail "$root$etc is not there: is Asterisk installed? Name its folder with --etc"
id "$user" >/dev/null 2>&1 || [ -n "$root" ] || fail "there is no user $user; name Asterisk's with --user"

own() {
	# Below another root the user may not exist here.
	[ -n "$root" ] || chown "$@"
}

# Writes standard input to a file, whole or not at all. $1 file, $2 mode
put() {
	new="$1.new.$$"
	(umask 077 && cat >"$new")
	chmod "$2" "$new"
	own "root:$user" "$new"
	mv -f -- "$new" "$1"
}

umask 022
config_dir=/etc/burst-dialer
state_dir=/var/lib/burst-dialer
mkdir -p "$root/opt/burst-dialer" "$root$config_dir/secrets" "$root$state_dir/sounds" "$root$state_dir/state" "$root$etc/burst-dialer"
chmod 750 "$root$config_dir" "$root$config_dir/secrets" "$root$etc/burst-dialer"
chmod 700 "$root$state_dir/state"
own "root:$user" "$root$config_dir" "$root$config_dir/secrets"
own -R "$user:$user" "$root$state_dir/state" "$root$etc/burst-dialer"

put "$root/opt/burst-dialer/agent.mjs" 644 <"$bundle"
if [ "$tier" = steady ]; then put "$root$config_dir/token" 640 <"$token_file"; fi

# One password for both directions, made once.
ari_password_file=$root$config_dir/ari-password
[ -s "$ari_password_file" ] || od -An -N24 -tx1 /dev/urandom | tr -d ' \n' | put "$ari_password_file" 640
ari_password=$(cat "$ari_password_file")

# Who the host is: told, or found out at every start.
if [ "$tier" = steady ]; then
	identity="\"hostId\": \"$host_id\",
	\"tokenFile\": \"$config_dir/token\","
else
	identity='"identity": {},'
fi
[ -z "$control_plane" ] || identity="$identity
	\"controlPlaneUrl\": \"$control_plane\","

put "$root$config_dir/agent.json" 640 <<JSON
{
	$identity
	"stateDir": "$state_dir/state",
	"secretsDir": "$config_dir/secrets",
	"soundsDirs": ["$state_dir/sounds"],
	"contexts": ["burst-*"],
	"asterisk": {
		"ari": "$ari_url",
		"username": "burst-dialer",
		"passwordFile": "$config_dir/ari-password",
		"etcDir": "$etc",
		"events": "$events",
		"listenAddress": "127.0.0.1",
		"listenPort": $events_port
	}
}
JSON

{
	printf '; Written by the burst-dialer install script. Changes are overwritten.\n'
	printf '[burst-dialer]\ntype=user\nread_only=no\npassword=%s\npassword_format=plain\n' "$ari_password"
	if [ "$events" = outbound ]; then
		printf '\n[burst-dialer-events]\ntype=outbound_websocket\nwebsocket_client_id=burst-dialer\napps=burst-dialer\nsubscribe_all=no\nlocal_ari_user=burst-dialer\n'
	fi
} | put "$root$etc/burst-dialer/ari.conf" 640

if [ "$events" = outbound ]; then
	put "$root$etc/burst-dialer/websocket_client.conf" 640 <<CONF
; Written by the burst-dialer install script. Changes are overwritten.
[burst-dialer]
type=websocket_client
connection_type=persistent
uri=ws://127.0.0.1:$events_port/ari
protocols=ari
username=burst-dialer
password=$ari_password
connection_timeout=500
reconnect_interval=500
reconnect_attempts=4
tls_enabled=no
CONF
fi

# Adds the one line to an operator's file. $1 name, $2 "create" where a missing file is made
include() {
	file=$root$etc/$1
	if [ ! -e "$file" ]; then
		[ "$2" = create ] || return 0
		: | put "$file" 640
	fi
	line="#tryinclude burst-dialer/$1"
	grep -qxF -- "$line" "$file" || printf '\n%s\n' "$line" >>"$file"
}
include pjsip.conf create
include iax.conf keep
include extensions.conf create
include ari.conf create
[ "$events" = inbound ] || include websocket_client.conf create

mkdir -p "$root/etc/systemd/system"
put "$root/etc/systemd/system/burst-dialer-agent.service" 644 <<UNIT
[Unit]
Description=burst-dialer agent
Documentation=file:///opt/burst-dialer
After=network-online.target asterisk.service
Wants=network-online.target

[Service]
User=$user
ExecStart=$node /opt/burst-dialer/agent.mjs --config $config_dir/agent.json
Restart=always
RestartSec=1
# A configuration error: a restart is no remedy.
RestartPreventExitStatus=78
KillSignal=SIGTERM
TimeoutStopSec=20
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ReadWritePaths=$state_dir/state $etc/burst-dialer

[Install]
WantedBy=multi-user.target
UNIT

# A burst host finds out who and where it is before Asterisk starts: its public address belongs into Asterisk's transport.
if [ "$tier" = burst ]; then
	put "$root/etc/systemd/system/burst-dialer-boot.service" 644 <<UNIT
[Unit]
Description=burst-dialer: who and where this instance is
After=network-online.target
Wants=network-online.target
Before=asterisk.service burst-dialer-agent.service

[Service]
Type=oneshot
RemainAfterExit=yes
User=$user
ExecStart=$node /opt/burst-dialer/agent.mjs --config $config_dir/agent.json --boot
# The fleet gives a start ten minutes to enrol.
TimeoutStartSec=600
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ReadWritePaths=$state_dir/state $etc/burst-dialer

[Install]
WantedBy=multi-user.target
UNIT
	mkdir -p "$root/etc/systemd/system/asterisk.service.d" "$root/etc/systemd/system/multi-user.target.wants"
	put "$root/etc/systemd/system/asterisk.service.d/burst-dialer.conf" 644 <<UNIT
[Unit]
After=burst-dialer-boot.service
Wants=burst-dialer-boot.service
UNIT
	# As systemctl enable does it, which needs a running systemd: an image has none while it is made below another root.
	for unit in burst-dialer-boot burst-dialer-agent; do
		ln -sf "/etc/systemd/system/$unit.service" "$root/etc/systemd/system/multi-user.target.wants/$unit.service"
	done
	printf 'The agent enrols this instance at its next start.\n'
	exit 0
fi

if [ "$start" = yes ] && [ -z "$root" ]; then
	systemctl daemon-reload
	systemctl enable burst-dialer-agent.service
	systemctl restart burst-dialer-agent.service
	printf 'The agent runs; see: journalctl -u burst-dialer-agent\n'
fi
[ -e "$root$etc/amd.conf" ] ||
	printf '%s/amd.conf is not there: Asterisk needs one, if only an empty one, to find answering machines (docs/amd.md).\n' "$etc"
cat <<'NEXT'
Asterisk reads the new ARI user once: asterisk -rx "module reload res_ari.so" and, for the connection to the agent,
asterisk -rx "module reload res_websocket_client.so". http.conf needs enabled=yes with bindaddr=127.0.0.1.
NEXT
