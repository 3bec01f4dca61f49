import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freeUdpPort } from "../real/addresses.ts";
import { startChild } from "../real/child.ts";
import type { Runnable } from "../real/run.ts";
import { sipPing } from "../real/sip-ping.ts";
import { VoiceError } from "../real/voice-error.ts";
import type { Carrier, CarrierCall } from "../types.ts";
import { AUDIO, AUDIO_KINDS, ulawOf } from "./audio.ts";
import { CallRecord, parseShortLine } from "./short-log.ts";
import { LineTail } from "./tail.ts";

const SCENARIO = fileURLToPath(new URL("scenario.xml", import.meta.url));

/** SIPp is up in 0.1 s; a machine with all cores busy needs longer. */
const START_LIMIT_MS = 30_000;
/** SIPp ends at once; its log is complete at any time. */
const STOP_LIMIT_MS = 2_000;
/** For bursts of hundreds of INVITEs, which wait in the socket's buffer. */
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;
/** SIPp ends itself when its loop was late this often; a busy machine is no reason to. */
const NEVER = 1_000_000_000;

export interface SippCarrier extends Carrier {
	pid: number;
}

/**
 * A carrier: SIPp with the scenario beside this file. The called number decides what happens (numbers.ts).
 * `calls()` rejects with VoiceError once SIPp has ended without being stopped.
 * @throws VoiceError where it does not start
 */
export const startSipp = async (
	program: Runnable,
	options: { address: string; port: number; dir: string },
): Promise<SippCarrier> => {
	const { address, port, dir } = options;
	// Another program on the port would answer in SIPp's place below.
	if ((await freeUdpPort(address, port)) !== port)
		throw new VoiceError(
			`The carrier cannot have UDP port ${port} on ${address}: another program has it. Choose another address.`,
		);
	await mkdir(dir, { recursive: true });
	const file = (name: string): string => join(dir, name);
	// A record of its own for each start.
	for (const name of ["messages.log", "errors.log", "output.log"]) await rm(file(name), { force: true });
	// SIPp looks for what it plays beside the scenario.
	await copyFile(SCENARIO, file("scenario.xml"));
	for (const kind of AUDIO_KINDS) await writeFile(file(`${kind}.ulaw`), ulawOf(AUDIO[kind]));
	const child = await startChild(
		program,
		[
			...[
				"-sf",
				file("scenario.xml"),
				"-i",
				address,
				"-mi",
				address,
				"-bind_local",
				"-p",
				String(port),
				"-nostdin",
				"-skip_rlimit",
			],
			...["-trace_shortmsg", "-shortmessage_file", file("messages.log")],
			...["-trace_err", "-error_file", file("errors.log")],
			...["-timer_resol", "0", "-buff_size", String(SOCKET_BUFFER_BYTES), "-f", "3600"],
			...["-watchdog_minor_maxtriggers", String(NEVER), "-watchdog_major_maxtriggers", String(NEVER)],
		],
		{ cwd: dir, outputFile: file("output.log") },
	);
	const failure = async (what: string): Promise<VoiceError> =>
		new VoiceError(
			`The carrier (SIPp on ${address}:${port}) ${what}.\n${await endOf(file("errors.log"))}${await endOf(file("output.log"))}`,
		);
	const up = await Promise.race([sipPing(address, address, port, START_LIMIT_MS), child.gone.then(() => undefined)]);
	if (up === undefined) {
		const how = child.ended;
		await child.kill();
		throw await failure(how === undefined ? `did not answer within ${START_LIMIT_MS / 1000} s` : `ended (${how})`);
	}
	const record = new CallRecord();
	const messages = new LineTail(file("messages.log"));
	const sources = new LineTail(file("errors.log"), ";");
	let stopped = false;
	let reading: Promise<void> = Promise.resolve();
	const read = async (): Promise<void> => {
		for (const line of await messages.lines()) {
			const message = parseShortLine(line);
			if (message !== undefined) record.add(message);
		}
		for (const line of await sources.lines()) {
			const [, callId, source] = SOURCE.exec(line) ?? [];
			if (callId !== undefined && source !== undefined) record.addSource(callId, source);
		}
	};
	/** One reader at a time, each after the one before, whether that worked or not. */
	const readInTurn = (): Promise<void> => {
		reading = reading.then(read, read);
		return reading;
	};
	return {
		address,
		port,
		pid: child.pid,
		calls: async (): Promise<CarrierCall[]> => {
			if (child.ended !== undefined && !stopped) throw await failure(`ended (${child.ended})`);
			if (!stopped) await readInTurn();
			return record.calls(Date.now());
		},
		stop: async () => {
			if (stopped) return;
			stopped = true;
			await child.terminate(STOP_LIMIT_MS);
			await readInTurn();
			await messages.close();
			await sources.close();
		},
	};
};

/** What the scenario writes for each call among the errors. */
const SOURCE = /INVITE (\S+) from ([0-9.]*[0-9])/;

/** How much of a log an error shows. */
const LOG_TAIL_CHARACTERS = 1_500;

const endOf = async (path: string): Promise<string> => {
	try {
		const parts = (await readFile(path, "latin1")).split(";").filter((part) => !SOURCE.test(part));
		return parts.join(";").slice(-LOG_TAIL_CHARACTERS);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
		throw error;
	}
};
