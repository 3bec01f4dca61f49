#!/usr/bin/env node
import { parseArgs } from "node:util";
import { hostFiles } from "../asterisk/host-files.ts";
import { writeNat } from "../asterisk/nat.ts";
import { Agent } from "./agent.ts";
import { AriHttp, INBOUND_APP, OUTBOUND_APP } from "./ari-http.ts";
import { connectAri } from "./ari-socket.ts";
import { type AgentConfig, AgentConfigError, readAgentConfig, readSecret } from "./config-file.ts";
import { httpControlPlane } from "./control-plane-http.ts";
import { EnrolRefusedError } from "./enrolment.ts";
import { JournalDamagedError, JournalFile } from "./journal-file.ts";
import { AlreadyRunningError, takeLock } from "./lock.ts";
import { lineLog } from "./log.ts";
import type { Log } from "./ports.ts";
import { realClock } from "./real-clock.ts";
import { DEFAULT_SETTINGS } from "./settings.ts";
import { networkProbe } from "./trunk-probe.ts";
import { whoAmI } from "./who.ts";

const HELP = `burst-dialer agent: dials what the control plane grants, through the Asterisk on this machine.

Usage: agent --config FILE

  --config FILE   configuration (JSON); default /etc/burst-dialer/agent.json
  --check         only check the configuration
  --boot          before Asterisk starts on an EC2 instance: enrols the instance, writes its public address for Asterisk's transport, exits
  --help          this text

SIGTERM and SIGINT: nothing more is originated, what is finished is reported, then the agent exits. Live calls go on in Asterisk.
Log: JSON lines on standard error.
`;
const DEFAULT_CONFIG = "/etc/burst-dialer/agent.json";
/** Asterisk waits for --boot: without an answer of the control plane it starts after so long, and the agent goes on enrolling. */
const BOOT_LIMIT_MS = 30_000;
/** As sysexits.h has them: a usage or configuration error, for which a restart is no remedy. */
const EXIT_CONFIG = 78;

/** Before Asterisk: where this instance is, into the file that Asterisk's transport includes; and who it is. */
const boot = async (config: AgentConfig, log: Log): Promise<void> => {
	if (config.identity === undefined)
		throw new AgentConfigError("--boot is for instances: the configuration has no `identity`");
	const unlock = await takeLock(config.stateDir);
	try {
		const who = await whoAmI(
			config,
			{ clock: realClock(), random: Math.random, log },
			{
				limitMs: BOOT_LIMIT_MS,
				onNat: async (nat) => {
					await writeNat(config.asterisk.etcDir, nat);
					log.info("publicAddress", nat);
				},
			},
		);
		if (who === undefined) log.warn("bootWithoutEnrolment", { consequence: "the agent goes on enrolling" });
	} finally {
		await unlock();
	}
};

const run = async (): Promise<void> => {
	const { values } = parseArgs({
		options: {
			config: { type: "string", default: DEFAULT_CONFIG },
			check: { type: "boolean", default: false },
			boot: { type: "boolean", default: false },
			help: { type: "boolean", default: false },
		},
	});
	if (values.help) {
		process.stdout.write(HELP);
		return;
	}
	const config = readAgentConfig(values.config);
	if (values.check) {
		process.stdout.write("The configuration is in order.\n");
		return;
	}
	const common: Record<string, unknown> = config.hostId === undefined ? {} : { hostId: config.hostId };
	const log = lineLog((line) => process.stderr.write(`${line}\n`), common, Date.now);
	if (values.boot) return boot(config, log);
	const unlock = await takeLock(config.stateDir);
	const who = await whoAmI(
		config,
		{ clock: realClock(), random: Math.random, log },
		{
			onNat: async (nat) => {
				if (!(await writeNat(config.asterisk.etcDir, nat, { onlyReplace: true }))) return;
				log.warn("publicAddressChanged", { ...nat, remedy: "Asterisk takes it when it is started again" });
			},
		},
	);
	if (who === undefined) throw new Error("enrolled without a limit, and yet without an answer");
	common["hostId"] = who.hostId;
	const settings = { ...DEFAULT_SETTINGS, ...config.settings, contextPatterns: config.contexts };
	const { asterisk } = config;
	const ariOptions = {
		url: asterisk.ari,
		username: asterisk.username,
		password: readSecret(asterisk.passwordFile),
		app: asterisk.events === "outbound" ? OUTBOUND_APP : INBOUND_APP,
	};
	const ariHttp = new AriHttp(ariOptions);
	const listen = { address: asterisk.listenAddress, port: asterisk.listenPort };
	const ari = await connectAri(ariHttp, {
		ari: ariOptions,
		log,
		...(asterisk.events === "outbound" ? { listen } : {}),
	});
	const { controlPlane, close } = httpControlPlane({
		url: who.controlPlaneUrl,
		hostId: who.hostId,
		readToken: who.readToken,
		timeoutMs: settings.requestTimeoutMs,
	});
	const journal = new JournalFile(config.stateDir);
	const agent = new Agent(
		{
			clock: realClock(),
			controlPlane,
			ari,
			journal,
			host: hostFiles({
				etcDir: asterisk.etcDir,
				secretsDir: config.secretsDir,
				soundsDirs: config.soundsDirs,
				contextPatterns: config.contexts,
				transport: asterisk.transport,
				mediaAddress: asterisk.mediaAddress,
				reloadModule: (module) => ariHttp.reloadModule(module),
				log,
			}),
			probe: networkProbe({
				localAddress: asterisk.mediaAddress,
				endpointState: (endpoint) => ariHttp.endpointState(endpoint),
			}),
			random: Math.random,
			log,
		},
		settings,
	);
	let ending: Promise<void> | undefined;
	const end = (signal: string): void => {
		if (ending !== undefined) return;
		log.info("stopping", { signal });
		ending = (async () => {
			await agent.stop();
			await close();
			await journal.close();
			await unlock();
			log.info("stopped", {});
			// Sockets of requests that were given up may linger.
			process.exit(0);
		})();
		ending.catch((error: unknown) => {
			log.error("stopFailed", { error });
			process.exit(1);
		});
	};
	process.on("SIGTERM", () => end("SIGTERM"));
	process.on("SIGINT", () => end("SIGINT"));
	log.info("starting", {
		controlPlaneUrl: who.controlPlaneUrl,
		ari: asterisk.ari,
		events: asterisk.events,
		eventsPort: ari.port,
	});
	await agent.start();
};

run().catch((error: unknown) => {
	const known =
		error instanceof AgentConfigError ||
		error instanceof AlreadyRunningError ||
		error instanceof JournalDamagedError ||
		error instanceof EnrolRefusedError;
	process.stderr.write(
		known
			? `${error.name}: ${error.message}\n`
			: `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
	);
	process.exit(known ? EXIT_CONFIG : 1);
});
