import { join } from "node:path";
import type { SimEndpoint } from "./channel.ts";
import { type ConfSection, optionOf, readConf } from "./conf-file.ts";
import { type Dialplan, type DialplanLine, lineOf } from "./dialplan.ts";

/** What the simulation takes from the files that the real Asterisk reads. */

const DEFAULT_SIP_PORT = 5060;
/** pjsip.conf's own default. */
const DEFAULT_QUALIFY_TIMEOUT_SEC = 3;

/** `sip:user@host:port;transport=udp` as `host:port`. */
const contactOf = (uri: string): string | undefined => {
	const match = /^"?<?sips?:(?:[^@]*@)?([^:;>]+)(?::(\d+))?/.exec(uri.trim());
	return match?.[1] === undefined ? undefined : `${match[1]}:${match[2] ?? DEFAULT_SIP_PORT}`;
};

/** The endpoints of pjsip.conf with their contacts. */
export const readEndpoints = (etcDir: string): SimEndpoint[] => {
	const sections = readConf(join(etcDir, "pjsip.conf"));
	const ofType = (type: string): ConfSection[] => sections.filter((section) => optionOf(section, "type") === type);
	const aors = new Map(ofType("aor").map((section) => [section.name, section]));
	return ofType("endpoint").map((section) => {
		const names = (optionOf(section, "aors") ?? "").split(",").map((name) => name.trim());
		const aor = names.map((name) => aors.get(name)).find((each) => each !== undefined);
		const uri = optionOf(aor, "contact");
		return {
			technology: "PJSIP",
			resource: section.name,
			context: optionOf(section, "context") ?? "default",
			contact: uri === undefined ? undefined : contactOf(uri),
			qualifySec: Number(optionOf(aor, "qualify_frequency")) || 0,
			qualifyTimeoutSec: Number(optionOf(aor, "qualify_timeout")) || DEFAULT_QUALIFY_TIMEOUT_SEC,
		};
	});
};

/** The contexts of extensions.conf, included ones taken in. */
export const readDialplan = (etcDir: string): Dialplan => {
	const own: Dialplan = new Map();
	const includes = new Map<string, string[]>();
	for (const section of readConf(join(etcDir, "extensions.conf"))) {
		if (section.name === "general" || section.name === "globals") continue;
		const extensions = own.get(section.name) ?? new Map<string, DialplanLine[]>();
		own.set(section.name, extensions);
		readExtensions(section, extensions);
		const included = section.entries.filter(([key]) => key === "include").map(([, value]) => value.trim());
		includes.set(section.name, [...(includes.get(section.name) ?? []), ...included]);
	}
	const whole: Dialplan = new Map();
	for (const name of own.keys()) whole.set(name, withIncludes(name, own, includes, new Set()));
	return whole;
};

const readExtensions = (section: ConfSection, extensions: Map<string, DialplanLine[]>): void => {
	let name = "";
	let last = 0;
	for (const [key, value] of section.entries) {
		if (key !== "exten" && key !== "same") continue;
		const parts = key === "exten" ? /^([^,]+),([^,]+),(.*)$/s.exec(value) : /^([^,]+),(.*)$/s.exec(value);
		if (!parts) continue;
		const [priorityText, app] = parts.slice(-2) as [string, string];
		if (key === "exten") name = (parts[1] ?? "").trim();
		const priority = /^\s*(?:n|s)\b/.test(priorityText) ? last + 1 : Number.parseInt(priorityText, 10);
		if (!(priority > 0)) continue;
		last = priority;
		const lines = extensions.get(name) ?? [];
		extensions.set(name, lines);
		lines[priority - 1] = lineOf(app);
	}
	// An extension is run from its first line: what follows a gap is never reached.
	for (const [extension, lines] of extensions) {
		const gap = Array.from(lines).indexOf(undefined as never);
		if (gap >= 0) extensions.set(extension, lines.slice(0, gap));
	}
};

const withIncludes = (
	name: string,
	own: Dialplan,
	includes: Map<string, string[]>,
	seen: Set<string>,
): Map<string, DialplanLine[]> => {
	if (seen.has(name)) return new Map();
	seen.add(name);
	const merged = new Map(own.get(name));
	for (const included of includes.get(name) ?? [])
		for (const [extension, lines] of withIncludes(included, own, includes, seen))
			if (!merged.has(extension)) merged.set(extension, lines);
	return merged;
};

export interface OutboundSettings {
	uri: string;
	username: string;
	password: string;
	protocols: string[];
	reconnectIntervalMs: number;
	apps: string[];
	subscribeAll: boolean;
}

export interface AriSettings {
	bindAddress: string;
	bindPort: number;
	/** Name → password. */
	users: Map<string, string>;
	channelVars: string[];
	outbound: OutboundSettings[];
	asteriskId: string;
	/** Names of modules without `.so`; undefined where modules.conf loads all there are. */
	modules: Set<string> | undefined;
}

const DEFAULT_HTTP_PORT = 8088;
const DEFAULT_RECONNECT_MS = 500;
const listOf = (text: string | undefined): string[] =>
	(text ?? "")
		.split(",")
		.map((part) => part.trim())
		.filter((part) => part !== "");
const isYes = (text: string | undefined): boolean => /^(yes|true|on|1|y|t)$/i.test(text ?? "");

/** ari.conf, http.conf, websocket_client.conf, asterisk.conf and modules.conf. */
export const readAriSettings = (etcDir: string): AriSettings => {
	const read = (file: string): ConfSection[] => readConf(join(etcDir, file));
	const ari = read("ari.conf");
	const clients = new Map(read("websocket_client.conf").map((section) => [section.name, section]));
	const http = read("http.conf").find((section) => section.name === "general");
	const modules = read("modules.conf").find((section) => section.name === "modules");
	const options = read("asterisk.conf").find((section) => section.name === "options");
	return {
		bindAddress: optionOf(http, "bindaddr") ?? "127.0.0.1",
		bindPort: Number(optionOf(http, "bindport")) || DEFAULT_HTTP_PORT,
		users: new Map(
			ari
				.filter((section) => optionOf(section, "type") === "user")
				.map((section) => [section.name, optionOf(section, "password") ?? ""]),
		),
		channelVars: listOf(
			optionOf(
				ari.find((section) => section.name === "general"),
				"channelvars",
			),
		),
		outbound: ari
			.filter((section) => optionOf(section, "type") === "outbound_websocket")
			.flatMap((section) => {
				const client = clients.get(optionOf(section, "websocket_client_id") ?? section.name);
				const uri = optionOf(client, "uri");
				if (uri === undefined) return [];
				return [
					{
						uri,
						username: optionOf(client, "username") ?? "",
						password: optionOf(client, "password") ?? "",
						protocols: listOf(optionOf(client, "protocols")),
						reconnectIntervalMs: Number(optionOf(client, "reconnect_interval")) || DEFAULT_RECONNECT_MS,
						apps: listOf(optionOf(section, "apps")),
						subscribeAll: isYes(optionOf(section, "subscribe_all")),
					},
				];
			}),
		asteriskId: optionOf(options, "entityid") ?? "02:00:00:00:00:01",
		modules: isYes(optionOf(modules, "autoload"))
			? undefined
			: new Set(modules?.entries.filter(([key]) => key === "load").map(([, module]) => module.replace(/\.so$/, ""))),
	};
};
