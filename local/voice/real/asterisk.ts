import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { HostOptions, VoiceHost } from "../types.ts";
import { freeTcpPort, freeUdpPort } from "./addresses.ts";
import { type Child, startChild } from "./child.ts";
import { fillIn, setOptions } from "./conf.ts";
import type { AsteriskProgram } from "./fetch.ts";
import { sipPing } from "./sip-ping.ts";
import { VoiceError } from "./voice-error.ts";

/** The configuration of a host, with names to be filled in. */
const TEMPLATES = fileURLToPath(new URL("../../../host/asterisk/base/", import.meta.url));

/** Asterisk is up in a second; a machine with all cores busy needs longer. */
const START_LIMIT_MS = 60_000;
/** Between two questions whether ARI is up. */
const POLL_MS = 50;
/** SIGTERM took 18.8 s once; then Asterisk is stuck. */
const STOP_LIMIT_MS = 30_000;
/** Where agents listen for the Asterisk beside them. */
export const AGENT_PORT = 9098;

const ARI_USER = "burst-dialer";
const SIP_PORT = 5060;
const ARI_PORT = 8088;
const IAX_PORT = 4569;

export interface AsteriskHost extends VoiceHost {
	/** UDP port for SIP. */
	sipPort: number;
}

/**
 * Starts one Asterisk on an address of its own, with all it writes under `dir`. A folder used before is used again with
 * its password and ports.
 * @throws VoiceError where it does not start, with the end of its log
 */
export const startAsterisk = async (program: AsteriskProgram, options: HostOptions): Promise<AsteriskHost> => {
	const host = await prepareAsterisk(program, options);
	await host.start();
	return host;
};

/** As {@link startAsterisk}, without starting it: its files are made and its ports chosen. */
export const prepareAsterisk = async (program: AsteriskProgram, options: HostOptions): Promise<AsteriskHost> => {
	const { name, address, dir } = options;
	const etcDir = join(dir, "etc");
	for (const folder of ["etc", "lib", "db", "keys/keys", "spool", "run", "log", "data"])
		await mkdir(join(dir, folder), { recursive: true });
	const soundsDir = await ownData(program.dataDir, join(dir, "data"));
	const place = await placeOf(dir, address);
	const agent = options.agentAddress ?? `${address}:${AGENT_PORT}`;
	await writeConfiguration(program, {
		dir,
		address,
		etcDir,
		place,
		agentUrl: /^wss?:/.test(agent) ? agent : `ws://${agent}/ari`,
	});

	let child: Child | undefined;
	const baseUrl = `http://${address}:${place.ariPort}/ari`;
	const start = async (): Promise<void> => {
		if (child !== undefined && child.ended === undefined) throw new VoiceError(`Asterisk ${name} is running already.`);
		child = await startChild(program, ["-C", join(etcDir, "asterisk.conf"), "-f"], {
			cwd: dir,
			outputFile: join(dir, "log/console"),
		});
		try {
			await untilReady(child, { address, baseUrl, ...place });
		} catch (error) {
			await child.kill();
			throw new VoiceError(
				`Asterisk ${name} on ${address} did not start: ${(error as Error).message}\n${await endOfLogs(dir)}`,
				{
					cause: error,
				},
			);
		}
	};
	return {
		address,
		sipPort: place.sipPort,
		ari: { baseUrl, username: ARI_USER, password: place.password },
		etcDir,
		soundsDir,
		get pid() {
			return child?.ended === undefined ? child?.pid : undefined;
		},
		start,
		stop: async () => child?.terminate(STOP_LIMIT_MS),
		kill: async () => child?.kill(),
	};
};

interface Place {
	sipPort: number;
	ariPort: number;
	iaxPort: number;
	password: string;
}

/** Ports and password, chosen once per folder. */
const placeOf = async (dir: string, address: string): Promise<Place> => {
	const file = join(dir, "place.json");
	const saved = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
		if (error.code === "ENOENT") return undefined;
		throw error;
	});
	if (saved !== undefined) {
		const place = JSON.parse(saved) as Place & { address: string };
		if (place.address === address) return place;
	}
	const place: Place = {
		sipPort: await freeUdpPort(address, SIP_PORT),
		ariPort: await freeTcpPort(address, ARI_PORT),
		iaxPort: await freeUdpPort(address, IAX_PORT),
		password: randomBytes(18).toString("base64url"),
	};
	await writeFile(file, JSON.stringify({ address, ...place }), { mode: 0o600 });
	return place;
};

const writeConfiguration = async (
	program: AsteriskProgram,
	host: { dir: string; address: string; etcDir: string; place: Place; agentUrl: string },
): Promise<void> => {
	const { dir, address, etcDir, place } = host;
	const values = {
		INSTANCE: dir,
		PREFIX: "",
		HOST_IP: address,
		ARI_USER,
		ARI_PASSWORD: place.password,
		AGENT_WS_URL: host.agentUrl,
	};
	// What depends on this machine: where the programs are, and which ports are free.
	const local: Record<string, (text: string) => string> = {
		"asterisk.conf": (text) =>
			setOptions(
				setOptions(text, "directories", {
					astmoddir: program.moduleDir,
					astdatadir: join(dir, "data"),
					astsbindir: join(dir, "run"),
				}),
				"options",
				{ entityid: entityId(address) },
			),
		"http.conf": (text) => setOptions(text, "general", { bindport: String(place.ariPort) }),
		"iax.conf": (text) => setOptions(text, "general", { bindport: String(place.iaxPort) }),
		"pjsip.conf": (text) => setOptions(text, "transport-udp", { bind: `${address}:${place.sipPort}` }),
	};
	for (const file of (await readdir(TEMPLATES)).filter((entry) => entry.endsWith(".conf"))) {
		const text = fillIn(await readFile(join(TEMPLATES, file), "utf8"), values);
		await writeFile(join(etcDir, file), local[file]?.(text) ?? text, { mode: 0o600 });
	}
};

/** Several Asterisks on one machine must not believe that they are one: an id made of the address, marked as locally administered. */
const entityId = (address: string): string =>
	["02", "00", ...address.split(".").map((part) => Number(part).toString(16).padStart(2, "0"))].join(":");

/** A data folder of its own that shows the program's, so that sounds can be added without touching the program. Returns the folder of sounds. */
const ownData = async (programs: string, own: string): Promise<string> => {
	const link = async (target: string): Promise<void> => {
		const path = join(own, target);
		await symlink(join(programs, target), path).catch((error: NodeJS.ErrnoException) => {
			if (error.code !== "EEXIST") throw error;
		});
	};
	for (const entry of await readdir(programs)) if (entry !== "sounds") await link(entry);
	const sounds = join(own, "sounds");
	await mkdir(join(sounds, "en"), { recursive: true });
	const english = join(programs, "sounds/en");
	if (await isFolder(english)) for (const entry of await readdir(english)) await link(join("sounds/en", entry));
	return join(sounds, "en");
};

const isFolder = async (path: string): Promise<boolean> => {
	try {
		return (await stat(path)).isDirectory();
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
		throw error;
	}
};

/** ARI answers 200 (its port opens earlier), and SIP answers: ARI is up without it when chan_pjsip declined to load. */
const untilReady = async (
	child: Child,
	host: { address: string; baseUrl: string; sipPort: number; password: string },
): Promise<void> => {
	const deadline = Date.now() + START_LIMIT_MS;
	const authorization = `Basic ${Buffer.from(`${ARI_USER}:${host.password}`).toString("base64")}`;
	let last = "no answer";
	for (;;) {
		if (child.ended !== undefined) throw new Error(`it ended (${child.ended})`);
		if (Date.now() > deadline) throw new Error(`ARI did not come up within ${START_LIMIT_MS / 1000} s (${last})`);
		try {
			const answer = await fetch(`${host.baseUrl}/channels`, {
				headers: { authorization },
				signal: AbortSignal.timeout(START_LIMIT_MS),
			});
			await answer.arrayBuffer();
			if (answer.status === 200) break;
			last = `HTTP ${answer.status}`;
		} catch (error) {
			// The port is not open yet.
			last = String((error as Error).cause ?? error);
		}
		await delay(POLL_MS);
	}
	if ((await sipPing(host.address, host.address, host.sipPort, deadline - Date.now())) === undefined)
		throw new Error(`ARI is up but nothing answers SIP on ${host.address}:${host.sipPort} (chan_pjsip did not load?)`);
};

/** How much of each log an error shows. */
const LOG_TAIL_CHARACTERS = 1_500;

const endOfLogs = async (dir: string): Promise<string> => {
	const files = ["console", "messages", "messages.log"].map((name) => join(dir, "log", name));
	const texts = await Promise.all(
		files.map(async (file) => {
			const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
				if (error.code === "ENOENT") return "";
				throw error;
			});
			return text === "" ? [] : [`${basename(file)}: …${text.slice(-LOG_TAIL_CHARACTERS)}`];
		}),
	);
	return texts.flat().join("\n");
};
