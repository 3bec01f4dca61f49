import type { HostTrunk } from "../../shared/contract/host.ts";
import { CODECS } from "../../shared/contract/trunk.ts";
import { OWN_PREFIX, PLAY_CONTEXT, WAIT_CONTEXT } from "../agent/caller.ts";
import { AMD_DIALPLAN } from "./amd.ts";

/** Strangers and the carrier alike: nothing comes in through a rendered trunk. */
export const INBOUND_CONTEXT = `${OWN_PREFIX}inbound`;

/** A trunk cannot be written into Asterisk's files. */
export class RenderError extends Error {
	override readonly name = "RenderError";
}

export interface RenderOptions {
	/** Name of the PJSIP transport; undefined: Asterisk's choice. */
	transport?: string | undefined;
	/** Address for RTP; undefined: the transport's. */
	mediaAddress?: string | undefined;
	/** A trunk's password by the name in its `secretRef`. @throws Error where there is none */
	secret: (name: string) => string;
}

export const HEADER = "; Written by the burst-dialer agent. Changes are overwritten.\n";
/** What would end a value, begin a comment, a section or a directive, or be evaluated. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const FORBIDDEN = /[\u0000-\u001f\u007f;[\]#]|\$\{|\$\[/;

/**
 * A value that may stand in a file of Asterisk's. Everything was checked by the control plane; nothing is believed here.
 * @throws RenderError
 */
export const safe = (value: string, what: string, pattern?: RegExp): string => {
	if (FORBIDDEN.test(value) || (pattern !== undefined && !pattern.test(value))) {
		// The value is not shown: it may be a password.
		throw new RenderError(
			`${what} has characters that must not stand in Asterisk's files (line breaks, ; [ ] # \${ $[ and others).`,
		);
	}
	return value;
};

const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;
const HOST = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;
const USER = /^[A-Za-z0-9._@+-]{1,64}$/;
const PASSWORD = /^[^\s"\\]{1,128}$/;
const SECRET_REF = /^host:([A-Za-z0-9._-]{1,64})$/;

interface Checked {
	name: string;
	host: string;
	port: number;
	username: string | undefined;
	password: string | undefined;
	codecs: string[];
	qualifySec: number;
}

const check = (trunk: HostTrunk, options: RenderOptions, defaultPort: number): Checked => {
	if (trunk.host === undefined) throw new RenderError("the trunk has no host");
	const codecs = trunk.codecs.filter((codec) => (CODECS as readonly string[]).includes(codec));
	if (codecs.length === 0) throw new RenderError("the trunk has no codec that Asterisk knows");
	const secretName = trunk.secretRef === undefined ? undefined : SECRET_REF.exec(trunk.secretRef)?.[1];
	if (trunk.secretRef !== undefined && (secretName === undefined || /^\.+$/.test(secretName))) {
		throw new RenderError("secretRef is not host:NAME");
	}
	const port = trunk.port ?? defaultPort;
	if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new RenderError("port is not between 1 and 65535");
	return {
		name: OWN_PREFIX + safe(trunk.id, "id", NAME),
		host: safe(trunk.host, "host", HOST),
		port,
		username: trunk.username === undefined ? undefined : safe(trunk.username, "username", USER),
		password:
			secretName === undefined ? undefined : safe(options.secret(secretName), `the secret ${secretName}`, PASSWORD),
		codecs,
		qualifySec: typeof trunk.qualify === "number" && trunk.qualify > 0 ? trunk.qualify : 0,
	};
};

const section = (name: string, lines: (string | undefined)[]): string =>
	`\n[${name}]\n${lines.filter((line) => line !== undefined).join("\n")}\n`;

/** Sections of one PJSIP trunk: endpoint, aor, and auth where it has a password. */
export const renderPjsipTrunk = (trunk: HostTrunk, options: RenderOptions): string => {
	const { name, host, port, username, password, codecs, qualifySec } = check(trunk, options, 5_060);
	const { transport, mediaAddress } = options;
	const inHeader = trunk.callerIdIn !== "from";
	return (
		section(name, [
			"type=endpoint",
			`context=${INBOUND_CONTEXT}`,
			// By address only, and there is no identify section: no request from outside is taken for this endpoint.
			"identify_by=ip",
			transport === undefined ? undefined : `transport=${safe(transport, "transport", /^[A-Za-z0-9_.-]+$/)}`,
			"disallow=all",
			`allow=${codecs.join(",")}`,
			"direct_media=no",
			"rtp_symmetric=yes",
			mediaAddress === undefined ? undefined : `media_address=${safe(mediaAddress, "mediaAddress", /^[0-9.]+$/)}`,
			mediaAddress === undefined ? undefined : "bind_rtp_to_media_address=yes",
			`aors=${name}`,
			password === undefined ? undefined : `outbound_auth=${name}-auth`,
			// The account stands in From where the caller id goes into a header of its own.
			inHeader && username !== undefined ? `from_user=${username}` : undefined,
			trunk.callerIdIn === "pai" ? "send_pai=yes" : undefined,
			trunk.callerIdIn === "rpid" ? "send_rpid=yes" : undefined,
			inHeader ? "trust_id_outbound=yes" : undefined,
		]) +
		section(name, [
			"type=aor",
			`contact=sip:${host}:${port}`,
			`qualify_frequency=${qualifySec}`,
			"qualify_timeout=2.0",
		]) +
		(password === undefined
			? ""
			: section(`${name}-auth`, [
					"type=auth",
					"auth_type=userpass",
					`username=${username ?? ""}`,
					`password=${password}`,
				]))
	);
};

/** The peer of one IAX2 trunk. */
export const renderIaxTrunk = (trunk: HostTrunk, options: RenderOptions): string => {
	const { name, host, port, username, password, codecs, qualifySec } = check(trunk, options, 4_569);
	return section(name, [
		"type=peer",
		`host=${host}`,
		`port=${port}`,
		`context=${INBOUND_CONTEXT}`,
		"disallow=all",
		`allow=${codecs.join(",")}`,
		username === undefined ? undefined : `username=${username}`,
		password === undefined ? undefined : `secret=${password}`,
		password === undefined ? undefined : "auth=md5",
		qualifySec === 0 ? "qualify=no" : "qualify=yes",
		qualifySec === 0 ? undefined : `qualifyfreqok=${qualifySec * 1_000}`,
	]);
};

const EXTENSIONS = `${HEADER}
; Plays the campaign's sound, then hangs up. The limit counts from the answer on; calls that were listened to before enter behind it.
[${PLAY_CONTEXT}]
exten => s,1,Set(TIMEOUT(absolute)=\${BURST_MAX_CALL_SEC})
 same => n,Playback(\${BURST_SOUND})
 same => n,Set(BURST_RESULT_playback=\${PLAYBACKSTATUS})
 same => n,Hangup(16)

; Silence until the callee hangs up, at most so many seconds.
[${WAIT_CONTEXT}]
exten => s,1,Set(TIMEOUT(absolute)=\${BURST_MAX_CALL_SEC})
 same => n,Wait(\${BURST_WAIT_SEC})
 same => n,Hangup(16)

${AMD_DIALPLAN}
; Nothing comes in through the trunks.
[${INBOUND_CONTEXT}]
exten => _[+0-9a-zA-Z].,1,Hangup(21)
exten => s,1,Hangup(21)
`;

export interface Rendered {
	/** Contents by file name within the agent's folder. */
	files: Record<string, string>;
	/** Why a trunk was left out. */
	problems: Record<string, string>;
}

/** All files of the agent's own. A trunk that cannot be rendered is left out and named. */
export const render = (trunks: HostTrunk[], options: RenderOptions): Rendered => {
	const problems: Record<string, string> = {};
	const part = (type: HostTrunk["type"], one: (trunk: HostTrunk, options: RenderOptions) => string): string => {
		let text = HEADER;
		for (const trunk of trunks.filter((candidate) => candidate.type === type).sort((a, b) => (a.id < b.id ? -1 : 1))) {
			try {
				text += one(trunk, options);
			} catch (error) {
				problems[trunk.id] = (error as Error).message;
			}
		}
		return text;
	};
	return {
		files: {
			"pjsip.conf": part("pjsip", renderPjsipTrunk),
			"iax.conf": part("iax2", renderIaxTrunk),
			"extensions.conf": EXTENSIONS,
		},
		problems,
	};
};
