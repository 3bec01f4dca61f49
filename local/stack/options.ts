import type { Settings } from "../../shared/config/settings.ts";
import type { PartialFaults } from "../faults/plan.ts";

export const DEFAULT_PORT = 4000;
export const DEFAULT_STEADY = 1;
/** Channels of a host. */
export const DEFAULT_CAPACITY = 120;
/** The trunk to the embedded carrier. */
export const CARRIER_TRUNK = "carrier";
/** From the start of an emulated instance until its machine is switched on, seconds: a real one needs about 25. */
export const DEFAULT_BOOT_SEC = 5;
/** Hosts that one stack has addresses for, steady ones and instances together. */
export const MAX_HOSTS = 200;

/** Burst hosts: instances of the emulated EC2. */
export interface BurstOptions {
	/** Most at once; 0: none. */
	max: number;
	/** From an instance's start until its machine is switched on, seconds. */
	bootSec: number;
	/** Channels of each; default: as the first steady host's. */
	capacity?: number;
	/** Elastic IPs in the pool. */
	addresses?: number;
	/** Instance types with their prices, as BURST_TYPES has them; default: the shipped ones. */
	types?: string;
	/** Subnets, one to a zone, the preferred first. */
	subnets?: string[];
	/** `BURST_*` variables of the functions that differ. */
	settings?: Record<string, string>;
}

/** What `npm start`, the demo, the bench and tests may ask for. */
export interface StackOptions {
	/** Of the API; 0, the default: a free one. */
	port?: number;
	/** Folder that keeps the data for the next start; without: a temporary one, removed at the end. */
	dataDir?: string;
	/** Steady hosts. */
	steady?: number;
	/** Channels of each host; a list gives each its own. */
	capacity?: number | number[];
	/** How far each steady host's clock is off, ms; default: none is. */
	clockSkewMs?: number[];
	/** Without: no burst hosts, and nothing that could start any. */
	burst?: BurstOptions;
	/** Which Asterisk; default: real where it can be had. */
	asterisk?: "real" | "simulated";
	carrier?: "embedded" | "none";
	aws?: "embedded" | "external";
	/** Faults to inject; without, the layer passes everything on. */
	faults?: PartialFaults;
	/** Counts what DynamoDB would charge. */
	meter?: boolean;
	/** Settings of the control plane that differ from the shipped ones. */
	settings?: Partial<Settings>;
	/** Members of the agents' configuration file that differ from what the stack writes. */
	agentConfig?: Record<string, unknown>;
	/** Replaces the minute of schedules, seconds. */
	tickSec?: number;
	/** `apart`: each function in a thread with its own environment only. */
	isolation?: "shared" | "apart";
	/** Another definition than the project's. */
	serverlessFile?: string;
	/** Where AWS_* (with `external`) and settings come from; default: this process's environment. */
	env?: Record<string, string | undefined>;
	/** Progress and warnings, for people. */
	say?: (line: string) => void;
	/** What the parts write: logs of functions, of emulators. */
	onOutput?: (text: string) => void;
	/** A part ended that nobody stopped. Without this, it is said only. */
	onFailure?: (message: string) => void;
	/** Gives the start up; what was started is stopped. */
	signal?: AbortSignal;
}

/** The stack could not start; the message says what to do. */
export class StackError extends Error {
	override readonly name = "StackError";
}
