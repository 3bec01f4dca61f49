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

/** A host that holds calls syncs so often, and one that is idle peeks (`maxSyncIntervalMs`, `peekIntervalMs` as shipped), seconds. */
export const SEC_PER_SYNC = 1;
export const SEC_PER_PEEK = 2;
export const PEEKS_PER_HOUR = 3_600 / SEC_PER_PEEK;

/**
 * What the control plane uses, measured: syncs × perSync + attempts × perAttempt + imported contacts × perContact, and what it uses whether anybody dials or
 * not. `npm run bench -- --only control-plane` on 2026-11-28: 1,000 channels over nine hosts, 31 s mean hold, one trunk, one campaign, nobody's calls limited
 * by number. test/integration/control-plane-use.test.ts holds it against a counted run within 10 %.
 */
export const CONTROL_PLANE_USE = {
	/** A sync that grants and settles: host, trunk, grant record, a tenth of the counters' copy; reads of host, trunks, campaigns, lists and due index. */
	perSync: {
		writeUnits: 2.96,
		readUnits: 4.32,
		apiRequests: 1,
		invocations: 1,
		gbSeconds: 0.5 * PLANNED_SEC.sync,
		logBytes: 582,
		sqsRequests: 0,
	},
	/** Claim (two: table and index) and outcome; the contact, and what lists say of its number. A thirtieth of the claims is lost to another host. */
	perAttempt: {
		writeUnits: 3.04,
		readUnits: 2.11,
		apiRequests: 0,
		invocations: 0,
		gbSeconds: 0,
		logBytes: 0,
		sqsRequests: 0,
	},
	/** Table and index; chunks of 1,000. */
	perContact: {
		writeUnits: 2.003,
		readUnits: 0.004,
		apiRequests: 0.00007,
		invocations: 0.0011,
		gbSeconds: 0.00053,
		logBytes: 0.22,
		sqsRequests: 0.00013,
	},
	/** A peek of an idle host: 1,800 an hour. */
	perPeek: {
		writeUnits: 0.1,
		readUnits: 2.24,
		apiRequests: 1,
		invocations: 1,
		gbSeconds: 0.5 * PLANNED_SEC.peek,
		logBytes: 290,
		sqsRequests: 0,
	},
	/** The minute's tick, recovery and looks, with one campaign open and no burst hosts. SQS: empty polls of four queues. */
	standingPerHour: {
		writeUnits: 180,
		readUnits: 1_680,
		apiRequests: 0,
		invocations: 360,
		gbSeconds: 18,
		logBytes: 47_000,
		sqsRequests: 4_200,
	},
} as const satisfies Record<string, ControlPlaneUnits>;
