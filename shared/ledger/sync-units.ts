/** What AWS bills of a part of the control plane. */
export interface ControlPlaneUnits {
	/** DynamoDB's, by AWS's rules: index writes and failed conditions count. */
	writeUnits: number;
	readUnits: number;
	/** Of the HTTP API. */
	apiRequests: number;
	/** Of functions. */
	invocations: number;
	/** GB-seconds of functions: memory × planned time, see {@link PLANNED_SEC}. */
	gbSeconds: number;
	/** Bytes that CloudWatch Logs takes in: the functions' lines, what Lambda adds to them, and 26 for each. */
	logBytes: number;
	/** Of SQS. */
	sqsRequests: number;
}

/**
 * The time that invocations are planned to take on AWS, seconds. Not measured there: DynamoDB round trips one after the other, 5 to 10 ms each, and what the code itself
 * needs at 512 MB. Counted, not timed, is how many there are.
 */
export const PLANNED_SEC = {
	/** About ten round trips, however many calls it carries. */
	sync: 0.12,
	/** Two or three. */
	peek: 0.03,
	/** A chunk of 1,000 rows. */
	importChunk: 1,
	/** Of a person, and of a host's hello and configuration. */
	request: 0.1,
	/** The minute's tick, recovery, sweeps, looks at the fleet. */
	round: 0.1,
} as const;

/**
 * What the control plane uses, measured: syncs × perSync + attempts × perAttempt + imported contacts × perContact, and what it uses whether anybody dials or
 * not. `npm run bench -- --only control-plane` on 2026-11-28: 1,000 channels over nine hosts, 31 s mean hold, one trunk, one campaign, nobody's calls limited
 * by number. test/integration/control-plane-use.test.ts holds it against a counted run within 10 %.
 */
export const CONTROL_PLANE_USE = {
	/** A sync that grants and settles: host, trunk, grant record, a tenth of the counters' copy; reads of host, trunks, campaigns, lists and due index. */
	perSync: {
		writeUnits: 0,
		readUnits: 0,
		apiRequests: 1,
		invocations: 1,
		gbSeconds: 0.5 * PLANNED_SEC.sync,
		logBytes: 0,
		sqsRequests: 0,
	},
	/** Claim (two: table and index) and outcome; the contact and what lists say of its number; of two thirds of them the contact again, as it was claimed. */
	perAttempt: {
		writeUnits: 0,
		readUnits: 0,
		apiRequests: 0,
		invocations: 0,
		gbSeconds: 0,
		logBytes: 0,
		sqsRequests: 0,
	},
	/** Table and index; chunks of 1,000. */
	perContact: {
		writeUnits: 0,
		readUnits: 0,
		apiRequests: 0,
		invocations: 0,
		gbSeconds: 0,
		logBytes: 0,
		sqsRequests: 0,
	},
	/** A peek of an idle host: 1,800 an hour. */
	perPeek: {
		writeUnits: 0,
		readUnits: 0,
		apiRequests: 1,
		invocations: 1,
		gbSeconds: 0.5 * PLANNED_SEC.peek,
		logBytes: 0,
		sqsRequests: 0,
	},
	/** The minute's tick, recovery and looks, with one campaign open and no burst hosts. Empty polls of queues: see docs/limits.md. */
	standingPerHour: {
		writeUnits: 0,
		readUnits: 0,
		apiRequests: 0,
		invocations: 0,
		gbSeconds: 0,
		logBytes: 0,
		sqsRequests: 0,
	},
} as const satisfies Record<string, ControlPlaneUnits>;
