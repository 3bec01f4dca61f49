import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freeTcpPort } from "../real/addresses.ts";
import { fillIn, setOptions } from "../real/conf.ts";
import type { HostOptions, VoiceHost } from "../types.ts";
import { SimAri } from "./ari.ts";
import { AriServer, type AriServerOptions } from "./ari-server.ts";
import { SimAsteriskCore } from "./asterisk-core.ts";
import { seededRandom, seedOf } from "./clock.ts";
import type { SimFaults } from "./faults.ts";
import { readAriSettings, readDialplan, readEndpoints } from "./host-files.ts";
import type { SimNetwork } from "./network.ts";
import { OutboundWebsocket } from "./outbound.ts";
import { listSounds, silence, soundMs } from "./sounds.ts";

/** The configuration of a host, with names to be filled in. */
const TEMPLATES = fileURLToPath(new URL("../../../host/asterisk/base/", import.meta.url));
const ARI_USER = "burst-dialer";
const ARI_PORT = 8088;
/** Where agents listen for the Asterisk beside them. */
const AGENT_PORT = 9098;

/** Sounds of Asterisk's core set that every host has, as silence of the same length, ms. */
const SOUNDS: Record<string, number> = {
	beep: 160,
	"hello-world": 1_400,
	"demo-congrats": 27_800,
	"demo-thanks": 2_100,
	"tt-monkeys": 16_400,
	"tt-weasels": 4_600,
	"vm-goodbye": 740,
	"ss-noservice": 5_900,
};

/** A simulated host: what the local stack sees of any, and what tests can do to it. */
export interface SimulatedHost extends VoiceHost {
	faults: SimFaults;
	core: SimAsteriskCore;
	/** Breaks the websockets without a goodbye; the outbound one is made again by Asterisk. */
	dropWebsocket(): void;
	/** SIGSTOP and SIGCONT. */
	pause(): void;
	resume(): void;
}

export interface StartHostOptions extends HostOptions {
	network: SimNetwork;
	seed: number;
}

interface Place {
	address: string;
	/** Address and port that ARI listens on. */
	listen: string;
	ariPort: number;
	password: string;
}

/** Starts a simulated Asterisk with all its files under `dir`. A folder used before is used again with its password and port. */
export const startSimulatedHost = async (options: StartHostOptions): Promise<SimulatedHost> => {
	const host = await prepareSimulatedHost(options);
	await host.start();
	return host;
};

/** As {@link startSimulatedHost}, without starting it: its files are made and its port chosen. */
export const prepareSimulatedHost = async (options: StartHostOptions): Promise<SimulatedHost> => {
	const { network, address, dir } = options;
	const etcDir = join(dir, "etc");
	const soundsDir = join(dir, "data/sounds/en");
	await mkdir(etcDir, { recursive: true });
	await mkdir(soundsDir, { recursive: true });
	for (const [name, ms] of Object.entries(SOUNDS)) await writeNew(join(soundsDir, `${name}.gsm`), silence(ms));
	const place = await placeOf(dir, address);
	await writeConfiguration(etcDir, place, options.agentAddress ?? `${place.listen}:${AGENT_PORT}`);

	const random = seededRandom(options.seed ^ seedOf(address));
	const core = new SimAsteriskCore({ network, address, random });
	let settings = readAriSettings(etcDir);
	const reload = (module: string): boolean => {
		if (settings.modules?.has(module) === false) return false;
		if (module === "res_pjsip") core.configure({ endpoints: readEndpoints(etcDir) });
		if (module === "pbx_config") core.configure({ dialplan: readDialplan(etcDir) });
		if (module === "res_ari") {
			settings = readAriSettings(etcDir);
			core.configure({ channelVars: settings.channelVars });
		}
		return true;
	};
	const ari = new SimAri({
		clock: network.clock,
		core,
		asteriskId: settings.asteriskId,
		reload,
		loaded: (part) => settings.modules?.has(`res_ari_${part}`) !== false,
		sounds: () => listSounds(soundsDir),
	});
	const serving: AriServerOptions = {
		ari,
		users: () => settings.users,
		whenRunning: (action) => core.whenRunning(action),
	};
	const server = new AriServer(serving);
	let outbound: OutboundWebsocket[] = [];

	const start = async (): Promise<void> => {
		if (core.up) throw new Error(`The simulated Asterisk ${options.name} on ${address} is running already.`);
		settings = readAriSettings(etcDir);
		core.configure({
			endpoints: readEndpoints(etcDir),
			dialplan: readDialplan(etcDir),
			channelVars: settings.channelVars,
			soundMs: (sound) => soundMs(soundsDir, sound),
			hasModule: (module) => settings.modules?.has(module) !== false,
		});
		await server.listen(place.listen, settings.bindPort);
		core.start();
		outbound = settings.outbound.map((each) => {
			for (const app of each.apps) ari.apps.declare(app, each.subscribeAll);
			return new OutboundWebsocket(each, serving);
		});
		for (const each of outbound) each.start();
	};
	/** What any end of the process does to its connections. */
	const end = async (): Promise<void> => {
		for (const each of outbound) each.stop();
		outbound = [];
		ari.apps.clear();
		await server.close();
	};
	return {
		address,
		ari: { baseUrl: `http://${place.listen}:${settings.bindPort}/ari`, username: ARI_USER, password: place.password },
		etcDir,
		soundsDir,
		pid: undefined,
		faults: ari.faults,
		core,
		start,
		stop: async () => {
			core.stop();
			// The events of the last calls are on their way: a closing handshake lets them pass.
			for (const each of outbound) await each.finish();
			await end();
		},
		kill: async () => {
			core.kill();
			await end();
		},
		dropWebsocket: () => {
			server.dropWebsockets();
			for (const each of outbound) each.drop();
		},
		pause: () => core.pause(),
		resume: () => core.resume(),
	};
};

const writeNew = async (file: string, content: string | Buffer): Promise<void> => {
	await writeFile(file, content, { flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
		if (error.code !== "EEXIST") throw error;
	});
};

/** Address, port and password, chosen once per folder. */
const placeOf = async (dir: string, address: string): Promise<Place> => {
	const file = join(dir, "simulated.json");
	const saved = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
		if (error.code === "ENOENT") return undefined;
		throw error;
	});
	if (saved !== undefined) {
		const place = JSON.parse(saved) as Place;
		if (place.address === address) return place;
	}
	const place: Place = { address, ...(await listenOn(address)), password: randomBytes(18).toString("base64url") };
	await writeFile(file, JSON.stringify(place), { mode: 0o600 });
	return place;
};

/** Not every system answers on all of 127.0.0.0/8: there 127.0.0.1 stands in, with a port of its own. */
const listenOn = async (address: string): Promise<{ listen: string; ariPort: number }> => {
	try {
		return { listen: address, ariPort: await freeTcpPort(address, ARI_PORT) };
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "EADDRNOTAVAIL") throw error;
		return { listen: "127.0.0.1", ariPort: await freeTcpPort("127.0.0.1", 0) };
	}
};

/** The files that the real Asterisk would have, with this host's own values. */
const writeConfiguration = async (etcDir: string, place: Place, agent: string): Promise<void> => {
	const values = {
		INSTANCE: join(etcDir, ".."),
		PREFIX: "",
		HOST_IP: place.address,
		ARI_USER,
		ARI_PASSWORD: place.password,
		AGENT_WS_URL: /^wss?:/.test(agent) ? agent : `ws://${agent}/ari`,
	};
	const local: Record<string, (text: string) => string> = {
		"asterisk.conf": (text) => setOptions(text, "options", { entityid: entityId(place.address) }),
		"http.conf": (text) => setOptions(text, "general", { bindaddr: place.listen, bindport: String(place.ariPort) }),
	};
	for (const file of (await readdir(TEMPLATES)).filter((entry) => entry.endsWith(".conf"))) {
		const text = fillIn(await readFile(join(TEMPLATES, file), "utf8"), values);
		await writeFile(join(etcDir, file), local[file]?.(text) ?? text, { mode: 0o600 });
	}
};

/** An id made of the address, marked as locally administered. */
const entityId = (address: string): string =>
	["02", "00", ...address.split(".").map((part) => Number(part).toString(16).padStart(2, "0"))].join(":");
